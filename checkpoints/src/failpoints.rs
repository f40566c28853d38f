//! Named places where a test makes the process die or an operation fail; nothing at all in a normal build.
//!
//! From outside (feature `failpoints`): `PERENNIAL_FAILPOINT="manifest.flushed=abort"`, `"file.renamed=error"`, or
//! `"file.renamed=abort:3"` for the third passing.

use crate::error::CheckpointError;

/// Every place, in the order in which a checkpoint and a prune pass them.
pub const NAMES: [&str; 13] = [
    "journal.written",
    "journal.synced",
    "letters.acknowledged",
    "file.written",
    "file.synced",
    "file.renamed",
    "blobs.synced",
    "manifest.written",
    "manifest.flushed",
    "manifest.synced",
    "checkpoint.told",
    "prune.manifests",
    "prune.blob",
];

#[cfg(not(any(test, feature = "failpoints")))]
#[inline(always)]
pub(crate) fn reach(_: &'static str) -> Result<(), CheckpointError> {
    Ok(())
}

#[cfg(any(test, feature = "failpoints"))]
pub(crate) use armed::reach;
#[cfg(test)]
pub(crate) use armed::{fail_from, never};

#[cfg(any(test, feature = "failpoints"))]
mod armed {
    use std::cell::RefCell;
    use std::io;

    use super::CheckpointError;

    thread_local! {
        /// (name=action, passings left before it strikes)
        static ARMED: RefCell<Option<(String, u32)>> = RefCell::new(from_environment());
    }

    fn from_environment() -> Option<(String, u32)> {
        let text = std::env::var("PERENNIAL_FAILPOINT").ok()?;
        match text.rsplit_once(':') {
            Some((rest, n)) => Some((rest.to_owned(), n.parse().expect("PERENNIAL_FAILPOINT ends with a number"))),
            None => Some((text, 1)),
        }
    }

    pub(crate) fn reach(name: &'static str) -> Result<(), CheckpointError> {
        ARMED.with_borrow_mut(|armed| {
            let Some((what, left)) = armed.as_mut() else { return Ok(()) };
            let Some(action) = what.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) else { return Ok(()) };
            *left = left.saturating_sub(1);
            match (*left, action) {
                (0, "abort") => std::process::abort(),
                (0, _) => Err(CheckpointError::Io { path: name.into(), source: io::Error::other("failpoint") }),
                _ => Ok(()),
            }
        })
    }

    /// On this thread, every passing of `name` fails from now on.
    #[cfg(test)]
    pub(crate) fn fail_from(name: &str) {
        ARMED.set(Some((format!("{name}=error"), 1)));
    }

    /// On this thread, nothing fails any more.
    #[cfg(test)]
    pub(crate) fn never() {
        ARMED.set(None);
    }
}
