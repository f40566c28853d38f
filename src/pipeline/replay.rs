//! The journal's tail: what was folded after the checkpoint, to be folded again in the same order.

use checkpoints::CheckpointError;
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
    /// The log is not the one that was learned from.
    #[error(transparent)]
    LogChanged(#[from] LogChanged),
}

/// What to do next to follow the journal.
#[derive(Debug)]
pub enum Step {
    /// Fold this decision.
    Decide(Decision),
    /// Fold these records; they are those that were folded before.
    Fold(Vec<Record>),
    /// Read more records first.
    Wait,
    /// The journal's end is reached.
    End,
}

/// Entries to fold again, read as they are needed.
pub struct Tail {
    entries: Box<dyn Iterator<Item = Result<checkpoints::Entry, CheckpointError>> + Send>,
    next: Option<Entry>,
}

impl Tail {
    /// The entries of a journal after a version.
    ///
    /// # Errors
    /// The first one cannot be read.
    pub fn new(
        entries: impl Iterator<Item = Result<checkpoints::Entry, CheckpointError>> + Send + 'static,
    ) -> Result<Self, TailError> {
        let mut tail = Self { entries: Box::new(entries), next: None };
        tail.advance()?;
        Ok(tail)
    }

    /// Whether the journal's end is reached.
    pub fn is_done(&self) -> bool {
        self.next.is_none()
    }

    /// The next step, its records taken out of `order`.
    ///
    /// # Errors
    /// The journal cannot be read, or the log is not the one it was written along.
    pub fn step(&mut self, order: &mut Order) -> Result<Step, TailError> {
        let step = match &self.next {
            None => return Ok(Step::End),
            Some(Entry::Genesis { .. }) => {
                self.advance()?;
                return self.step(order);
            }
            Some(Entry::Decided { decision, .. }) => Step::Decide(decision.clone()),
            Some(Entry::Records { runs, digest: expected }) => match order.by_journal(runs)? {
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
            Some(entry) => Some(Entry::decode(&entry?.payload)?),
            None => None,
        };
        Ok(())
    }
}
