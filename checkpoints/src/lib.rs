//! Durable state: the journal of what was folded, and checkpoints as named sections with a manifest.
//!
//! Knows neither learners nor Kafka: positions, decisions and sections are opaque bytes. One process owns a
//! [`StateDir`]; a model has a [`FileJournal`] and its checkpoints in the process's one store.

mod blobs;
mod bytes;
mod checkpoint;
mod disk;
mod durable;
mod error;
mod export;
pub mod failpoints;
mod file_store;
mod index;
mod journal;
mod look;
mod manifest;
mod pins;
pub mod protocol;
mod record;
mod retention;
mod segment;
#[cfg(test)]
mod simulation;
mod state_dir;
mod store;
#[cfg(test)]
mod worst_disk;

pub use blobs::OWN_FILE_FROM_BYTES;
pub use bytes::Hash;
pub use checkpoint::{Checkpoint, Section, Unchanged, hash_sections};
pub use error::CheckpointError;
pub use export::{Exported, export};
pub use file_store::FileStore;
pub use journal::{Entries, Entry, FileJournal, Journal};
pub use look::Look;
pub use record::{Manifest, SectionPlace};
pub use retention::{Candidate, Keep, retained};
pub use state_dir::StateDir;
pub use store::{CheckpointStore, Committed, Listed, Loaded, Pruned, Skipped};
