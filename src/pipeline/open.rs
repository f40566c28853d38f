//! Opens a model's state: the newest checkpoint that verifies, and the journal's tail behind it.

use checkpoints::{CheckpointError, CheckpointStore, Entry as Frame, FileJournal, Journal, StateDir};
use fold::{Decision, Entry, EntryError, Fold, FoldConfig, GenesisError, Live, Position, RestoreFoldError};
use thiserror::Error;
use tracing::{error, info, warn};

use super::ahead::Ahead;
use super::convert::from_store;
use super::meta::Meta;
use super::replay::{Tail, TailError};

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
    /// What decides the fold is not what it was, and the model cannot go on under it.
    #[error(
        "model {model} cannot take {changed}. {}. To begin anew: perennial state reset --model {model}",
        refused.join(". ")
    )]
    ConfigChanged {
        /// The model.
        model: String,
        /// What changed.
        changed: String,
        /// Why it cannot, option by option.
        refused: Vec<String>,
    },
    /// Another release of the fold made it, whose states this one cannot carry forward.
    #[error(
        "model {model}: its state is of fold version {got}, this release goes on from those of {} to {}. Run it by the \
         release that made it, or begin anew: perennial state reset --model {model}",
        fold::CARRIED_FROM,
        fold::FOLD_VERSION
    )]
    FoldVersion {
        /// The model.
        model: String,
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

impl OpenError {
    /// Whether the state is damaged: nothing about the configuration would help.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::State(e) => matches!(e, CheckpointError::Corrupt { .. }),
            Self::Tail(_) | Self::Entry(_) | Self::Restore { .. } | Self::Journal { .. } => true,
            Self::Genesis(_) | Self::ConfigChanged { .. } | Self::FoldVersion { .. } => false,
        }
    }
}

/// A model's state, ready to go on.
pub struct Opened {
    /// The state at the checkpoint.
    pub fold: Fold,
    /// What decided the fold at genesis.
    pub began: FoldConfig,
    /// What to fold again.
    pub tail: Tail,
    /// The version at the journal's end.
    pub until: u64,
    /// What was to be served at the journal's end.
    pub live: Live,
    /// The journal, open for more.
    pub journal: FileJournal,
}

/// Opens the state of a model, or begins it at `start` (partitions found later are added by decisions). A configuration
/// that the model can take is adopted: a decision at the journal's end.
///
/// # Errors
/// The state cannot be read, or cannot go on under this configuration.
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
    let Genesis { config: began, start, fold_version } = match journal.first()? {
        Some(frame) => genesis_of(model, &frame)?,
        None => {
            let fold_version = fold::FOLD_VERSION;
            let genesis = Genesis { config: config.clone(), start: start.clone(), fold_version };
            let (config, start) = (Box::new(config.clone()), start.clone());
            let entry = Entry::Genesis { fold_version, config, start };
            journal.append(&Frame { from: 0, to: 0, payload: entry.encode() })?;
            journal.sync()?;
            genesis
        }
    };
    let loaded = store.latest(model)?;
    for skipped in &loaded.skipped {
        error!(model, version = skipped.version, reason = skipped.reason, "a checkpoint is damaged and passed over");
    }
    let mut made_by = fold_version;
    let fold = match loaded.checkpoint {
        Some(checkpoint) => {
            let version = checkpoint.version;
            made_by = Meta::decode(&checkpoint.meta).made_by(fold_version);
            check_carried(model, made_by)?;
            info!(model, version, "going on from a checkpoint");
            Fold::restore(began.clone(), &from_store(checkpoint.sections))
                .map_err(|reason| OpenError::Restore { version, reason })?
        }
        None => {
            info!(model, "going on from genesis");
            Fold::genesis(began.clone(), start)?
        }
    };
    let end = journal.end();
    if end < fold.version() {
        let what = format!(
            "the journal ends at version {end}, the checkpoint is of version {}: the journal has lost its end; \
             take the folder back from a backup, or begin anew: perennial state reset --model {model}",
            fold.version()
        );
        return Err(OpenError::Journal { model: model.into(), what });
    }
    let Ahead { live, config: latest, left_out, carried } = Ahead::of(&fold, journal.read_from(fold.version())?)?;
    if made_by != fold::FOLD_VERSION && carried != Some((fold::FOLD_VERSION, fold.version())) {
        carry(model, made_by, fold.version(), &mut journal)?;
    }
    adopt(model, &latest, config, &mut journal)?;
    let until = journal.end();
    let tail = Tail::new(journal.read_from(fold.version())?, left_out)?;
    Ok(Opened { fold, began, tail, until, live, journal })
}

/// Whether a state that a fold version has made can be gone on from.
///
/// # Errors
/// It cannot.
pub fn check_carried(model: &str, made_by: u32) -> Result<(), OpenError> {
    match made_by {
        fold::CARRIED_FROM..=fold::FOLD_VERSION => Ok(()),
        got => Err(OpenError::FoldVersion { model: model.into(), got }),
    }
}

/// Goes on from a state of an older release. What that release has folded behind it is folded again by the rules of this one,
/// and may come out otherwise: versions are proved from here on.
fn carry(model: &str, made_by: u32, since: u64, journal: &mut FileJournal) -> Result<(), OpenError> {
    let fold_version = fold::FOLD_VERSION;
    warn!(model, made_by, fold_version, since, "the state of an older release goes on; proofs reach back to here");
    let decision = Decision::Carry { fold_version, since };
    decided(decision, "release", format!("fold version {made_by} is now {fold_version}"), journal)
}

/// Takes over a configuration that is not the latest one in the journal.
fn adopt(model: &str, latest: &FoldConfig, config: &FoldConfig, journal: &mut FileJournal) -> Result<(), OpenError> {
    if latest == config {
        return Ok(());
    }
    let changed = differences(latest, config).join(", ");
    if let Err(refused) = latest.check_change(config) {
        let refused = refused.iter().map(ToString::to_string).collect();
        return Err(OpenError::ConfigChanged { model: model.into(), changed, refused });
    }
    // Whatever it names can be built.
    Fold::genesis(config.clone(), Position::new())?;
    info!(model, changed, "the configuration has changed; the model goes on under the new one");
    decided(Decision::Configure { config: Box::new(config.clone()) }, "configuration", changed, journal)
}

/// A decision at the journal's end.
fn decided(decision: Decision, actor: &str, evidence: String, journal: &mut FileJournal) -> Result<(), OpenError> {
    let entry = Entry::Decided { decision, actor: actor.into(), evidence };
    let from = journal.end();
    journal.append(&Frame { from, to: from + entry.versions(), payload: entry.encode() })?;
    journal.sync()?;
    Ok(())
}

/// What a journal begins with.
pub struct Genesis {
    /// What decided the fold then.
    pub config: FoldConfig,
    /// Where the partitions known then began.
    pub start: Position,
    /// The release that began it.
    pub fold_version: u32,
}

/// Reads the first entry of a journal.
///
/// # Errors
/// It is no genesis, or a newer release's.
pub fn genesis_of(model: &str, first: &Frame) -> Result<Genesis, OpenError> {
    match Entry::decode(&first.payload)? {
        Entry::Genesis { fold_version, .. } if fold_version > fold::FOLD_VERSION => {
            Err(OpenError::FoldVersion { model: model.into(), got: fold_version })
        }
        Entry::Genesis { config, start, fold_version } => Ok(Genesis { config: *config, start, fold_version }),
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
