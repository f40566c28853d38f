//! perennial

pub mod cli;
pub mod config;
pub mod live;
pub mod metrics;
pub mod pipeline;
pub mod registry;
pub mod replay;
pub mod serve;
pub mod service;
pub mod status;
pub mod telemetry;
