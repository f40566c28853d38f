//! Versions that are kept for ever: an empty file each, so that they outlive the database.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::{Disk, How};
use crate::durable;
use crate::error::CheckpointError;

/// The pins of one model.
pub(crate) struct Pins {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl Pins {
    pub(crate) fn of(disk: Arc<dyn Disk>, model_dir: PathBuf) -> Self {
        Self { disk, dir: model_dir.join("pins") }
    }

    pub(crate) fn all(&self) -> Result<BTreeSet<u64>, CheckpointError> {
        Ok(durable::names_in(&*self.disk, &self.dir)?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    pub(crate) fn set(&self, version: u64, is_pinned: bool) -> Result<(), CheckpointError> {
        durable::make_folder(&*self.disk, &self.dir)?;
        let path = self.dir.join(version.to_string());
        if is_pinned {
            self.disk.open(&path, How::Create).map_err(CheckpointError::io(&path))?;
        } else {
            durable::remove_file(&*self.disk, &path)?;
        }
        durable::sync_folder(&*self.disk, &self.dir)
    }
}
