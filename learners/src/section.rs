//! The saved form of a part of the state: a stable name, a version of its layout, and bytes.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// A named, versioned piece of saved state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Unique within its owner; never changes its meaning.
    pub name: String,
    /// The layout of the bytes; a new field is a new version.
    pub version: u16,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Why saved state cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// A section is not there.
    #[error("section {0} is missing")]
    Missing(String),
    /// A layout this release does not know.
    #[error("section {name} has layout {got}, this release reads {expected}")]
    Version {
        /// Its name.
        name: String,
        /// What this release reads.
        expected: u16,
        /// What came.
        got: u16,
    },
    /// Unreadable bytes.
    #[error("section {name}: {message}")]
    Corrupt {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
    },
}

impl Section {
    /// A section holding `state` in postcard form.
    pub fn of(name: &str, version: u16, state: &impl Serialize) -> Self {
        let bytes = postcard::to_stdvec(state).expect("plain data has a postcard form");
        Self { name: name.to_owned(), version, bytes }
    }

    /// Reads the section `name` of layout `version` out of `sections`.
    ///
    /// # Errors
    /// It is missing, of another layout, or unreadable.
    pub fn read<T: DeserializeOwned>(sections: &[Self], name: &str, version: u16) -> Result<T, RestoreError> {
        let section = sections.iter().find(|s| s.name == name).ok_or_else(|| RestoreError::Missing(name.to_owned()))?;
        if section.version != version {
            return Err(RestoreError::Version { name: name.to_owned(), expected: version, got: section.version });
        }
        postcard::from_bytes(&section.bytes)
            .map_err(|e| RestoreError::Corrupt { name: name.to_owned(), message: e.to_string() })
    }
}
