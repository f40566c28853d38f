//! `perennial replay`: folds files exactly as `run` folds Kafka, and tells how well it predicted.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use fold::{FoldConfig, Horizon, Labels, OnDrift};
use streams::{FileOptions, FileSource};

use super::{CliError, bar, load_config};
use crate::config::{ModelConfig, horizon_of};
use crate::replay::{Replay, Summary};

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
    /// The learner and its parameters, instead of the configuration's; `perennial learners` lists them. [default: auto]
    #[arg(long, value_name = "NAME[:key=value,…]")]
    pub learner: Option<String>,
    /// Predicts the target this much later, by entity: 0, "1h" or "10 events".
    #[arg(long, value_name = "H", value_parser = horizon, conflicts_with = "label_delay")]
    pub horizon: Option<Horizon>,
    /// The seed of whatever is random, instead of the configuration's. [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Stops after this many events.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Learns the label of event i after event i + N was predicted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    pub label_delay: Option<u64>,
    /// Threads that a learner of many members may take. The model is the same, whatever their number.
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
pub fn run(args: &ReplayArgs) -> Result<ExitCode, CliError> {
    let (name, config) = described(args)?;
    let source = FileSource::open(args.files.clone(), FileOptions { limit: args.limit })
        .map_err(|e| CliError::Unavailable(e.to_string()))?;
    let bar = bar(args.limit, "events");
    let summary = Replay::start(&name, config, args.state.as_deref(), args.predictions.as_deref())?
        .on_threads(args.threads.into())
        .run(source, |events| bar.set_position(events));
    bar.finish_and_clear();
    let summary = Summary { file: file_names(&args.files), ..summary? };
    if args.json {
        println!("{}", serde_json::to_string(&summary).expect("plain data has a JSON form"));
    } else {
        println!("{summary}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The model the arguments describe: its name and what decides its fold.
fn described(args: &ReplayArgs) -> Result<(String, FoldConfig), CliError> {
    let mut model = match (&args.config, args.task, &args.target) {
        (Some(file), ..) => chosen(load_config(file)?.models, args.model.as_deref())?,
        (None, Some(task), Some(target)) => {
            let mut model = ModelConfig::new("replay", vec!["file".into()], task.into(), target);
            let event = &mut model.fold.event;
            (event.time, event.entity, event.id) = (args.time.clone(), args.entity.clone(), args.id.clone());
            (event.nominal, event.ignore) = (args.nominal.clone(), args.ignore.clone());
            // One learner is measured, not what might replace it.
            model.fold.on_drift = OnDrift::Alert;
            model
        }
        _ => return Err(CliError::Usage("--task and --target are needed, or --config".into())),
    };
    if let Some(seed) = args.seed {
        model.fold.seed = seed;
    }
    if let Some(text) = &args.learner {
        model.fold.learner = text.parse().map_err(|e| CliError::Usage(format!("--learner: {e}")))?;
        model.fold.challengers.retain(|spec| *spec != model.fold.learner);
    }
    wait(args, &mut model.fold)?;
    Ok((model.name, model.fold))
}

/// Labels that come later, by the arguments.
fn wait(args: &ReplayArgs, fold: &mut FoldConfig) -> Result<(), CliError> {
    let horizon = match (args.horizon, args.label_delay) {
        (_, Some(0)) => Horizon::Now,
        (_, Some(events)) => Horizon::Delay(events),
        (Some(horizon), None) => horizon,
        (None, None) if fold.labels_topic().is_some() => {
            let what =
                "its labels come on a topic, which files do not have: say --label-delay N if they hold the target";
            return Err(CliError::Usage(what.into()));
        }
        (None, None) => return Ok(()),
    };
    if let Some(topic) = fold.labels_topic() {
        fold.topics.remove(usize::from(topic.0));
    }
    let mut labels = Labels { topic: String::new(), ..fold.labels.clone().unwrap_or_default() };
    match horizon {
        Horizon::Ms(ms) => labels.at_most_ms = labels.at_most_ms.max(ms.saturating_mul(2)),
        Horizon::Events(events) => labels.rows = labels.rows.max(events.saturating_add(1)),
        // A count of events is the only bound.
        Horizon::Delay(_) => labels = Labels { at_most_ms: u64::MAX, rows: u64::MAX, bytes: u64::MAX, ..labels },
        Horizon::Now => {}
    }
    fold.wait_for_labels(horizon, labels);
    Ok(())
}

fn horizon(text: &str) -> Result<Horizon, String> {
    horizon_of(text).ok_or_else(|| "expected 0, a time like 1h, or a number of events like \"10 events\"".to_owned())
}

fn chosen(models: Vec<ModelConfig>, name: Option<&str>) -> Result<ModelConfig, CliError> {
    let names: Vec<_> = models.iter().map(|m| m.name.clone()).collect();
    let names = names.join(", ");
    let only = models.len() == 1;
    let wanted = |m: &ModelConfig| name.map_or(only, |name| m.name == name);
    models.into_iter().find(wanted).ok_or_else(|| CliError::Usage(format!("--model: expected one of {names}")))
}

fn file_names(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap_or_default().to_string_lossy()).collect();
    names.join(",")
}
