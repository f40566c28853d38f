//! Proves kept checkpoints: folds journal and log again and compares hashes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use checkpoints::{CheckpointError, CheckpointStore, FileJournal, Journal, hash_sections};
use fold::{Chunk, Decision, Fold, FoldConfig};
use streams::{Source, SourceError, SourceEvent};
use thiserror::Error;

use super::order::{LogChanged, Order};
use super::replay::{Step, Tail, TailError};
use super::store::{from_store, hex, to_store};
use super::trainer::MakeSource;
use super::{OpenError, check_genesis};

/// What was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// From which version on; `None` = from genesis, nothing is trusted.
    pub from: Option<u64>,
    /// Versions whose state came out with the same hash.
    pub versions: Vec<u64>,
    /// The hash of the newest of them.
    pub state_hash: String,
}

/// Why nothing was proved.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The state folder.
    #[error(transparent)]
    State(#[from] CheckpointError),
    /// The state is not of this configuration.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no checkpoint to prove.
    #[error("there is no checkpoint to prove")]
    Nothing,
    /// The log or journal needed is gone.
    #[error("the input needed is gone: {0}")]
    Gone(String),
    /// It came out otherwise.
    #[error("{0}")]
    Differs(String),
}

impl From<SourceError> for VerifyError {
    fn from(e: SourceError) -> Self {
        Self::Gone(e.to_string())
    }
}

/// Without anything new from the log for so long, it is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// Folds again from genesis if the log reaches back so far, otherwise from the oldest checkpoint kept, and compares the
/// state at every kept version up to `until` (the newest, if `None`). `progress` hears of the version reached.
///
/// # Errors
/// A state differs, or the input needed is gone.
pub fn verify(
    model: &str,
    config: &FoldConfig,
    journal: &FileJournal,
    store: &dyn CheckpointStore,
    make_source: &mut MakeSource,
    until: Option<u64>,
    progress: &dyn Fn(u64),
) -> Result<Proof, VerifyError> {
    let frame = journal.first()?.ok_or(VerifyError::Nothing)?;
    let start = check_genesis(model, config, &frame)?;
    let kept: BTreeMap<u64, [u8; 32]> = store
        .list(model)?
        .into_iter()
        .map(|listed| (listed.manifest.version, listed.manifest.state_hash))
        .filter(|(version, _)| until.is_none_or(|until| *version <= until))
        .collect();
    let (&oldest, _) = kept.first_key_value().ok_or(VerifyError::Nothing)?;
    let genesis = Fold::genesis(config.clone(), start).map_err(OpenError::from)?;
    match prove(genesis, None, &kept, journal, &mut *make_source(true)?, progress) {
        Err(VerifyError::Gone(_)) => {}
        proved => return proved,
    }
    // The log does not reach back to genesis: the oldest checkpoint is trusted.
    let trusted = store.at(model, oldest)?;
    let fold = Fold::restore(config.clone(), &from_store(trusted.sections))
        .map_err(|reason| OpenError::Restore { version: oldest, reason })?;
    prove(fold, Some(oldest), &kept, journal, &mut *make_source(true)?, progress)
}

fn prove(
    mut fold: Fold,
    from: Option<u64>,
    kept: &BTreeMap<u64, [u8; 32]>,
    journal: &FileJournal,
    source: &mut dyn Source,
    progress: &dyn Fn(u64),
) -> Result<Proof, VerifyError> {
    let topics = fold.config().topics.clone();
    let mut tail = Tail::new(journal.read_from(fold.version())?).map_err(|e| broken(&e, &topics))?;
    let mut order = Order::new(SILENCE);
    let mut chunk = Chunk::default();
    let mut proof = Proof { from, versions: Vec::new(), state_hash: String::new() };
    let begin: Vec<_> = fold.position().iter().map(|(from, next)| (*from, *next)).collect();
    source.assign(&begin)?;
    let last = kept.last_key_value().map_or(0, |(version, _)| *version);
    let mut heard = Instant::now();
    while fold.version() < last {
        match tail.step(&mut order).map_err(|e| broken(&e, &topics))? {
            Step::End => break,
            Step::Fold(batch) => {
                fold.decode(&batch, &mut chunk);
                fold.train(&mut chunk);
            }
            Step::Decide(decision) => {
                fold.decide(&decision);
                if let Decision::AddPartition { from, start } = decision {
                    source.assign(&[(from, start)])?;
                }
            }
            Step::Wait => {
                if take_in(source.poll(Duration::from_millis(200))?, &mut order, &topics)? {
                    heard = Instant::now();
                } else if heard.elapsed() > SILENCE {
                    return Err(VerifyError::Gone(format!("the log is silent at version {}", fold.version())));
                }
                continue;
            }
        }
        progress(fold.version());
        let Some(expected) = kept.get(&fold.version()) else { continue };
        let hash = hash_sections(&to_store(fold.save()), &[]);
        if hash != *expected {
            let (version, folded, expected) = (fold.version(), hex(&hash), hex(expected));
            return Err(VerifyError::Differs(format!(
                "version {version}: the checkpoint has state {expected}, folding the log gives {folded}"
            )));
        }
        proof.versions.push(fold.version());
        proof.state_hash = hex(&hash);
    }
    if fold.version() < last {
        return Err(VerifyError::Gone(format!("the journal ends at version {}", fold.version())));
    }
    Ok(proof)
}

/// Whether it was something.
fn take_in(event: Option<SourceEvent>, order: &mut Order, topics: &[String]) -> Result<bool, VerifyError> {
    match event {
        None => return Ok(false),
        Some(SourceEvent::Records(records)) => order.push(records),
        Some(SourceEvent::CaughtUp { from, next }) => order.caught_up(from, next),
        Some(SourceEvent::Gap { from, wanted, low, high }) => {
            let topic = &topics[usize::from(from.topic.0)];
            let (partition, wanted) = (from.partition, wanted.0);
            return Err(VerifyError::Gone(format!(
                "{topic}/{partition}: record {wanted}; the log holds {low}..{high}"
            )));
        }
        Some(SourceEvent::TopicMissing { topic }) => return Err(VerifyError::Gone(format!("topic {topic}"))),
        Some(SourceEvent::Discovered { .. } | SourceEvent::End) => {}
    }
    Ok(true)
}

fn broken(e: &TailError, topics: &[String]) -> VerifyError {
    match e {
        TailError::LogChanged(changed @ LogChanged::Gone { .. }) => VerifyError::Gone(changed.describe(topics)),
        TailError::LogChanged(changed) => VerifyError::Differs(changed.describe(topics)),
        other => VerifyError::Differs(other.to_string()),
    }
}
