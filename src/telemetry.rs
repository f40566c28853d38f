//! Logs: to standard error, as lines for people or as JSON.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat, filter};

/// Starts logging. The first call in a process counts.
pub fn init(log: &LogConfig) {
    // The configuration was checked; a flag of ours could not be wrong either.
    let filter = filter(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match log.format {
        LogFormat::Text => lines.with_ansi(colour()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // Only a test starts it twice in one process.
    drop(started);
}

/// Whether standard error takes colours: a terminal, and nobody said NO_COLOR.
pub fn colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
