//! `perennial replay`: folds files exactly as `run` folds Kafka, and tells how well it predicted.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::CliError;

/// Learns from files (.csv, .csv.gz, .jsonl, .jsonl.gz) in their order: predict, score, learn.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial replay elec.csv.gz --task classification --target class --nominal day
  perennial replay air.jsonl --task regression --target co --time at --entity station --learner linear --json
  perennial replay air.jsonl --config perennial.toml --model air")]
pub struct ReplayArgs {
    /// The files, in this order. An empty value is missing.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Takes the model from this configuration file instead of from flags.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["task", "target", "time", "entity", "id", "nominal", "ignore"])]
    pub config: Option<PathBuf>,
    /// Which model of the configuration file; not needed when it has one.
    #[arg(long, value_name = "NAME", requires = "config")]
    pub model: Option<String>,
    /// What is predicted.
    #[arg(long, required_unless_present = "config")]
    pub task: Option<TaskArg>,
    /// The column to predict.
    #[arg(long, value_name = "COLUMN", required_unless_present = "config")]
    pub target: Option<String>,
    /// The column that holds the time (RFC 3339 text or epoch milliseconds).
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// The column that names the entity: the sensor, the ticker.
    #[arg(long, value_name = "COLUMN")]
    pub entity: Option<String>,
    /// The column that names the event.
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Columns whose numbers are names.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub nominal: Vec<String>,
    /// Columns to leave out.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// The learner and its parameters, instead of the configuration's; `perennial learners` lists them. [default: linear]
    #[arg(long, value_name = "NAME[:key=value,…]")]
    pub learner: Option<String>,
    /// Predicts the target this much later, by entity. Only 0 in this release.
    #[arg(long, value_name = "H", default_value = "0", value_parser = ["0"], hide_possible_values = true)]
    pub horizon: String,
    /// The seed of whatever is random, instead of the configuration's. [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Stops after this many events.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Learns the label of event i after event i + N was predicted.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub label_delay: u64,
    /// Threads for learners with many members.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: u16,
    /// Keeps the state in this folder.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Writes every prediction to this file.
    #[arg(long, value_name = "OUT.csv")]
    pub predictions: Option<PathBuf>,
    /// Prints one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// What is predicted, as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskArg {
    /// One of the classes.
    Classification,
    /// A number.
    Regression,
}

impl From<TaskArg> for features::Task {
    fn from(task: TaskArg) -> Self {
        match task {
            TaskArg::Classification => Self::Classification,
            TaskArg::Regression => Self::Regression,
        }
    }
}

/// Replays the files.
///
/// # Errors
/// A file cannot be read, or the model is not well described.
pub fn run(_args: &ReplayArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt("replay"))
}
