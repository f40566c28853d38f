//! The journal: in which order the log was folded, and every decision from outside. Append-only, contiguous, checked.
//!
//! Compaction leaves genesis, one entry of no bytes for all that is gone, and whole segments behind it.

use std::collections::VecDeque;
use std::io::{Read, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, How};
use crate::durable;
use crate::error::CheckpointError;
use crate::failpoints;
use crate::segment::{self, HEADER_BYTES, MAX_PAYLOAD, SegmentReader};
use crate::state_dir::StateDir;

/// What is not yet synced may grow to this; then `append` syncs by itself.
const MAX_PENDING_BYTES: usize = 8 << 20;

/// A batch of the fold: versions `from` (not included) to `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The version before it.
    pub from: u64,
    /// The version after it; equal to `from` only in the first entry (genesis, 0..0).
    pub to: u64,
    /// What happened; opaque here, at most 16 MiB. Empty behind genesis: compaction has taken these versions away.
    pub payload: Vec<u8>,
}

/// Entries read back, in order; it ends with the first error.
pub type Entries = Box<dyn Iterator<Item = Result<Entry, CheckpointError>> + Send>;

/// An append-only log of entries, each beginning where the one before ended.
pub trait Journal: Send {
    /// Takes an entry; durable after the next [`Journal::sync`]. Fails without having taken it.
    ///
    /// # Errors
    /// It does not follow, is too large, or could not be written.
    fn append(&mut self, entry: &Entry) -> Result<(), CheckpointError>;

    /// Makes all that was appended durable. After an error nothing is lost: call it again.
    ///
    /// # Errors
    /// The disk refuses.
    fn sync(&mut self) -> Result<(), CheckpointError>;

    /// The version after the last entry appended.
    fn end(&self) -> u64;

    /// The first entry ever (genesis), once it is synced.
    ///
    /// # Errors
    /// It cannot be read.
    fn first(&self) -> Result<Option<Entry>, CheckpointError>;

    /// The synced entries whose `to` is above `version`.
    ///
    /// # Errors
    /// The place cannot be found.
    fn read_from(&self, version: u64) -> Result<Entries, CheckpointError>;

    /// Takes away what only versions below `version` need, genesis left out; as much of it as is in closed segments. Only
    /// once a checkpoint of `version` or later stands.
    ///
    /// # Errors
    /// The disk refuses: it is as before, or done with files left over that the next opening removes.
    fn compact(&mut self, version: u64) -> Result<(), CheckpointError>;
}

/// A journal in segment files of one folder, owned by this process.
pub struct FileJournal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    rotate_at_bytes: u64,
    /// First version of every segment, ascending; the last one is written to.
    segments: Vec<u64>,
    file: Box<dyn DiskFile>,
    /// What of the last segment is on the disk for certain.
    synced_bytes: u64,
    /// Frames behind it. They stay here until an fsync has succeeded, so that a failed one can be repeated in full.
    pending: Vec<u8>,
    end: u64,
    is_empty: bool,
    /// The version up to which compaction has taken entries away.
    compacted: u64,
    truncated_bytes: u64,
    _state: StateDir,
}

impl FileJournal {
    /// A segment is closed when it has this many bytes.
    pub const ROTATE_AT_BYTES: u64 = 64 << 20;

    /// Opens (or makes) the journal of `model`. What a crash left of an unfinished sync is cut off, see
    /// [`FileJournal::truncated_bytes`].
    ///
    /// # Errors
    /// The file system refuses; synced bytes of the last segment are damaged (older ones are checked when read).
    pub fn open(state: &StateDir, model: &str, rotate_at_bytes: u64) -> Result<Self, CheckpointError> {
        let dir = state.model_dir(model)?.join("journal");
        let disk = Arc::clone(state.disk());
        durable::make_folder(&*disk, &dir)?;
        let names = durable::names_in(&*disk, &dir)?;
        for unfinished in names.iter().filter(|n| n.ends_with(durable::UNFINISHED)) {
            durable::remove_file(&*disk, &dir.join(unfinished))?;
        }
        let mut segments: Vec<u64> = names.iter().filter_map(|n| segment::first_of(n)).collect();
        if segments.is_empty() {
            make_segment(&*disk, &dir, 0)?;
            segments.push(0);
        } else {
            // Whoever made the last one may have died before its name was on the disk.
            durable::sync_folder(&*disk, &dir)?;
        }
        let compacted = compacted(&disk, &dir, &segments)?;
        for left_over in segments.iter().filter(|first| (1..compacted).contains(*first)) {
            durable::remove_file(&*disk, &dir.join(segment::file_name(*left_over)))?;
        }
        segments.retain(|first| !(1..compacted).contains(first));
        let first = segments[segments.len() - 1];
        let mut reader = SegmentReader::open(&disk, &dir, first, None)?;
        let mut is_empty = segments.len() == 1;
        let truncated = loop {
            match reader.next() {
                Ok(Some(_)) => is_empty = false,
                Ok(None) => break false,
                Err(e @ CheckpointError::Corrupt { .. }) if reader.was_synced()? => return Err(e),
                Err(CheckpointError::Corrupt { .. }) => break true,
                Err(e) => return Err(e),
            }
        };
        let (synced_bytes, end) = (reader.at, reader.version);
        let mut file = open_segment(&*disk, &dir, first)?;
        let path = dir.join(segment::file_name(first));
        let truncated_bytes = if truncated { cut(&*file, &path, synced_bytes)? } else { 0 };
        write_again(&*disk, &mut *file, &path, reader.group_at..synced_bytes)?;
        let pending = Vec::new();
        let _state = state.clone();
        Ok(Self {
            disk,
            dir,
            rotate_at_bytes,
            segments,
            file,
            synced_bytes,
            pending,
            end,
            is_empty,
            compacted,
            truncated_bytes,
            _state,
        })
    }

    /// How many bytes of an unfinished sync were cut off when it was opened.
    #[must_use]
    pub fn truncated_bytes(&self) -> u64 {
        self.truncated_bytes
    }

    fn segment(&self) -> u64 {
        self.segments[self.segments.len() - 1]
    }

    fn rotate(&mut self) -> Result<(), CheckpointError> {
        self.sync()?;
        make_segment(&*self.disk, &self.dir, self.end)?;
        self.file = open_segment(&*self.disk, &self.dir, self.end)?;
        self.segments.push(self.end);
        self.synced_bytes = HEADER_BYTES;
        Ok(())
    }
}

impl Journal for FileJournal {
    fn append(&mut self, entry: &Entry) -> Result<(), CheckpointError> {
        let Entry { from, to, payload } = entry;
        if *from != self.end || to < from || (to == from && !self.is_empty) {
            return Err(CheckpointError::NotContiguous { end: self.end, from: *from, to: *to });
        }
        if payload.len() > MAX_PAYLOAD {
            let (bytes, limit) = (payload.len() as u64, MAX_PAYLOAD as u64);
            return Err(CheckpointError::TooLarge { what: format!("journal entry {from}..{to}"), bytes, limit });
        }
        let is_full = self.synced_bytes + self.pending.len() as u64 >= self.rotate_at_bytes;
        if is_full && self.end > self.segment() {
            self.rotate()?;
        } else if self.pending.len() >= MAX_PENDING_BYTES {
            self.sync()?;
        }
        let starts_group = self.pending.is_empty();
        segment::put_frame(&mut self.pending, entry, starts_group);
        self.end = *to;
        self.is_empty = false;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), CheckpointError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let path = self.dir.join(segment::file_name(self.segment()));
        self.file.seek(SeekFrom::Start(self.synced_bytes)).map_err(CheckpointError::io(&path))?;
        self.file.write_all(&self.pending).map_err(CheckpointError::io(&path))?;
        failpoints::reach("journal.written")?;
        durable::sync_data(&*self.file, &path)?;
        self.synced_bytes += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn end(&self) -> u64 {
        self.end
    }

    fn first(&self) -> Result<Option<Entry>, CheckpointError> {
        let only = self.segments.len() == 1;
        SegmentReader::open(&self.disk, &self.dir, self.segments[0], only.then_some(self.synced_bytes))?.next()
    }

    fn read_from(&self, version: u64) -> Result<Entries, CheckpointError> {
        let start = self.segments.partition_point(|first| *first <= version).saturating_sub(1);
        let reader = JournalReader {
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
            left: self.segments[start..].iter().copied().collect(),
            last_ends_at: Some(self.synced_bytes),
            current: None,
        };
        Ok(reader.above(version))
    }

    fn compact(&mut self, version: u64) -> Result<(), CheckpointError> {
        let Some(&begins) = self.segments[1..].iter().rfind(|first| **first <= version) else { return Ok(()) };
        if begins == self.compacted {
            return Ok(());
        }
        let Some(genesis) = self.first()? else { return Ok(()) };
        let mut frames = Vec::new();
        segment::put_frame(&mut frames, &genesis, true);
        segment::put_frame(&mut frames, &Entry { from: genesis.to, to: begins, payload: Vec::new() }, true);
        durable::write_whole(&*self.disk, &self.dir.join(segment::file_name(0)), &[&segment::header(0), &frames])?;
        durable::sync_folder(&*self.disk, &self.dir)?;
        self.compacted = begins;
        failpoints::reach("journal.compacted")?;
        let (gone, stay) = self.segments.iter().partition(|first| (1..begins).contains(*first));
        self.segments = stay;
        let gone: Vec<u64> = gone;
        gone.iter().try_for_each(|first| durable::remove_file(&*self.disk, &self.dir.join(segment::file_name(*first))))
    }
}

/// Reads one segment after the other.
struct JournalReader {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    left: VecDeque<u64>,
    /// How far the last one is to be read; `None`: as far as it is whole.
    last_ends_at: Option<u64>,
    current: Option<SegmentReader>,
}

impl JournalReader {
    fn above(mut self, version: u64) -> Entries {
        let entries = std::iter::from_fn(move || self.next().transpose()).fuse();
        Box::new(entries.filter(move |entry| entry.as_ref().map_or(true, |entry| entry.to > version)))
    }

    /// Whether what is read is being written, and the bad frame is its end.
    fn is_unfinished(&self) -> Result<bool, CheckpointError> {
        let is_last = self.left.is_empty() && self.last_ends_at.is_none();
        Ok(is_last && !self.current.as_ref().map_or(Ok(true), SegmentReader::was_synced)?)
    }

    fn next(&mut self) -> Result<Option<Entry>, CheckpointError> {
        let next = self.advance();
        if next.is_err() {
            (self.current, self.left) = (None, VecDeque::new());
        }
        next
    }

    fn advance(&mut self) -> Result<Option<Entry>, CheckpointError> {
        loop {
            if let Some(reader) = self.current.as_mut() {
                match reader.next() {
                    Ok(Some(entry)) => return Ok(Some(entry)),
                    Ok(None) => {}
                    Err(CheckpointError::Corrupt { .. }) if self.is_unfinished()? => return Ok(None),
                    Err(e) => return Err(e),
                }
                let Some(reader) = &self.current else { return Ok(None) };
                // What compaction is about to remove.
                self.left.retain(|next| *next >= reader.version);
                if let Some(next) = self.left.front().filter(|next| **next != reader.version) {
                    let message = format!("the segment before it ends at version {}", reader.version);
                    return Err(CheckpointError::corrupt(&self.dir.join(segment::file_name(*next)), 0, message));
                }
            }
            let Some(first) = self.left.pop_front() else { return Ok(None) };
            let end = self.left.is_empty().then_some(self.last_ends_at).flatten();
            self.current = Some(SegmentReader::open(&self.disk, &self.dir, first, end)?);
        }
    }
}

/// The first entry of a journal that another process may be writing.
pub(crate) fn first_in(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Option<Entry>, CheckpointError> {
    match segments_in(&**disk, dir)?.front() {
        Some(first) => SegmentReader::open(disk, dir, *first, None)?.next(),
        None => Ok(None),
    }
}

/// The entries above `version` of a journal that another process may be writing; what is unfinished at its end is not seen.
pub(crate) fn entries_in(disk: &Arc<dyn Disk>, dir: &Path, version: u64) -> Result<Entries, CheckpointError> {
    let mut left = segments_in(&**disk, dir)?;
    let before = left.partition_point(|first| *first <= version).saturating_sub(1);
    left.drain(..before);
    let reader = JournalReader { disk: Arc::clone(disk), dir: dir.to_owned(), left, last_ends_at: None, current: None };
    Ok(reader.above(version))
}

fn segments_in(disk: &dyn Disk, dir: &Path) -> Result<VecDeque<u64>, CheckpointError> {
    Ok(durable::names_in(disk, dir)?.iter().filter_map(|name| segment::first_of(name)).collect())
}

/// Up to where compaction has taken entries away; 0 if there was none.
fn compacted(disk: &Arc<dyn Disk>, dir: &Path, segments: &[u64]) -> Result<u64, CheckpointError> {
    if segments[0] != 0 || segments.len() == 1 {
        return Ok(0);
    }
    let mut first = SegmentReader::open(disk, dir, 0, None)?;
    match first.next().and_then(|_| first.next()) {
        Ok(second) => Ok(second.filter(|entry| entry.payload.is_empty()).map_or(0, |entry| entry.to)),
        // Closed segments are checked when they are read.
        Err(CheckpointError::Corrupt { .. }) => Ok(0),
        Err(e) => Err(e),
    }
}

fn make_segment(disk: &dyn Disk, dir: &Path, first: u64) -> Result<(), CheckpointError> {
    durable::write_whole(disk, &dir.join(segment::file_name(first)), &[&segment::header(first)])?;
    durable::sync_folder(disk, dir)
}

fn open_segment(disk: &dyn Disk, dir: &Path, first: u64) -> Result<Box<dyn DiskFile>, CheckpointError> {
    let path = dir.join(segment::file_name(first));
    disk.open(&path, How::Write).map_err(CheckpointError::io(&path))
}

fn cut(file: &dyn DiskFile, path: &Path, at: u64) -> Result<u64, CheckpointError> {
    let length = file.length().map_err(CheckpointError::io(path))?;
    file.set_length(at).map_err(CheckpointError::io(path))?;
    tracing::warn!(path = %path.display(), bytes = length - at, "the last sync of the journal was not finished: cut off");
    Ok(length - at)
}

/// The last group may have been written by a process that was killed before its sync, or whose sync failed: it is read, but
/// from the cache alone. Everything before it was on the disk before it was written.
fn write_again(
    disk: &dyn Disk,
    file: &mut dyn DiskFile,
    path: &Path,
    group: Range<u64>,
) -> Result<(), CheckpointError> {
    let io = || CheckpointError::io(path);
    let mut bytes = Vec::new();
    let mut read = disk.open(path, How::Read).map_err(io())?;
    read.seek(SeekFrom::Start(group.start)).map_err(io())?;
    read.take(group.end - group.start).read_to_end(&mut bytes).map_err(io())?;
    file.seek(SeekFrom::Start(group.start)).map_err(io())?;
    file.write_all(&bytes).map_err(io())?;
    durable::sync_file(file, path)
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
