//! The state folder: who owns it, of which format it is, where a model's part lies.
//!
//! ```text
//! FORMAT            "perennial state 1"
//! LOCK              held by the process that owns all models in here
//! manifests/        the database of manifests
//! models/M/journal/ segments        models/M/blobs/  sections        models/M/pins/  versions kept for ever
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::disk::{Disk, Lock, RealDisk};
use crate::durable;
use crate::error::CheckpointError;

const FORMAT: &str = "perennial state 1";
/// A process that was killed holds its lock until the kernel has taken it apart, and a child holds its parent's from fork
/// to exec: a second is given to both.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Folders on their way out begin with it.
const REMOVED: &str = ".removed-";

/// An open state folder; it stays locked while any clone lives.
#[derive(Clone, Debug)]
pub struct StateDir {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    _lock: Arc<Lock>,
}

impl StateDir {
    /// Takes the folder, making it if it is not there.
    ///
    /// # Errors
    /// Another process holds it (and did for a second), it is of an unknown format, or the file system refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        Self::open_on(Arc::new(RealDisk), path.as_ref())
    }

    pub(crate) fn open_on(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, CheckpointError> {
        durable::make_folder(&*disk, path)?;
        let lock = take_lock(&*disk, path, || thread::sleep(LOCK_PAUSE))?;
        check_format(&*disk, path)?;
        let dir = Self { path: path.to_owned(), disk, _lock: Arc::new(lock) };
        dir.settle()?;
        dir.finish_removals()?;
        Ok(dir)
    }

    /// Takes a folder that must hold state already (to look at it, to verify it).
    ///
    /// # Errors
    /// As [`StateDir::open`]; also if nothing was ever saved there.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        check_existing(&RealDisk, path.as_ref())?;
        Self::open(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The models with a folder here, by name.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn models(&self) -> Result<Vec<String>, CheckpointError> {
        models_in(&*self.disk, &self.path)
    }

    /// A model's folder (which need not be there).
    ///
    /// # Errors
    /// The name cannot be a folder's.
    pub fn model_dir(&self, model: &str) -> Result<PathBuf, CheckpointError> {
        if !is_model_name(model) {
            return Err(CheckpointError::ModelName(model.to_owned()));
        }
        Ok(self.path.join("models").join(model))
    }

    /// Takes a model's folder away with all that is in it; whole or not at all.
    pub(crate) fn remove_model_dir(&self, model: &str) -> Result<(), CheckpointError> {
        let dir = self.model_dir(model)?;
        if self.disk.is_folder(&dir) {
            let out = self.path.join("models").join(format!("{REMOVED}{model}"));
            self.disk.rename(&dir, &out).map_err(CheckpointError::io(&dir))?;
            durable::sync_folder(&*self.disk, &self.path.join("models"))?;
        }
        self.finish_removals()
    }

    /// Makes durable the names of the folders that are there: a process that was killed may not have come to it, and what
    /// is fsynced inside a folder is lost with the folder.
    fn settle(&self) -> Result<(), CheckpointError> {
        let disk = &*self.disk;
        durable::sync_folder(disk, &self.path)?;
        let models = self.path.join("models");
        if disk.is_folder(&models) {
            durable::sync_folder(disk, &models)?;
            for model in self.models()? {
                durable::sync_folder(disk, &models.join(model))?;
            }
        }
        Ok(())
    }

    fn finish_removals(&self) -> Result<(), CheckpointError> {
        let models = self.path.join("models");
        for name in durable::names_in(&*self.disk, &models)?.iter().filter(|n| n.starts_with(REMOVED)) {
            let path = models.join(name);
            self.disk.remove_folder(&path).map_err(CheckpointError::io(&path))?;
        }
        Ok(())
    }
}

/// Whether the folder holds state of the format that this release reads; makes nothing.
pub(crate) fn check_existing(disk: &dyn Disk, dir: &Path) -> Result<(), CheckpointError> {
    if !disk.is_file(&dir.join("FORMAT")) {
        return Err(CheckpointError::NoState { dir: dir.to_owned() });
    }
    check_format(disk, dir)
}

pub(crate) fn models_in(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>, CheckpointError> {
    let mut names = durable::names_in(disk, &dir.join("models"))?;
    names.retain(|n| is_model_name(n));
    Ok(names)
}

fn take_lock(disk: &dyn Disk, dir: &Path, mut pause: impl FnMut()) -> Result<Lock, CheckpointError> {
    let path = dir.join("LOCK");
    for _ in 0..LOCK_TRIES {
        match disk.lock(&path).map_err(CheckpointError::io(&path))? {
            Some(lock) => return Ok(lock),
            None => pause(),
        }
    }
    Err(CheckpointError::Held { dir: dir.to_owned() })
}

fn is_model_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn check_format(disk: &dyn Disk, dir: &Path) -> Result<(), CheckpointError> {
    let path = dir.join("FORMAT");
    if !disk.is_file(&path) {
        durable::write_whole(disk, &path, &[FORMAT.as_bytes(), b"\n"])?;
        return durable::sync_folder(disk, dir);
    }
    let found = durable::read(disk, &path)?;
    if found == format!("{FORMAT}\n").as_bytes() {
        return Ok(());
    }
    let found = String::from_utf8_lossy(&found[..found.len().min(80)]).trim_end().to_owned();
    Err(CheckpointError::Format { path, found, expected: FORMAT.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_second_owner_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("deep/state");
        let first = StateDir::open(&state).unwrap();
        let copy = first.clone();
        drop(first);
        let refused = StateDir::open(&state).unwrap_err().to_string();
        assert!(refused.starts_with("another perennial process holds ") && refused.contains("deep/state"), "{refused}");
        drop(copy);
        StateDir::open_existing(&state).unwrap();
    }

    #[test]
    fn an_owner_on_its_way_out_is_waited_for_but_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let mut owner = Some(StateDir::open(dir.path()).unwrap());
        let mut pauses = 0;
        assert!(matches!(take_lock(&RealDisk, dir.path(), || pauses += 1), Err(CheckpointError::Held { .. })));
        assert_eq!(pauses, LOCK_TRIES);
        take_lock(&RealDisk, dir.path(), || drop(owner.take())).unwrap();
    }

    #[test]
    fn looking_makes_nothing_and_unknown_formats_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(StateDir::open_existing(dir.path()), Err(CheckpointError::NoState { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        fs::write(dir.path().join("FORMAT"), "perennial state 2\n").unwrap();
        let error = StateDir::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("\"perennial state 2\"") && error.contains("\"perennial state 1\""), "{error}");
    }

    #[test]
    fn names_stay_inside_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        for bad in ["", "..", ".x", "a/b", "ä", "a b", &"x".repeat(129)] {
            assert!(matches!(state.model_dir(bad), Err(CheckpointError::ModelName(_))), "{bad}");
        }
        assert!(state.model_dir("air-quality_2.b").is_ok());
    }
}
