//! The commit protocol: all of its steps, in their order. A crash between any two of them costs time and nothing else.
//!
//! ```text
//! a group of batches   1 entries appended · 2 journal synced · only now anything that comes of them leaves the process
//! a checkpoint         3 journal synced up to its version · 4 what was sent (dead letters, predictions, scores)
//!                      acknowledged · 5 blobs · 6 manifest · 7 told (Kafka's offsets, for lag tools) · 8 pruned
//!                      · 9 the journal compacted, if it is to be
//! ```
//! Up to step 6 an error means: no checkpoint was taken, all earlier ones are as they were. After it the checkpoint stands.
//! Every step is a failpoint ([`crate::failpoints`]); `simulation.rs` runs it on the worst disk there is.

use std::collections::VecDeque;

use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::error::CheckpointError;
use crate::failpoints;
use crate::file_store::Inner;
use crate::journal::{Entry, Journal};
use crate::retention::Keep;
use crate::store::{CheckpointStore, Committed, Pruned};

/// Steps 1 and 2. What was appended is taken off `entries`; after an error call it again, nothing is lost or doubled.
///
/// # Errors
/// The journal's: nothing of this group may leave the process yet.
pub fn journal_group(journal: &mut dyn Journal, entries: &mut VecDeque<Entry>) -> Result<(), CheckpointError> {
    while let Some(entry) = entries.front() {
        journal.append(entry)?;
        entries.pop_front();
    }
    journal.sync()?;
    failpoints::reach("journal.synced")
}

/// Why no checkpoint was taken.
#[derive(Debug, Error)]
pub enum NotTaken<E> {
    /// What was sent before it is not all acknowledged.
    #[error("{0}")]
    Unacknowledged(E),
    /// It could not be made durable.
    #[error(transparent)]
    State(#[from] CheckpointError),
    /// The journal does not reach it: it could not be folded on from.
    #[error("the journal ends at version {end}")]
    AheadOfJournal {
        /// The journal's end.
        end: u64,
    },
}

/// A checkpoint was taken.
#[derive(Debug)]
pub struct Taken {
    /// What it cost.
    pub committed: Committed,
    /// What was removed after it, the journal's entries not counted; an error leaves something over for the next time.
    pub pruned: Result<Pruned, CheckpointError>,
}

/// Steps 3 to 9. `acknowledge` returns once every record sent of the versions before the checkpoint is acknowledged;
/// `tell` hears of a checkpoint that stands.
///
/// # Errors
/// No checkpoint was taken; the next one may be.
pub fn take<E>(
    checkpoint: &Checkpoint,
    journal: &mut dyn Journal,
    acknowledge: impl FnOnce() -> Result<(), E>,
    store: &dyn CheckpointStore,
    tell: impl FnOnce(),
    keep: &Keep,
) -> Result<Taken, NotTaken<E>> {
    journal.sync()?;
    if journal.end() < checkpoint.version {
        return Err(NotTaken::AheadOfJournal { end: journal.end() });
    }
    acknowledge().map_err(NotTaken::Unacknowledged)?;
    failpoints::reach("letters.acknowledged")?;
    let committed = store.commit(checkpoint)?;
    tell();
    let told = failpoints::reach("checkpoint.told");
    Ok(Taken { committed, pruned: told.and_then(|()| prune(&checkpoint.model, journal, store, keep)) })
}

/// Steps 8 and 9.
fn prune(
    model: &str,
    journal: &mut dyn Journal,
    store: &dyn CheckpointStore,
    keep: &Keep,
) -> Result<Pruned, CheckpointError> {
    let pruned = store.prune(model, keep)?;
    if keep.compact
        && let Some(oldest) = store.list(model)?.first()
    {
        journal.compact(oldest.manifest.version)?;
    }
    Ok(pruned)
}

/// Steps 5 and 6, inside the store.
pub(crate) fn commit(store: &mut Inner, checkpoint: &Checkpoint, parent: Option<u64>) -> Result<(), CheckpointError> {
    // Temporary name, content, fsync, rename; then one fsync of their folder.
    let manifest = store.blobs(&checkpoint.model)?.write(checkpoint, parent)?;
    failpoints::reach("blobs.synced")?;
    // Transaction, flush, fsync of the database's file.
    store.put(&manifest)
}
