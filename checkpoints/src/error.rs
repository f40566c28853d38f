//! Why durable state cannot be opened, read or written.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Everything that can go wrong here. Before the manifest's commit an error means: no checkpoint was taken.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The folder's lock is taken.
    #[error("another perennial process holds {}: stop it first, or ask it over HTTP", dir.display())]
    Held {
        /// The state folder.
        dir: PathBuf,
    },
    /// Nothing was ever saved there.
    #[error("{} holds no perennial state", dir.display())]
    NoState {
        /// The folder.
        dir: PathBuf,
    },
    /// A format that this release does not know.
    #[error("{} is of the format {found:?}, this release reads {expected:?}", path.display())]
    Format {
        /// Where it stands.
        path: PathBuf,
        /// What stands there.
        found: String,
        /// What this release reads.
        expected: String,
    },
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// Saved bytes are not what was written.
    #[error("{} is damaged at byte {byte}: {message}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it, from 0.
        byte: u64,
        /// What is wrong.
        message: String,
    },
    /// A journal entry that does not follow on what is there.
    #[error("the journal ends at {end}, an entry {from}..{to} does not follow")]
    NotContiguous {
        /// Where the journal ends.
        end: u64,
        /// The entry's first version.
        from: u64,
        /// Its last.
        to: u64,
    },
    /// A model's name becomes a folder's.
    #[error("the model name {0:?} is not made of 1 to 128 letters, digits, '-', '_' and '.' (not first)")]
    ModelName(String),
    /// It would be overwritten.
    #[error("the state folder has a model {0} already: reset it first, or give the new one another name")]
    ModelExists(String),
    /// More bytes than the format takes.
    #[error("{what} has {bytes} bytes, at most {limit} can be saved")]
    TooLarge {
        /// What.
        what: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Two sections of one name.
    #[error("the section {0} comes twice in one checkpoint")]
    DuplicateSection(String),
    /// A section that was not given, because the store was to have it, and that it has not: give it whole.
    #[error("the section {0} is not in the store as it was to be")]
    NotStored(String),
    /// The manifests' database, after limited tries.
    #[error("the manifest database: {0}")]
    Database(String),
    /// A checkpoint that was never taken, or was pruned.
    #[error("{model} has no checkpoint of version {version}")]
    NoCheckpoint {
        /// The model.
        model: String,
        /// The version asked for.
        version: u64,
    },
}

impl CheckpointError {
    /// Puts the path to an error of the file system.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Whether the disk refused, which it may not do the next time; nothing is known to be damaged or gone.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() != io::ErrorKind::NotFound)
    }

    pub(crate) fn corrupt(path: &Path, byte: u64, message: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), byte, message: message.into() }
    }
}
