//! The saved form of a part of the state: a stable name, a version of its layout, and bytes.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::Learner;

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

    /// Saves a part that is a learner itself: its sections, their names behind `prefix`.
    pub(crate) fn nest(prefix: &str, part: &impl Learner, out: &mut Vec<Self>) {
        let from = out.len();
        part.save(out);
        out[from..].iter_mut().for_each(|section| section.name.insert_str(0, prefix));
    }

    /// Restores a part that was saved behind `prefix`.
    pub(crate) fn unnest(prefix: &str, part: &mut impl Learner, sections: &[Self]) -> Result<(), RestoreError> {
        let own = |s: &Self| Some(Self { name: s.name.strip_prefix(prefix)?.to_owned(), ..s.clone() });
        let own: Vec<_> = sections.iter().filter_map(own).collect();
        part.restore(&own).map_err(|error| error.behind(prefix))
    }
}

impl RestoreError {
    /// The same of a section whose name stands behind `prefix`.
    fn behind(self, prefix: &str) -> Self {
        let long = |name: String| format!("{prefix}{name}");
        match self {
            Self::Missing(name) => Self::Missing(long(name)),
            Self::Version { name, expected, got } => Self::Version { name: long(name), expected, got },
            Self::Corrupt { name, message } => Self::Corrupt { name: long(name), message },
        }
    }
}
