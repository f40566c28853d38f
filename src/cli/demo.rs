//! `perennial demo`: the whole service on an embedded broker with a simulated stream.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use super::CliError;

/// Shows the whole service at work: an embedded broker, a stream that drifts, learners, the server. Needs nothing else.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial demo
  perennial demo --seconds 30 --json")]
pub struct DemoArgs {
    /// Ends by itself after this many seconds, with a summary.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: Option<u64>,
    /// The simulated stream; `perennial simulate --help` lists them.
    #[arg(long, value_name = "NAME", default_value = "sensors")]
    pub scenario: String,
    /// The address to serve on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8501")]
    pub http: SocketAddr,
    /// Prints the summary as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Runs the demo.
///
/// # Errors
/// The address is taken, or there is no such scenario.
pub fn run(_args: &DemoArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt("demo"))
}
