//! Versions that are kept for ever: an empty file each, so that they outlive the database.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;

use crate::durable;
use crate::error::CheckpointError;

/// The pins of one model.
pub(crate) struct Pins {
    dir: PathBuf,
}

impl Pins {
    pub(crate) fn of(model_dir: PathBuf) -> Self {
        Self { dir: model_dir.join("pins") }
    }

    pub(crate) fn all(&self) -> Result<BTreeSet<u64>, CheckpointError> {
        Ok(durable::names_in(&self.dir)?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    pub(crate) fn set(&self, version: u64, is_pinned: bool) -> Result<(), CheckpointError> {
        durable::make_folder(&self.dir)?;
        let path = self.dir.join(version.to_string());
        if is_pinned {
            File::create(&path).map_err(CheckpointError::io(&path))?;
        } else {
            durable::remove_file(&path)?;
        }
        durable::sync_folder(&self.dir)
    }
}
