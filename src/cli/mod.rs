//! The command line: one file a command. Data goes to standard output, messages to standard error.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command as ClapCommand, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self, Config};

mod catalog;
mod demo;
mod detectors;
mod exit;
mod learners;
mod progress;
mod replay;
mod run;
mod simulate;
mod state;
mod validate;

pub use demo::DemoArgs;
pub use detectors::DetectorsArgs;
pub use exit::CliError;
pub use learners::LearnersArgs;
pub use progress::bar;
pub use replay::{ReplayArgs, TaskArg};
pub use run::RunArgs;
pub use simulate::SimulateArgs;
pub use state::StateArgs;
pub use validate::ValidateArgs;

/// Keeps a model alive: learns from every event, notices decay, never blinks.
#[derive(Debug, Parser)]
#[command(
    version,
    before_help = "Examples:
  perennial demo                                   see it work, nothing needed
  perennial validate --config perennial.toml       check a configuration
  perennial run --config perennial.toml            learn from Kafka and serve
  perennial replay data.csv --task regression --target y"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the arguments' own docs are the help")]
#[allow(clippy::large_enum_variant, reason = "a process has one")]
pub enum Command {
    Demo(DemoArgs),
    Run(RunArgs),
    Validate(ValidateArgs),
    Replay(ReplayArgs),
    Simulate(SimulateArgs),
    State(StateArgs),
    Learners(LearnersArgs),
    Detectors(DetectorsArgs),
}

/// The help of every command: what it does, examples, then the rest.
const HELP: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Reads the command line.
///
/// # Errors
/// The exit code to end with, when help was asked for or the line makes no sense (64); what there is to say was said.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, ExitCode> {
    let parsed = with_help(Cli::command()).try_get_matches_from(args).and_then(|m| Cli::from_arg_matches(&m));
    parsed.map(|cli| cli.command).map_err(|error| {
        // Nobody is left to tell when standard error is closed.
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { 64 } else { 0 })
    })
}

fn with_help(command: ClapCommand) -> ClapCommand {
    command.help_template(HELP).mut_subcommands(with_help)
}

/// Runs a command.
///
/// # Errors
/// What went wrong, with its exit code.
pub fn run(command: &Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Run(args) => run::run(args),
        Command::Validate(args) => validate::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::State(args) => state::run(args),
        Command::Learners(args) => learners::run(args),
        Command::Detectors(args) => detectors::run(args),
    }
}

/// Loads a configuration file with this process's environment.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_config(path: &Path) -> Result<Config, CliError> {
    Ok(Config::load(path, &config::environment())?)
}
