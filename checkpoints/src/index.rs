//! The index of checkpoints, as the store needs it: manifests by model and version. It may be lost and rebuilt (the blobs
//! describe themselves); the engine is behind this.

use crate::error::CheckpointError;

/// A small database.
pub(crate) trait Index: Send {
    /// A model's manifests, by version.
    fn all(&self, model: &str) -> Result<Vec<(u64, Vec<u8>)>, CheckpointError>;

    /// Puts and removes in one transaction; durable when it returns. After an error either all of it has happened or none,
    /// and nobody knows which until it is opened again.
    fn write(&self, model: &str, put: &[(u64, Vec<u8>)], gone: &[u64]) -> Result<(), CheckpointError>;

    /// Closes and opens it; whether it was damaged, was moved aside and is empty now.
    fn reopen(&mut self) -> Result<bool, CheckpointError>;
}
