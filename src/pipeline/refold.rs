//! Folds the log again along the journal, away from any trainer: to prove a checkpoint, or to find a past version.

use std::time::{Duration, Instant};

use checkpoints::{CheckpointError, Entries, Look};
use features::Record;
use fold::{Chunk, Decision, Entry, Fold, digest, runs_of};
use streams::{Source, SourceError, SourceEvent};
use thiserror::Error;

use super::ahead::Ahead;
use super::convert::from_store;
use super::meta::Meta;
use super::order::{LogChanged, Order};
use super::replay::{Step, Tail, TailError};
use super::trainer::MakeSource;
use super::{Genesis, OpenError, genesis_of};

/// Without anything new from the log for so long, it is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// Why the log was not folded again.
#[derive(Debug, Error)]
pub enum RefoldError {
    /// The state folder.
    #[error(transparent)]
    State(#[from] CheckpointError),
    /// The state is not one to fold.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The model has no journal.
    #[error("there is no journal")]
    NoJournal,
    /// The log or journal needed is gone.
    #[error("the input needed is gone: {0}")]
    Gone(String),
    /// It came out otherwise.
    #[error("{0}")]
    Differs(String),
}

impl From<SourceError> for RefoldError {
    fn from(e: SourceError) -> Self {
        Self::Gone(e.to_string())
    }
}

/// A fold on its way along the journal.
pub struct Refold {
    /// The state reached.
    pub fold: Fold,
    /// Whether records before it were left out because they are gone: it is not what was saved there.
    pub is_left_out: bool,
    topics: Vec<String>,
    tail: Tail,
    order: Order,
    chunk: Chunk,
    source: Box<dyn Source>,
}

impl Refold {
    /// From genesis.
    ///
    /// # Errors
    /// There is no journal, or nothing to read.
    pub fn from_genesis(look: &Look, make_source: &mut MakeSource) -> Result<Self, RefoldError> {
        let Genesis { config, start, fold_version } = began(look)?;
        same_fold(0, fold_version)?;
        Self::new(Fold::genesis(config, start).map_err(OpenError::from)?, look, make_source)
    }

    /// From a kept checkpoint.
    ///
    /// # Errors
    /// It does not verify, or there is nothing to read.
    pub fn from_checkpoint(look: &mut Look, version: u64, make_source: &mut MakeSource) -> Result<Self, RefoldError> {
        let (checkpoint, began) = (look.load(version)?, began(look)?);
        same_fold(version, Meta::decode(&checkpoint.meta).made_by(began.fold_version))?;
        let fold = Fold::restore(began.config, &from_store(checkpoint.sections))
            .map_err(|reason| OpenError::Restore { version, reason })?;
        Self::new(fold, look, make_source)
    }

    fn new(fold: Fold, look: &Look, make_source: &mut MakeSource) -> Result<Self, RefoldError> {
        let entries = |fold: &Fold| -> Result<Entries, CheckpointError> { look.entries(fold.version()) };
        let ahead = Ahead::of(&fold, entries(&fold)?).map_err(|e| broken(&e, &[]))?;
        let topics = ahead.config.topics;
        let tail = Tail::new(entries(&fold)?, ahead.left_out).map_err(|e| broken(&e, &topics))?;
        let mut source = make_source(true)?;
        let begin: Vec<_> = fold.position().iter().map(|(from, next)| (*from, *next)).collect();
        source.assign(&begin)?;
        let (order, chunk) = (Order::new(SILENCE), Chunk::default());
        Ok(Self { fold, is_left_out: false, topics, tail, order, chunk, source })
    }

    /// Folds on to `version`; `seen` looks at the state after every entry. An entry that goes beyond is folded in part:
    /// what it would be if it ended there is returned.
    ///
    /// # Errors
    /// The input is gone, or is not what was learned from, or `seen` says so.
    pub fn to(
        &mut self,
        version: u64,
        mut seen: impl FnMut(&Self) -> Result<(), RefoldError>,
    ) -> Result<Option<Entry>, RefoldError> {
        let mut heard = Instant::now();
        while self.fold.version() < version {
            match self.tail.step(&mut self.order).map_err(|e| broken(&e, &self.topics))? {
                Step::End => {
                    return Err(RefoldError::Gone(format!("the journal ends at version {}", self.fold.version())));
                }
                Step::Fold(batch) => {
                    let most = usize::try_from(version - self.fold.version()).unwrap_or(usize::MAX);
                    if let Some(part) = batch.get(..most).filter(|part| part.len() < batch.len()) {
                        let entry = Entry::Records { runs: runs_of(part, self.fold.position()), digest: digest(part) };
                        self.learn(part);
                        return Ok(Some(entry));
                    }
                    self.learn(&batch);
                    self.is_left_out = false;
                }
                Step::Skip(to) => {
                    self.fold.skip_to(to);
                    self.is_left_out = true;
                }
                Step::Decide(decision) => {
                    self.fold.decide(&decision);
                    match decision {
                        Decision::AddPartition { from, start: next } => self.source.assign(&[(from, next)])?,
                        Decision::AcceptGap { from, next, .. } => {
                            self.is_left_out = false;
                            self.source.assign(&[(from, next)])?;
                        }
                        _ => {}
                    }
                }
                Step::Wait => {
                    if self.take_in()? {
                        heard = Instant::now();
                    } else if heard.elapsed() > SILENCE {
                        return Err(RefoldError::Gone(format!("the log is silent at version {}", self.fold.version())));
                    }
                    continue;
                }
            }
            seen(self)?;
        }
        Ok(None)
    }

    fn learn(&mut self, records: &[Record]) {
        self.fold.decode(records, &mut self.chunk);
        self.fold.train(&mut self.chunk);
    }

    /// Whether something came.
    fn take_in(&mut self) -> Result<bool, RefoldError> {
        match self.source.poll(Duration::from_millis(200))? {
            None => return Ok(false),
            Some(SourceEvent::Records(records)) => self.order.push(records),
            Some(SourceEvent::CaughtUp { from, next }) => self.order.caught_up(from, next),
            Some(SourceEvent::Gap { from, wanted, low, high }) => {
                let topic = self.topics.get(usize::from(from.topic.0)).map_or("?", String::as_str);
                let (partition, wanted) = (from.partition, wanted.0);
                return Err(RefoldError::Gone(format!(
                    "{topic}/{partition}: record {wanted}; the log holds {low}..{high}"
                )));
            }
            Some(SourceEvent::TopicMissing { topic }) => return Err(RefoldError::Gone(format!("topic {topic}"))),
            Some(SourceEvent::End) => {
                return Err(RefoldError::Gone(format!("the files end at version {}", self.fold.version())));
            }
            Some(SourceEvent::Discovered { .. }) => {}
        }
        Ok(true)
    }
}

fn began(look: &Look) -> Result<Genesis, RefoldError> {
    let first = look.first()?.ok_or(RefoldError::NoJournal)?;
    Ok(genesis_of(look.model(), &first)?)
}

/// What another release has folded does not come out the same by this one's rules.
fn same_fold(version: u64, made_by: u32) -> Result<(), RefoldError> {
    if made_by == fold::FOLD_VERSION {
        return Ok(());
    }
    let now = fold::FOLD_VERSION;
    Err(RefoldError::Gone(format!(
        "what follows version {version} was folded by fold version {made_by}, this release is {now}"
    )))
}

fn broken(e: &TailError, topics: &[String]) -> RefoldError {
    match e {
        TailError::Compacted(_) => RefoldError::Gone(e.to_string()),
        TailError::LogChanged(changed @ LogChanged::Gone { .. }) => RefoldError::Gone(changed.describe(topics)),
        TailError::LogChanged(changed) => RefoldError::Differs(changed.describe(topics)),
        other => RefoldError::Differs(other.to_string()),
    }
}
