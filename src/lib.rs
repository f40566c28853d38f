//! perennial keeps models alive: events come in, models learn from each of them, decay is noticed, state is kept, and the
//! model behind the predict endpoint is replaced while it serves.

pub mod admin_socket;
pub mod alerts;
pub mod cli;
pub mod config;
pub mod control;
pub mod demo;
pub mod history;
pub mod live;
pub mod metrics;
pub mod pipeline;
pub mod registry;
pub mod replay;
pub mod serve;
pub mod service;
pub mod state_change;
pub mod status;
pub mod telemetry;
