//! The journal's tail: what was folded after the checkpoint, to be folded again in the same order.

use std::ops::Range;

use checkpoints::{CheckpointError, Entries, Entry as Frame};
use features::Record;
use fold::{Decision, Entry, EntryError, digest};
use thiserror::Error;

use super::order::{LogChanged, Order};

/// Why the journal cannot be followed.
#[derive(Debug, Error)]
pub enum TailError {
    /// Its file.
    #[error(transparent)]
    Journal(#[from] CheckpointError),
    /// Its content.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// Compaction has taken it away.
    #[error("the journal before version {0} is gone: compaction has left what the oldest checkpoint needs")]
    Compacted(u64),
    /// The log is not the one that was learned from.
    #[error(transparent)]
    LogChanged(#[from] LogChanged),
}

/// What a frame of the journal says.
///
/// # Errors
/// It is unreadable, or what compaction has left in the place of many.
pub fn entry_of(frame: &Frame) -> Result<Entry, TailError> {
    match frame.payload.is_empty() {
        true => Err(TailError::Compacted(frame.to)),
        false => Ok(Entry::decode(&frame.payload)?),
    }
}

/// What to do next to follow the journal.
#[derive(Debug)]
pub enum Step {
    /// Fold this decision.
    Decide(Decision),
    /// Fold these records; they are those that were folded before.
    Fold(Vec<Record>),
    /// Go on at this version: the records before it are left out, by a decision further on.
    Skip(u64),
    /// Read more records first.
    Wait,
    /// The journal's end is reached.
    End,
}

/// Entries to fold again, read as they are needed.
pub struct Tail {
    entries: Entries,
    next: Option<(Entry, Range<u64>)>,
    /// Versions whose records are left out.
    left_out: Vec<Range<u64>>,
}

impl Tail {
    /// The entries of a journal after a version; of those in `left_out` the decisions alone.
    ///
    /// # Errors
    /// The first one cannot be read.
    pub fn new(entries: Entries, left_out: Vec<Range<u64>>) -> Result<Self, TailError> {
        let mut tail = Self { entries, next: None, left_out };
        tail.advance()?;
        Ok(tail)
    }

    /// Whether the journal's end is reached.
    pub fn is_done(&self) -> bool {
        self.next.is_none()
    }

    /// The records of these versions are left out from here on.
    pub fn leave_out(&mut self, versions: Range<u64>) {
        self.left_out.push(versions);
    }

    /// The next step, its records taken out of `order`.
    ///
    /// # Errors
    /// The journal cannot be read, or the log is not the one it was written along.
    pub fn step(&mut self, order: &mut Order) -> Result<Step, TailError> {
        let step = match &self.next {
            None => return Ok(Step::End),
            Some((Entry::Genesis { .. }, _)) => {
                self.advance()?;
                return self.step(order);
            }
            Some((Entry::Decided { decision, .. }, _)) => Step::Decide(decision.clone()),
            Some((Entry::Records { .. }, at)) if self.left_out.iter().any(|range| range.contains(&at.start)) => {
                Step::Skip(at.end)
            }
            Some((Entry::Records { runs, digest: expected }, _)) => match order.by_journal(runs)? {
                None => return Ok(Step::Wait),
                Some(batch) if digest(&batch) != *expected => {
                    return Err(LogChanged::Differs { runs: runs.clone() }.into());
                }
                Some(batch) => Step::Fold(batch),
            },
        };
        self.advance()?;
        Ok(step)
    }

    fn advance(&mut self) -> Result<(), TailError> {
        self.next = match self.entries.next() {
            Some(frame) => {
                let frame = frame?;
                Some((entry_of(&frame)?, frame.from..frame.to))
            }
            None => None,
        };
        Ok(())
    }
}
