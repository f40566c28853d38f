//! `perennial state`: looks at kept state, proves it, throws it away.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::CliError;

/// Looks at kept state, proves it, throws it away.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial state list --state state
  perennial state show --state state --model air --json
  perennial state verify --state state --config perennial.toml --model air")]
pub struct StateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What to do with the state.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Lists the models and their checkpoints.
    List(ListArgs),
    /// Shows one checkpoint.
    Show(ShowArgs),
    /// Replays the log from the oldest usable checkpoint and compares: exit 0 proved, 3 differs, 69 input is gone.
    Verify(VerifyArgs),
    /// Deletes a model's state. It begins anew when it runs next.
    Reset(ResetArgs),
}

/// Where the state is and whose it is.
#[derive(Debug, Args)]
pub struct Which {
    /// The state folder.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// The model; not needed when there is one.
    #[arg(long, value_name = "M")]
    pub model: Option<String>,
}

/// Arguments of `state list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// Prints JSON on standard output, one object a line.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `state show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// The checkpoint of this version; the newest otherwise.
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub version: Option<u64>,
    /// The newest checkpoint taken at or before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Prints one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `state verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// The configuration file: which brokers hold the log.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Proves the checkpoint of this version; the newest otherwise.
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub version: Option<u64>,
    /// Proves the newest checkpoint taken at or before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Prints one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `state reset`.
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// Does not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Runs the command.
///
/// # Errors
/// There is no such state, or it is in use.
pub fn run(_args: &StateArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt("state"))
}
