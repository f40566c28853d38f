//! `perennial state`: looks at kept state, proves it, throws it away.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use checkpoints::{CheckpointError, CheckpointStore, FileJournal, FileStore, Journal, Listed, StateDir};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use streams::{KafkaConfig, KafkaSource};

use super::{CliError, bar, load_config};
use crate::config::Config;
use crate::pipeline::{self, MakeSource, Meta, VerifyError, hex};
use crate::service::kafka_config;

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
    /// The state folder; the configuration's, if only that is given.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub state: Option<PathBuf>,
    /// The configuration file: where the state is and, to verify, the log.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
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
    /// Proves the checkpoints kept up to this version; all of them otherwise.
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
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
pub fn run(args: &StateArgs) -> Result<ExitCode, CliError> {
    match &args.command {
        StateCommand::List(args) => list(args),
        StateCommand::Show(args) => show(args),
        StateCommand::Verify(args) => verify(args),
        StateCommand::Reset(args) => reset(args),
    }
}

/// An open state folder, and the configuration if one was named.
struct Kept {
    state: StateDir,
    store: FileStore,
    config: Option<Config>,
}

impl Which {
    fn open(&self) -> Result<Kept, CliError> {
        let config = self.config.as_deref().map(load_config).transpose()?;
        let dir = match (&self.state, &config) {
            (Some(dir), _) => dir,
            (None, Some(config)) => &config.runtime.state_dir,
            (None, None) => return Err(CliError::Usage("--state or --config is needed".into())),
        };
        let state = StateDir::open_existing(dir).map_err(unavailable)?;
        let store = FileStore::open(&state).map_err(unavailable)?;
        Ok(Kept { state, store, config })
    }

    fn model(&self, kept: &Kept) -> Result<String, CliError> {
        let models = kept.state.models().map_err(unavailable)?;
        match &self.model {
            Some(name) if models.contains(name) => Ok(name.clone()),
            None if models.len() == 1 => Ok(models[0].clone()),
            _ => Err(CliError::Usage(format!("--model: expected one of {}", models.join(", ")))),
        }
    }
}

fn unavailable(e: CheckpointError) -> CliError {
    CliError::Unavailable(e.to_string())
}

/// A checkpoint as `state show` prints it.
#[derive(Serialize)]
struct Shown {
    model: String,
    version: u64,
    events: u64,
    state_hash: String,
    model_hash: String,
    position: BTreeMap<String, BTreeMap<i32, i64>>,
    created_at: String,
    bytes: u64,
    learner: String,
    fold_version: u32,
    pinned: bool,
}

impl Shown {
    fn of(listed: &Listed) -> Self {
        let Listed { manifest, is_pinned } = listed;
        let meta = Meta::decode(&manifest.meta);
        Self {
            model: manifest.model.clone(),
            version: manifest.version,
            events: meta.events,
            state_hash: hex(&manifest.state_hash),
            model_hash: hex(&manifest.model_hash),
            position: meta.position,
            created_at: jiff::Timestamp::from_millisecond(manifest.created_at_ms)
                .map_or_else(|_| manifest.created_at_ms.to_string(), |at| at.to_string()),
            bytes: manifest.bytes(),
            learner: meta.learner,
            fold_version: meta.fold_version,
            pinned: *is_pinned,
        }
    }

    fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::to_string(self).expect("plain data has a JSON form"));
            return;
        }
        println!(
            "{:<20} version {:>12}  {:>12} events  {:>11} bytes  {}  {}{}",
            self.model,
            self.version,
            self.events,
            self.bytes,
            self.created_at,
            &self.state_hash[..16],
            if self.pinned { "  pinned" } else { "" }
        );
    }
}

fn list(args: &ListArgs) -> Result<ExitCode, CliError> {
    let kept = args.which.open()?;
    for model in kept.state.models().map_err(unavailable)? {
        if args.which.model.as_ref().is_none_or(|only| *only == model) {
            let listed = kept.store.list(&model).map_err(unavailable)?;
            listed.iter().for_each(|l| Shown::of(l).print(args.json));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ShowArgs) -> Result<ExitCode, CliError> {
    let kept = args.which.open()?;
    let model = args.which.model(&kept)?;
    let at = match &args.at {
        None => i64::MAX,
        Some(text) => text
            .parse::<jiff::Timestamp>()
            .map_err(|e| {
                CliError::Usage(format!("--at: expected a time like 2026-01-31T00:00:00Z, got {text:?}: {e}"))
            })?
            .as_millisecond(),
    };
    let listed = kept.store.list(&model).map_err(unavailable)?;
    let versions: Vec<_> = listed.iter().map(|l| l.manifest.version.to_string()).collect();
    let wanted = |l: &&Listed| {
        args.version.is_none_or(|version| l.manifest.version == version) && l.manifest.created_at_ms <= at
    };
    let found = listed.iter().rev().find(wanted).ok_or_else(|| {
        CliError::Unavailable(format!("model {model}: no such checkpoint; kept are: {}", versions.join(", ")))
    })?;
    if args.json {
        Shown::of(found).print(true);
    } else {
        println!("{}", serde_json::to_string_pretty(&Shown::of(found)).expect("plain data has a JSON form"));
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(args: &VerifyArgs) -> Result<ExitCode, CliError> {
    let kept = args.which.open()?;
    let name = args.which.model(&kept)?;
    let Some(config) = &kept.config else {
        return Err(CliError::Usage("--config is needed: it says where the log is".into()));
    };
    let Some(model) = config.models.iter().find(|model| model.name == name) else {
        return Err(CliError::Usage(format!("the configuration has no model {name}")));
    };
    let journal = FileJournal::open(&kept.state, &name, FileJournal::ROTATE_AT_BYTES).map_err(unavailable)?;
    let source = KafkaConfig {
        // A proof is no progress: it is not shown to lag tools.
        group_id: format!("perennial-{name}-verify"),
        ..kafka_config(model, &config.runtime.kafka, KafkaConfig::LOOK_EVERY)
    };
    let mut make_source: MakeSource = Box::new(move |_| Ok(Box::new(KafkaSource::start(source.clone())?)));
    let bar = bar(Some(journal.end()), "versions");
    let proved =
        pipeline::verify(&name, &model.fold, &journal, &kept.store, &mut make_source, args.version, &|version| {
            bar.set_position(version)
        });
    bar.finish_and_clear();
    let proof = proved.map_err(|e| match e {
        VerifyError::Differs(_) => CliError::Failed(format!("model {name}: {e}")),
        _ => CliError::Unavailable(format!("model {name}: {e}")),
    })?;
    let from = proof.from.map_or_else(|| json!("genesis"), |version| json!(version));
    if args.json {
        println!(
            "{}",
            json!({"model": name, "from": from, "versions": proof.versions, "state_hash": proof.state_hash})
        );
    } else {
        let trusted = match proof.from {
            None => "genesis; nothing is trusted but the log and the journal".to_owned(),
            Some(version) => format!("version {version}, which is trusted: the log does not reach back further"),
        };
        let versions: Vec<_> = proof.versions.iter().map(u64::to_string).collect();
        println!("{name}: proved {} from {trusted}", versions.join(", "));
        println!("state {}", proof.state_hash);
    }
    Ok(ExitCode::SUCCESS)
}

fn reset(args: &ResetArgs) -> Result<ExitCode, CliError> {
    let kept = args.which.open()?;
    let model = args.which.model(&kept)?;
    if !args.yes {
        if !std::io::stdin().is_terminal() {
            return Err(CliError::Usage(format!("this deletes all state of {model}; add --yes")));
        }
        eprint!("Delete all state of {model}: checkpoints, pins and journal? Type its name: ");
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed).map_err(anyhow::Error::from)?;
        if typed.trim() != model {
            return Err(CliError::Usage("nothing was deleted".into()));
        }
    }
    kept.store.remove(&model).map_err(unavailable)?;
    println!("{model}: begins anew when it runs next");
    Ok(ExitCode::SUCCESS)
}
