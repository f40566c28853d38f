//! Checkpoints in files and a database: taken in one order of steps, verified when loaded, pruned only after a success.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::blobs::{Blobs, OWN_FILE_FROM_BYTES};
use crate::bytes::Hash;
use crate::checkpoint::Checkpoint;
use crate::durable;
use crate::error::CheckpointError;
use crate::failpoints;
use crate::index::Index;
use crate::manifest::Manifests;
use crate::pins::Pins;
use crate::protocol;
use crate::record::Manifest;
use crate::retention::{Candidate, Keep, retained};
use crate::state_dir::StateDir;
use crate::store::{CheckpointStore, Committed, Listed, Loaded, Pruned, Skipped};

/// How often a write to the database is tried, reopening it in between.
const WRITE_TRIES: u32 = 3;
/// Longer manifests stay out of the database, which is made for small values: it names the pack that they end.
const IN_DATABASE_BYTES: usize = 32 << 10;

/// Manifests by version, or what is wrong with one.
type Known = Vec<(u64, Result<Manifest, String>)>;

/// The store of one state folder, for all its models.
pub struct FileStore {
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    state: StateDir,
    index: Box<dyn Index>,
    own_file_from_bytes: usize,
    blobs: BTreeMap<String, Blobs>,
    damaged: BTreeSet<(String, u64)>,
}

impl FileStore {
    /// Opens it: rebuilds manifests that the database has lost, removes what a crash left over.
    ///
    /// # Errors
    /// The file system or the database refuses.
    pub fn open(state: &StateDir) -> Result<Self, CheckpointError> {
        let index = Box::new(Manifests::open(state.path().join("manifests"))?);
        Self::open_with(state, index, OWN_FILE_FROM_BYTES)
    }

    pub(crate) fn open_with(
        state: &StateDir,
        index: Box<dyn Index>,
        own_file_from_bytes: usize,
    ) -> Result<Self, CheckpointError> {
        let state = state.clone();
        let mut inner = Inner { state, index, own_file_from_bytes, blobs: BTreeMap::new(), damaged: BTreeSet::new() };
        let state = inner.state.clone();
        for model in state.models()? {
            inner.adopt(&model)?;
            inner.sweep(&model)?;
        }
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// Every step leaves files and database whole, so a panic of another thread does no harm.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CheckpointStore for FileStore {
    /// Steps 5 and 6 of the protocol.
    fn commit(&self, checkpoint: &Checkpoint) -> Result<Committed, CheckpointError> {
        checkpoint.check()?;
        let (model, version) = (&checkpoint.model, checkpoint.version);
        let mut inner = self.lock();
        let syncs = durable::syncs();
        let parent = inner.versions(model)?.into_iter().rfind(|v| *v != version);
        inner.blobs(model)?.written = (0, 0);
        protocol::commit(&mut inner, checkpoint, parent)?;
        let (bytes_written, files_written) = inner.blobs(model)?.written;
        Ok(Committed { version, bytes_written, files_written, syncs: durable::syncs() - syncs })
    }

    fn latest(&self, model: &str) -> Result<Loaded, CheckpointError> {
        let mut inner = self.lock();
        let mut skipped = Vec::new();
        for version in inner.versions(model)?.into_iter().rev() {
            match inner.load(model, version) {
                Ok(checkpoint) => return Ok(Loaded { checkpoint: Some(checkpoint), skipped }),
                Err(e) => {
                    tracing::error!(model, version, reason = %e, "a checkpoint does not verify: an older one is tried");
                    skipped.push(Skipped { version, reason: e.to_string() });
                }
            }
        }
        Ok(Loaded { checkpoint: None, skipped })
    }

    fn at(&self, model: &str, version: u64) -> Result<Checkpoint, CheckpointError> {
        self.lock().load(model, version)
    }

    fn list(&self, model: &str) -> Result<Vec<Listed>, CheckpointError> {
        let mut inner = self.lock();
        let pins = inner.pins(model)?.all()?;
        let readable = inner.manifests(model)?.into_iter().filter_map(|(_, manifest)| manifest.ok());
        Ok(readable.map(|m| Listed { is_pinned: pins.contains(&m.version), manifest: m }).collect())
    }

    fn pin(&self, model: &str, version: u64, is_pinned: bool) -> Result<(), CheckpointError> {
        let mut inner = self.lock();
        if !inner.versions(model)?.contains(&version) {
            return Err(CheckpointError::NoCheckpoint { model: model.to_owned(), version });
        }
        inner.pins(model)?.set(version, is_pinned)
    }

    fn prune(&self, model: &str, keep: &Keep) -> Result<Pruned, CheckpointError> {
        let mut inner = self.lock();
        let stay = retained(&inner.candidates(model)?, keep);
        let versions: Vec<u64> = inner.versions(model)?.into_iter().filter(|v| !stay.contains(v)).collect();
        if !versions.is_empty() {
            inner.write(model, &[], &versions)?;
        }
        failpoints::reach("prune.manifests")?;
        inner.damaged.retain(|(m, v)| m != model || stay.contains(v));
        Ok(Pruned { versions, files: inner.sweep(model)? })
    }

    fn remove(&self, model: &str) -> Result<(), CheckpointError> {
        let mut inner = self.lock();
        // The folder first: manifests without blobs are harmless, blobs without manifests would be taken up again.
        inner.state.remove_model_dir(model)?;
        inner.blobs.remove(model);
        inner.damaged.retain(|(m, _)| m != model);
        let versions = inner.versions(model)?;
        inner.write(model, &[], &versions)
    }
}

impl Inner {
    pub(crate) fn blobs(&mut self, model: &str) -> Result<&mut Blobs, CheckpointError> {
        let dir = self.state.model_dir(model)?.join("blobs");
        let open = || Blobs::open(Arc::clone(self.state.disk()), dir, self.own_file_from_bytes);
        Ok(self.blobs.entry(model.to_owned()).or_insert_with(open))
    }

    fn pins(&self, model: &str) -> Result<Pins, CheckpointError> {
        Ok(Pins::of(Arc::clone(self.state.disk()), self.state.model_dir(model)?))
    }

    fn manifests(&mut self, model: &str) -> Result<Known, CheckpointError> {
        self.state.model_dir(model)?;
        let all = match self.index.all(model) {
            Ok(all) => all,
            Err(e) => {
                self.reopen(&e)?;
                self.index.all(model)?
            }
        };
        let blobs = self.blobs(model)?;
        Ok(all.into_iter().map(|(version, value)| (version, from_value(blobs, model, version, &value))).collect())
    }

    fn versions(&mut self, model: &str) -> Result<Vec<u64>, CheckpointError> {
        Ok(self.manifests(model)?.into_iter().map(|(version, _)| version).collect())
    }

    fn load(&mut self, model: &str, version: u64) -> Result<Checkpoint, CheckpointError> {
        let found = self.manifests(model)?.into_iter().find(|(v, _)| *v == version);
        let (_, manifest) = found.ok_or_else(|| CheckpointError::NoCheckpoint { model: model.to_owned(), version })?;
        let loaded = match manifest {
            Ok(manifest) => self.blobs(model)?.load(&manifest),
            Err(message) => Err(CheckpointError::Database(message)),
        };
        match loaded.is_ok() {
            true => self.damaged.remove(&(model.to_owned(), version)),
            false => self.damaged.insert((model.to_owned(), version)),
        };
        loaded
    }

    fn candidates(&mut self, model: &str) -> Result<Vec<Candidate>, CheckpointError> {
        let pins = self.pins(model)?.all()?;
        let all = self.manifests(model)?.into_iter().map(|(version, manifest)| Candidate {
            version,
            created_at_ms: manifest.as_ref().map_or(0, |m| m.created_at_ms),
            is_pinned: pins.contains(&version),
            is_damaged: manifest.is_err() || self.damaged.contains(&(model.to_owned(), version)),
        });
        Ok(all.collect())
    }

    /// Records a checkpoint whose blobs are durable; it stands when this returns.
    pub(crate) fn put(&mut self, manifest: &Manifest) -> Result<(), CheckpointError> {
        self.write(&manifest.model, &[(manifest.version, to_value(manifest))], &[])?;
        self.damaged.remove(&(manifest.model.clone(), manifest.version));
        Ok(())
    }

    /// Writes to the database, reopening it after an error, a limited number of times.
    fn write(&mut self, model: &str, put: &[(u64, Vec<u8>)], gone: &[u64]) -> Result<(), CheckpointError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.index.write(model, put, gone) {
                Ok(()) => return Ok(()),
                Err(e) => {
                    self.reopen(&e)?;
                    if tries == WRITE_TRIES {
                        return Err(e);
                    }
                }
            }
        }
    }

    fn reopen(&mut self, why: &CheckpointError) -> Result<(), CheckpointError> {
        tracing::warn!(reason = %why, "the manifest database is closed and opened again");
        if self.index.reopen()? {
            for model in self.state.models()? {
                self.adopt(&model)?;
            }
        }
        Ok(())
    }

    /// Takes up whole checkpoints that the database does not know and that are newer than all it knows: it was lost, or
    /// the process died between blobs and manifest. (Older ones were pruned.)
    fn adopt(&mut self, model: &str) -> Result<(), CheckpointError> {
        let known = self.manifests(model)?;
        let newest = known.iter().filter(|(_, m)| m.is_ok()).map(|(v, _)| *v).max();
        let named = named(&known);
        let blobs = self.blobs(model)?;
        let mut found = Vec::new();
        for manifest in blobs.unnamed_manifests(&named)? {
            if manifest.model == model && Some(manifest.version) > newest {
                match blobs.load(&manifest) {
                    Ok(_) => found.push(manifest),
                    Err(e) if e.is_refusal() => return Err(e),
                    Err(_) => {}
                }
            }
        }
        found.sort_by_key(|m| (m.version, m.created_at_ms));
        if found.is_empty() {
            return Ok(());
        }
        let versions: Vec<u64> = found.iter().map(|m| m.version).collect();
        blobs.settle()?;
        tracing::warn!(model, ?versions, "checkpoints without a manifest were found whole and taken up");
        let put: Vec<_> = found.iter().map(|m| (m.version, to_value(m))).collect();
        self.index.write(model, &put, &[])
    }

    /// Removes blobs that no manifest names; how many. While a manifest cannot be read nothing is removed.
    fn sweep(&mut self, model: &str) -> Result<usize, CheckpointError> {
        let known = self.manifests(model)?;
        if known.iter().any(|(_, manifest)| manifest.is_err()) {
            return Ok(0);
        }
        self.blobs(model)?.sweep(&named(&known))
    }
}

fn named(manifests: &[(u64, Result<Manifest, String>)]) -> HashSet<Hash> {
    manifests.iter().filter_map(|(_, m)| m.as_ref().ok()).flat_map(Manifest::blobs).collect()
}

fn to_value(manifest: &Manifest) -> Vec<u8> {
    let bytes = manifest.to_bytes();
    let in_database = if bytes.len() <= IN_DATABASE_BYTES { &bytes[..] } else { &[] };
    [&manifest.pack[..], in_database].concat()
}

fn from_value(blobs: &mut Blobs, model: &str, version: u64, value: &[u8]) -> Result<Manifest, String> {
    let (pack, bytes) = value.split_first_chunk::<32>().ok_or("the manifest is cut off")?;
    let manifest = match bytes {
        [] => blobs.manifest(pack)?,
        bytes => Manifest::from_bytes(bytes, *pack)?,
    };
    match manifest.model == model && manifest.version == version {
        true => Ok(manifest),
        false => Err(format!("it is the manifest of {} {}", manifest.model, manifest.version)),
    }
}

#[cfg(test)]
#[path = "file_store_tests.rs"]
mod tests;
