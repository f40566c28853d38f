//! Where checkpoints go and what comes back: the contract, behind which the engine can be another one.

use crate::checkpoint::Checkpoint;
use crate::error::CheckpointError;
use crate::record::Manifest;
use crate::retention::Keep;

/// Where checkpoints go.
pub trait CheckpointStore: Send + Sync {
    /// Takes a checkpoint; durable when it returns. The caller has synced the journal up to its version. One of the same
    /// version is replaced.
    ///
    /// # Errors
    /// No checkpoint was taken, all earlier ones are as they were. Nothing is ever pruned before a success.
    fn commit(&self, checkpoint: &Checkpoint) -> Result<Committed, CheckpointError>;

    /// The newest checkpoint that verifies, and which newer ones do not.
    ///
    /// # Errors
    /// The database cannot be read.
    fn latest(&self, model: &str) -> Result<Loaded, CheckpointError>;

    /// The checkpoint of one version.
    ///
    /// # Errors
    /// There is none, or it does not verify.
    fn at(&self, model: &str, version: u64) -> Result<Checkpoint, CheckpointError>;

    /// What is there, oldest first; content is not looked at.
    ///
    /// # Errors
    /// The database cannot be read.
    fn list(&self, model: &str) -> Result<Vec<Listed>, CheckpointError>;

    /// Keeps a version for ever, or no longer.
    ///
    /// # Errors
    /// There is none of this version, or the disk refuses.
    fn pin(&self, model: &str, version: u64, is_pinned: bool) -> Result<(), CheckpointError>;

    /// Removes what need not be kept; call it after a successful commit.
    ///
    /// # Errors
    /// Something may be left over: it goes with the next prune or at the next opening.
    fn prune(&self, model: &str, keep: &Keep) -> Result<Pruned, CheckpointError>;

    /// Removes all of a model's state: checkpoints, pins and journal. Its journal must be closed.
    ///
    /// # Errors
    /// The disk refuses.
    fn remove(&self, model: &str) -> Result<(), CheckpointError>;
}

/// A checkpoint was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Of which version.
    pub version: u64,
    /// Bytes and files written, the database left out; sections that had not changed are not in it.
    pub bytes_written: u64,
    /// Files.
    pub files_written: u32,
    /// fsyncs that it took.
    pub syncs: u32,
}

/// What [`CheckpointStore::latest`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// `None` = there is none that verifies: begin at genesis.
    pub checkpoint: Option<Checkpoint>,
    /// Newer ones that do not verify, newest first.
    pub skipped: Vec<Skipped>,
}

/// A checkpoint that does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its version.
    pub version: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The checkpoint's manifest.
    pub manifest: Manifest,
    /// Kept for ever.
    pub is_pinned: bool,
}

/// What [`CheckpointStore::prune`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Versions removed, ascending.
    pub versions: Vec<u64>,
    /// Blob files removed.
    pub files: usize,
}
