//! A model's state looked at without owning it: also while another process works on it.
//!
//! Only what describes itself is read (blobs, pins, journal), never the index, and nothing is written or locked. What a
//! process at work removes meanwhile is not there any more; what it has not finished is not seen.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blobs::{Blobs, OWN_FILE_FROM_BYTES};
use crate::checkpoint::Checkpoint;
use crate::disk::{Disk, RealDisk};
use crate::durable;
use crate::error::CheckpointError;
use crate::journal::{self, Entries, Entry};
use crate::pins::Pins;
use crate::record::Manifest;
use crate::state_dir;
use crate::store::Listed;

/// A model's checkpoints and journal, to be read.
pub struct Look {
    model: String,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    blobs: Blobs,
    kept: BTreeMap<u64, Manifest>,
}

impl Look {
    /// The models of a state folder, by name.
    ///
    /// # Errors
    /// There is no state of a known format, or it cannot be read.
    pub fn models(state: &Path) -> Result<Vec<String>, CheckpointError> {
        state_dir::check_existing(&RealDisk, state)?;
        state_dir::models_in(&RealDisk, state)
    }

    /// The state of a model as it is now.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn at(state: &Path, model: &str) -> Result<Self, CheckpointError> {
        if !Self::models(state)?.iter().any(|name| name == model) {
            return Err(CheckpointError::NoState { dir: state.join("models").join(model) });
        }
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let dir = state.join("models").join(model);
        let blobs = Blobs::open(Arc::clone(&disk), dir.join("blobs"), OWN_FILE_FROM_BYTES);
        let mut found = blobs.unnamed_manifests(&HashSet::new())?;
        // A version that was taken twice: the later one holds.
        found.sort_by_key(|manifest| manifest.created_at_ms);
        let kept = found.into_iter().filter(|m| m.model == model).map(|m| (m.version, m)).collect();
        Ok(Self { model: model.to_owned(), disk, dir, blobs, kept })
    }

    /// Whose it is.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Its checkpoints, oldest first; large sections are not looked at.
    ///
    /// # Errors
    /// The pins cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, CheckpointError> {
        let pins = Pins::of(Arc::clone(&self.disk), self.dir.clone()).all()?;
        let listed = |m: &Manifest| Listed { is_pinned: pins.contains(&m.version), manifest: m.clone() };
        Ok(self.kept.values().map(listed).collect())
    }

    /// The checkpoint of one version, every byte of it verified.
    ///
    /// # Errors
    /// There is none, or it does not verify.
    pub fn load(&mut self, version: u64) -> Result<Checkpoint, CheckpointError> {
        let missing = || CheckpointError::NoCheckpoint { model: self.model.clone(), version };
        let manifest = self.kept.get(&version).ok_or_else(missing)?.clone();
        self.blobs.load(&manifest)
    }

    /// The first entry of its journal (genesis).
    ///
    /// # Errors
    /// It cannot be read.
    pub fn first(&self) -> Result<Option<Entry>, CheckpointError> {
        journal::first_in(&self.disk, &self.dir.join("journal"))
    }

    /// The journal's entries whose `to` is above `version`.
    ///
    /// # Errors
    /// The place cannot be found.
    pub fn entries(&self, version: u64) -> Result<Entries, CheckpointError> {
        journal::entries_in(&self.disk, &self.dir.join("journal"), version)
    }

    /// Bytes of the journal's files.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn journal_bytes(&self) -> Result<u64, CheckpointError> {
        let dir = self.dir.join("journal");
        let length = |name: &String| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len());
        Ok(durable::names_in(&*self.disk, &dir)?.iter().map(length).sum())
    }
}
