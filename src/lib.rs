//! perennial

pub mod cli;
pub mod config;
pub mod live;
pub mod registry;
pub mod status;
pub mod telemetry;
pub mod metrics;
pub mod serve;
