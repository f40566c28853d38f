//! Opens a model's state: the newest checkpoint that verifies, and the journal's tail behind it.

use checkpoints::{CheckpointError, CheckpointStore, Entry as Frame, FileJournal, Journal, StateDir};
use fold::{Decision, Entry, EntryError, Fold, FoldConfig, GenesisError, Live, Position, RestoreFoldError};
use thiserror::Error;
use tracing::{error, info, warn};

use super::replay::{Tail, TailError};
use super::store::from_store;

/// Why a model's state cannot be gone on from.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The state folder.
    #[error(transparent)]
    State(#[from] CheckpointError),
    /// The journal.
    #[error(transparent)]
    Tail(#[from] TailError),
    /// The journal's first entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The configuration has no fold.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A checkpoint that verifies cannot be understood.
    #[error("checkpoint {version}: {reason}")]
    Restore {
        /// Its version.
        version: u64,
        /// Why.
        reason: RestoreFoldError,
    },
    /// What decides the fold is not what it was.
    #[error(
        "model {model}: {changed} {} changed since its state began; go back to what it was, or give the model a new name, or \
         begin anew: perennial state reset --model {model}",
        if *.many { "have" } else { "has" }
    )]
    ConfigChanged {
        /// The model.
        model: String,
        /// Which options.
        changed: String,
        /// Whether they are several.
        many: bool,
    },
    /// Another release of the fold made it.
    #[error("model {model}: its state is of fold version {got}, this release folds version {expected}")]
    FoldVersion {
        /// The model.
        model: String,
        /// This release's.
        expected: u32,
        /// The state's.
        got: u32,
    },
    /// The journal does not begin with genesis, or ends before the checkpoint.
    #[error("model {model}: {what}")]
    Journal {
        /// The model.
        model: String,
        /// What is wrong.
        what: String,
    },
}

/// A model's state, ready to go on.
pub struct Opened {
    /// The state at the checkpoint.
    pub fold: Fold,
    /// What to fold again.
    pub tail: Tail,
    /// The version at the journal's end.
    pub until: u64,
    /// What was to be served at the journal's end.
    pub live: Live,
    /// The journal, open for more.
    pub journal: FileJournal,
}

/// Opens the state of a model, or begins it at `start` (partitions found later are added by decisions).
///
/// # Errors
/// The state cannot be read, or is not of this configuration.
pub fn open(
    state: &StateDir,
    store: &dyn CheckpointStore,
    model: &str,
    config: &FoldConfig,
    start: &Position,
) -> Result<Opened, OpenError> {
    let mut journal = FileJournal::open(state, model, FileJournal::ROTATE_AT_BYTES)?;
    if journal.truncated_bytes() > 0 {
        warn!(model, bytes = journal.truncated_bytes(), "the journal's unfinished end was cut off");
    }
    let start = match journal.first()? {
        Some(frame) => check_genesis(model, config, &frame)?,
        None => {
            let config = Box::new(config.clone());
            let genesis = Entry::Genesis { fold_version: fold::FOLD_VERSION, config, start: start.clone() };
            journal.append(&Frame { from: 0, to: 0, payload: genesis.encode() })?;
            journal.sync()?;
            start.clone()
        }
    };
    let loaded = store.latest(model)?;
    for skipped in &loaded.skipped {
        error!(model, version = skipped.version, reason = skipped.reason, "a checkpoint is damaged and passed over");
    }
    let fold = match loaded.checkpoint {
        Some(checkpoint) => {
            let version = checkpoint.version;
            info!(model, version, "going on from a checkpoint");
            Fold::restore(config.clone(), &from_store(checkpoint.sections))
                .map_err(|reason| OpenError::Restore { version, reason })?
        }
        None => {
            info!(model, "going on from genesis");
            Fold::genesis(config.clone(), start)?
        }
    };
    let until = journal.end();
    if until < fold.version() {
        let what = format!("the journal ends at version {until}, the checkpoint is of version {}", fold.version());
        return Err(OpenError::Journal { model: model.into(), what });
    }
    let live = live_at_end(&fold, &journal)?;
    let tail = Tail::new(journal.read_from(fold.version())?)?;
    Ok(Opened { fold, tail, until, live, journal })
}

/// What a person had decided last: it holds from the first moment on, not only once the journal is folded again.
fn live_at_end(fold: &Fold, journal: &FileJournal) -> Result<Live, OpenError> {
    let mut live = fold.live();
    for frame in journal.read_from(fold.version())? {
        match Entry::decode(&frame?.payload)? {
            Entry::Decided { decision: Decision::Pin { version }, .. } => live = Live::Pinned(version),
            Entry::Decided { decision: Decision::Follow, .. } => live = Live::Follow,
            _ => {}
        }
    }
    Ok(live)
}

/// Holds genesis against the configuration; tells where the partitions known then began.
///
/// # Errors
/// It is not of this configuration or release.
pub fn check_genesis(model: &str, config: &FoldConfig, first: &Frame) -> Result<Position, OpenError> {
    match Entry::decode(&first.payload)? {
        Entry::Genesis { fold_version, .. } if fold_version != fold::FOLD_VERSION => {
            Err(OpenError::FoldVersion { model: model.into(), expected: fold::FOLD_VERSION, got: fold_version })
        }
        Entry::Genesis { config: began, .. } if *began != *config => {
            let changed = differences(&began, config);
            Err(OpenError::ConfigChanged { model: model.into(), many: changed.len() > 1, changed: changed.join(", ") })
        }
        Entry::Genesis { start, .. } => Ok(start),
        _ => Err(OpenError::Journal { model: model.into(), what: "the journal does not begin with genesis".into() }),
    }
}

/// The options in which two configurations differ.
fn differences(a: &FoldConfig, b: &FoldConfig) -> Vec<String> {
    let as_map = |config: &FoldConfig| match serde_json::to_value(config) {
        Ok(serde_json::Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    };
    let (a, b) = (as_map(a), as_map(b));
    let differ =
        |path: &str, x: &serde_json::Value, y: &serde_json::Value| (x != y).then(|| format!("{path} ({x} is now {y})"));
    let mut changed = Vec::new();
    for (key, x) in &a {
        let y = &b[key];
        match (x.as_object(), y.as_object()) {
            (Some(x), Some(y)) => changed.extend(x.iter().filter_map(|(inner, x)| differ(inner, x, &y[inner]))),
            _ => changed.extend(differ(key, x, y)),
        }
    }
    changed
}
