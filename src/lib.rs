//! perennial

pub mod live;
pub mod registry;
pub mod status;
