//! `perennial run`: learns from Kafka and serves, until told to stop.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{CliError, load_config};
use crate::telemetry;

/// Learns from Kafka and serves predictions, until SIGTERM or Ctrl-C.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial run --config perennial.toml
  PERENNIAL_KAFKA__BROKERS=broker:9092 perennial run --config perennial.toml --state /var/lib/perennial")]
pub struct RunArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where state is kept, instead of the file's `state_dir`.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Goes on behind a hole in this model's log, and records that in its journal. May be repeated.
    #[arg(long, value_name = "MODEL")]
    pub accept_gap: Vec<String>,
    /// Listens on other addresses than loopback without a token.
    #[arg(long)]
    pub insecure: bool,
}

/// Runs the service.
///
/// # Errors
/// The configuration is wrong, or what the service needs is not there.
pub fn run(args: &RunArgs) -> Result<ExitCode, CliError> {
    let config = load_config(&args.config)?;
    telemetry::init(&config.runtime.log);
    Err(CliError::NotBuilt("run"))
}
