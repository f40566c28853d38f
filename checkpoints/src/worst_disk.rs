//! A disk in memory that behaves like the worst one, and an index on it; for tests alone.
//!
//! What was not fsynced vanishes at a power cut, or is there in part: any of the writes, each perhaps torn; any of the
//! changes of names, in any order. A write may fail in the middle (no space), a sync may fail, and what it should have
//! written is then forgotten by the cache without being on the disk. A folder's failed sync keeps its changes pending, as
//! a file system with a journal does. After a countdown of operations every one of them fails: the process is dead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

mod content;
mod index;
mod names;

use crate::disk::{Disk, DiskFile, How, Lock};
use crate::index::Index;
use content::{Content, Dirty, apply};
use index::IndexState;
use names::{Change, Names};

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0..below.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Debug)]
struct State {
    random: Random,
    seen: Names,
    kept: Names,
    pending: Vec<Change>,
    contents: BTreeMap<u64, Content>,
    next_id: u64,
    index: IndexState,
    /// One in so many writes and syncs fails; `None`: none does.
    faults: Option<u64>,
    dies_after: Option<u64>,
    /// Says it has synced and has not: to see that the tests notice.
    lies: bool,
}

/// The disk; its clones are the same disk.
#[derive(Clone)]
pub(crate) struct WorstDisk(Arc<Mutex<State>>);

impl fmt::Debug for WorstDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorstDisk")
    }
}

fn refused(kind: ErrorKind, what: &str) -> io::Error {
    io::Error::new(kind, what.to_owned())
}

fn not_found(path: &Path) -> io::Error {
    refused(ErrorKind::NotFound, &format!("{} is not there", path.display()))
}

impl WorstDisk {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            random: Random(0),
            seen: Names::default(),
            kept: Names::default(),
            pending: Vec::new(),
            contents: BTreeMap::new(),
            next_id: 0,
            index: IndexState::default(),
            faults: None,
            dies_after: None,
            lies: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the disk")
    }

    /// What happens by chance from here on.
    pub(crate) fn seed(&self, seed: u64) {
        self.state().random = Random(seed);
    }

    pub(crate) fn set_faults(&self, one_in: Option<u64>) {
        self.state().faults = one_in;
    }

    pub(crate) fn die_after(&self, operations: u64) {
        self.state().dies_after = Some(operations);
    }

    pub(crate) fn lie(&self) {
        self.state().lies = true;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().dies_after == Some(0)
    }

    /// The process is gone, the machine is not: what it had written is there.
    pub(crate) fn revive(&self) {
        self.state().dies_after = None;
    }

    /// The machine is gone too.
    pub(crate) fn power_cut(&self) {
        let state = &mut *self.state();
        let mut changes = std::mem::take(&mut state.pending);
        changes.retain(|_| state.random.one_in(2));
        for i in (1..changes.len()).rev() {
            changes.swap(i, state.random.below(i as u64 + 1) as usize);
        }
        changes.iter().for_each(|change| state.kept.apply(change));
        state.seen = state.kept.clone();
        for content in state.contents.values_mut() {
            content.settle(&mut state.random);
            content.seen = content.kept.clone();
        }
        let linked: BTreeSet<u64> = state.seen.files.values().copied().collect();
        state.contents.retain(|id, _| linked.contains(id));
        state.index.settle(&mut state.random);
        state.dies_after = None;
    }

    /// The index is lost.
    pub(crate) fn lose_index(&self) {
        self.state().index = IndexState::default();
    }

    /// The index to open a store with.
    pub(crate) fn index(&self) -> Box<dyn Index> {
        let state = &mut *self.state();
        state.index.settle(&mut state.random);
        state.index.is_closed = false;
        Box::new(self.clone())
    }
}

impl State {
    /// Counts an operation.
    fn live(&mut self) -> io::Result<()> {
        match &mut self.dies_after {
            Some(0) => Err(io::Error::other("the process is dead")),
            Some(left) => {
                *left -= 1;
                if *left == 0 { Err(io::Error::other("the process dies")) } else { Ok(()) }
            }
            None => Ok(()),
        }
    }

    fn fails(&mut self) -> bool {
        self.faults.is_some_and(|one_in| self.random.one_in(one_in))
    }

    fn write(&mut self) -> io::Result<()> {
        self.live()?;
        if self.fails() { Err(io::Error::other("EIO")) } else { Ok(()) }
    }

    fn change(&mut self, change: Change) {
        self.seen.apply(&change);
        self.pending.push(change);
    }

    fn sync_content(&mut self, id: u64) -> io::Result<()> {
        self.live()?;
        let fails = self.fails();
        let content = self.contents.entry(id).or_default();
        if fails {
            content.settle(&mut self.random);
            return Err(io::Error::other("EIO"));
        }
        if !self.lies {
            for dirty in std::mem::take(&mut content.dirty) {
                apply(&mut content.kept, &dirty);
            }
        }
        Ok(())
    }
}

impl Disk for WorstDisk {
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        let found = state.seen.files.get(path).copied();
        let id = match (how, found) {
            (How::Read | How::Write, Some(id)) => {
                state.live()?;
                id
            }
            (How::Read | How::Write, None) => return Err(not_found(path)),
            (How::Create, Some(id)) => {
                state.write()?;
                state.contents.entry(id).or_default().change(Dirty::Length(0));
                id
            }
            (How::Create, None) => {
                state.write()?;
                if !state.seen.has_place(path) {
                    return Err(not_found(path));
                }
                let id = state.next_id;
                state.next_id += 1;
                state.contents.insert(id, Content::default());
                state.change(Change::File(path.to_owned(), id));
                id
            }
        };
        drop(state);
        Ok(Box::new(OpenFile { disk: self.clone(), id, at: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.write()?;
        let change = match state.seen.files.get(from) {
            Some(id) => Change::Renamed(from.to_owned(), to.to_owned(), *id),
            None if state.seen.folders.contains(from) => Change::FolderRenamed(from.to_owned(), to.to_owned()),
            None => return Err(not_found(from)),
        };
        state.change(change);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.write()?;
        if !state.seen.files.contains_key(path) {
            return Err(not_found(path));
        }
        state.change(Change::Removed(path.to_owned()));
        Ok(())
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.write()?;
        state.change(Change::FolderRemoved(path.to_owned()));
        Ok(())
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.write()?;
        if state.seen.folders.contains(path) {
            return Err(refused(ErrorKind::AlreadyExists, "it is there"));
        }
        state.change(Change::Folder(path.to_owned()));
        Ok(())
    }

    fn is_folder(&self, path: &Path) -> bool {
        path == Path::new("/") || self.state().seen.folders.contains(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.state().seen.files.contains_key(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.live()?;
        if !state.seen.folders.contains(folder) {
            return Err(not_found(folder));
        }
        let inside = |path: &&PathBuf| path.parent() == Some(folder);
        let paths = state.seen.folders.iter().chain(state.seen.files.keys()).filter(inside);
        Ok(paths.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let state = &mut *self.state();
        state.write()?;
        if state.lies {
            return Ok(());
        }
        let (synced, pending) =
            std::mem::take(&mut state.pending).into_iter().partition(|change: &Change| change.folder() == folder);
        state.pending = pending;
        synced.iter().for_each(|change| state.kept.apply(change));
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Lock>> {
        self.state().live()?;
        Ok(Some(Box::new(())))
    }
}

struct OpenFile {
    disk: WorstDisk,
    id: u64,
    at: usize,
}

impl Read for OpenFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        let seen = state.contents.get(&self.id).map_or(&[][..], |content| &content.seen);
        let rest = seen.get(self.at..).unwrap_or_default();
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        if state.dies_after == Some(0) {
            return Err(io::Error::other("the process is dead"));
        }
        // A write that fails, or in which the process dies, may have written a part.
        let outcome = state.write();
        let n = if outcome.is_ok() { bytes.len() } else { state.random.below(bytes.len() as u64 + 1) as usize };
        let written = Dirty::Write(self.at, bytes[..n].to_vec());
        state.contents.entry(self.id).or_default().change(written);
        outcome.map_err(|_| refused(ErrorKind::StorageFull, "no space left"))?;
        drop(state);
        self.at += n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for OpenFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(at) => self.at = at as usize,
            _ => return Err(refused(ErrorKind::Unsupported, "from the start alone")),
        }
        Ok(self.at as u64)
    }
}

impl DiskFile for OpenFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state().contents.get(&self.id).map_or(0, |content| content.seen.len() as u64))
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.write()?;
        state.contents.entry(self.id).or_default().change(Dirty::Length(bytes as usize));
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.disk.state().sync_content(self.id)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync_all()
    }
}
