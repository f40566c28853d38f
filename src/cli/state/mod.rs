//! `perennial state`: looks at kept state, proves it, takes it along, throws it away. One file a command.
//!
//! What only looks reads what describes itself and locks nothing: it works beside a process that runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use checkpoints::{CheckpointError, FileStore, Look, StateDir};
use clap::{Args, Subcommand};
use streams::{FileOptions, FileSource, KafkaConfig, KafkaSource};

use super::{CliError, bar, load_config};
use crate::admin_socket;
use crate::config::Config;
use crate::pipeline::{MakeSource, RefoldError};
use crate::service::kafka_config;
use crate::state_change::StateChange;

mod export;
mod import;
mod list;
mod reset;
mod show;
mod shown;
mod verify;

pub use export::ExportArgs;
pub use import::ImportArgs;
pub use list::ListArgs;
pub use reset::ResetArgs;
pub use show::ShowArgs;
pub use verify::VerifyArgs;

/// Looks at kept state, proves it, takes it along, throws it away.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial state list --state state
  perennial state show --state state --model air --at 2026-01-31T12:00:00Z
  perennial state verify --config perennial.toml --model air
  perennial state export --config perennial.toml --model air --version 12345 --out air.model
  perennial state import air.model --state elsewhere")]
pub struct StateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What to do with the state.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Lists the models and their checkpoints, also while they run.
    List(ListArgs),
    /// Shows the model as it was at a time or version, also while it runs.
    Show(ShowArgs),
    /// Replays the log from genesis or the oldest usable checkpoint and compares: exit 0 proved, 3 differs, 69 input is gone.
    Verify(VerifyArgs),
    /// Writes a model as it was at a version to one file, also while it runs.
    Export(ExportArgs),
    /// Puts an exported model into a state folder, also while it runs; it goes on from there.
    Import(ImportArgs),
    /// Deletes a model's state, also while it runs: it begins anew.
    Reset(ResetArgs),
}

/// Where the state is and whose it is.
#[derive(Debug, Args)]
pub struct Which {
    /// The state folder; the configuration's, if only that is given.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub state: Option<PathBuf>,
    /// The configuration file: where the state is and, to fold it again, the log.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The model; not needed when there is one.
    #[arg(long, value_name = "M")]
    pub model: Option<String>,
}

/// The log, where a version has to be folded again.
#[derive(Debug, Args)]
pub struct Log {
    /// The files that a `replay` learned from, in their order; otherwise the configuration's Kafka.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub input: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// There is no such state, or it is in use.
pub fn run(args: &StateArgs) -> Result<ExitCode, CliError> {
    match &args.command {
        StateCommand::List(args) => list::run(args),
        StateCommand::Show(args) => show::run(args),
        StateCommand::Verify(args) => verify::run(args),
        StateCommand::Export(args) => export::run(args),
        StateCommand::Import(args) => import::run(args),
        StateCommand::Reset(args) => reset::run(args),
    }
}

/// A state folder, and the configuration if one was named.
struct Place {
    dir: PathBuf,
    config: Option<Config>,
}

impl Which {
    fn place(&self) -> Result<Place, CliError> {
        let config = self.config.as_deref().map(load_config).transpose()?;
        let dir = match (&self.state, &config) {
            (Some(dir), _) => dir.clone(),
            (None, Some(config)) => config.runtime.state_dir.clone(),
            (None, None) => return Err(CliError::Usage("--state or --config is needed".into())),
        };
        Ok(Place { dir, config })
    }

    /// The name of the model that is meant.
    fn model(&self, place: &Place) -> Result<String, CliError> {
        let models = Look::models(&place.dir).map_err(unavailable)?;
        match &self.model {
            Some(name) if models.contains(name) => Ok(name.clone()),
            None if models.len() == 1 => Ok(models[0].clone()),
            _ => Err(CliError::Usage(format!("--model: expected one of {}", models.join(", ")))),
        }
    }

    fn look(&self, place: &Place) -> Result<Look, CliError> {
        Look::at(&place.dir, &self.model(place)?).map_err(unavailable)
    }
}

impl Log {
    /// Where the records of a model come from; complains only when they are needed.
    fn source(&self, place: &Place, model: &str) -> MakeSource {
        if !self.input.is_empty() {
            let files = self.input.clone();
            return Box::new(move |_| Ok(Box::new(FileSource::open(files.clone(), FileOptions::default())?)));
        }
        let model_config = place.config.as_ref().and_then(|config| {
            let model = config.models.iter().find(|known| known.name == model)?;
            // A proof is no progress: it is not shown to lag tools.
            let group_id = format!("perennial-{}-verify", model.name);
            Some(KafkaConfig { group_id, ..kafka_config(model, &config.runtime.kafka, KafkaConfig::LOOK_EVERY) })
        });
        let model = model.to_owned();
        Box::new(move |_| match &model_config {
            Some(config) => Ok(Box::new(KafkaSource::start(config.clone())?)),
            None => Err(streams::SourceError::File {
                path: model.clone(),
                message: "the log has to be read: name --config with this model, or --input FILE…".into(),
            }),
        })
    }
}

/// Changes state: here, or by the process that owns the folder. Returns what came of it.
fn change(dir: &Path, config: Option<&Config>, change: &StateChange) -> Result<String, CliError> {
    let state = match StateDir::open(dir) {
        Err(held @ CheckpointError::Held { .. }) => {
            let answer = admin_socket::ask(dir, change);
            let answer = answer.map_err(|e| CliError::Unavailable(format!("{held}, and has not answered: {e}")))?;
            return answer.ok_or_else(|| unavailable(held))?.map_err(CliError::Unavailable);
        }
        state => state.map_err(unavailable)?,
    };
    let model = config.and_then(|config| config.models.iter().find(|model| model.name == change.model));
    let failed = |e: anyhow::Error| CliError::Unavailable(format!("{e:#}"));
    let checked = change.check(&state, model.map(|model| &model.fold)).map_err(failed)?;
    let store = FileStore::open(&state).map_err(unavailable)?;
    checked.carry_out(&state, &store).map_err(failed)
}

fn unavailable(e: CheckpointError) -> CliError {
    CliError::Unavailable(e.to_string())
}

fn refold_failed(model: &str, e: &RefoldError) -> CliError {
    match e {
        RefoldError::Differs(_) => CliError::Failed(format!("model {model}: {e}")),
        _ => CliError::Unavailable(format!("model {model}: {e}")),
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
