//! The journal's tail: what was folded after the checkpoint, to be folded again in the same order.

use checkpoints::CheckpointError;
use fold::{Entry, EntryError};
use thiserror::Error;

/// Why the journal cannot be followed.
#[derive(Debug, Error)]
pub enum TailError {
    /// Its file.
    #[error(transparent)]
    Journal(#[from] CheckpointError),
    /// Its content.
    #[error(transparent)]
    Entry(#[from] EntryError),
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

    /// The entry to fold next; `None` = the journal's end is reached.
    pub fn next(&self) -> Option<&Entry> {
        self.next.as_ref()
    }

    /// Goes on to the entry after it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn advance(&mut self) -> Result<(), TailError> {
        self.next = match self.entries.next() {
            Some(entry) => Some(Entry::decode(&entry?.payload)?),
            None => None,
        };
        Ok(())
    }
}
