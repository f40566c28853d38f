//! Durable state: the journal of what was folded, and checkpoints as named sections with a manifest.
//!
//! Knows neither learners nor Kafka: positions, decisions and sections are opaque bytes. One process owns a
//! [`StateDir`]; a model has a [`FileJournal`] and its checkpoints in the process's one store.

mod bytes;
mod durable;
mod error;
pub mod failpoints;
mod journal;
mod segment;
mod state_dir;

pub use bytes::Hash;
pub use error::CheckpointError;
pub use journal::{Entries, Entry, FileJournal, Journal};
pub use state_dir::StateDir;
