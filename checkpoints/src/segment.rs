//! One file of the journal: a header, then frames; how they look and how they are read back.
//!
//! ```text
//! header  "PRNLJRNL" | format u16 | first version u64 | check 8              (26 bytes)
//! frame   length u32 (top bit: first of a group) | from u64 | to u64 | payload | check 8     (28 bytes + payload)
//! ```
//! Little-endian; a check is the first 8 bytes of blake3 over all before it in the header or frame. A group is what one
//! fsync covered: whatever lies before the first frame of a group was on the disk before that frame was written.

use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bytes::{Reader, Writer, check};
use crate::disk::{Disk, DiskFile, How};
use crate::durable;
use crate::error::CheckpointError;
use crate::journal::Entry;

pub(crate) const HEADER_BYTES: u64 = 26;
const MAGIC: &[u8; 8] = b"PRNLJRNL";
const FORMAT: u16 = 1;
const HEAD_BYTES: usize = 20;
const CHECK_BYTES: usize = 8;
const GROUP_START: u32 = 1 << 31;
/// An entry's payload is bounded; a longer length is damage.
pub(crate) const MAX_PAYLOAD: usize = 16 << 20;

pub(crate) fn file_name(first: u64) -> String {
    format!("{first:020}.journal")
}

pub(crate) fn first_of(file_name: &str) -> Option<u64> {
    file_name.strip_suffix(".journal").filter(|n| n.len() == 20)?.parse().ok()
}

pub(crate) fn header(first: u64) -> Vec<u8> {
    let mut w = Writer::default();
    w.raw(MAGIC).u16(FORMAT).u64(first);
    let sum = check(&w.0);
    w.raw(&sum);
    w.0
}

pub(crate) fn put_frame(out: &mut Vec<u8>, entry: &Entry, starts_group: bool) {
    let mut w = Writer(std::mem::take(out));
    let start = w.0.len();
    let length = u32::try_from(entry.payload.len()).expect("payloads are bounded before writing");
    w.u32(length | if starts_group { GROUP_START } else { 0 }).u64(entry.from).u64(entry.to).raw(&entry.payload);
    let sum = check(&w.0[start..]);
    w.raw(&sum);
    *out = w.0;
}

/// Reads frames up to a given end, each following on the one before.
pub(crate) struct SegmentReader {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: BufReader<Box<dyn DiskFile>>,
    /// Byte of the next frame, and where reading ends.
    pub(crate) at: u64,
    end: u64,
    /// Byte where the last group read begins.
    pub(crate) group_at: u64,
    /// The version the next frame must begin with.
    pub(crate) version: u64,
}

impl SegmentReader {
    /// `end`: how far to read, in bytes; `None` = to the end of the file.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        first: u64,
        end: Option<u64>,
    ) -> Result<Self, CheckpointError> {
        let path = dir.join(file_name(first));
        let file = disk.open(&path, How::Read).map_err(CheckpointError::io(&path))?;
        let length = file.length().map_err(CheckpointError::io(&path))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut found = [0; HEADER_BYTES as usize];
        match file.read_exact(&mut found) {
            Err(e) if e.kind() != ErrorKind::UnexpectedEof => return Err(CheckpointError::io(&path)(e)),
            _ => {}
        }
        if found.starts_with(MAGIC) && found[8..10] != FORMAT.to_le_bytes() && found[18..] == check(&found[..18]) {
            let found = format!("journal {}", u16::from_le_bytes([found[8], found[9]]));
            return Err(CheckpointError::Format { path, found, expected: format!("journal {FORMAT}") });
        }
        if found[..] != header(first) {
            return Err(CheckpointError::corrupt(&path, 0, "this is not the header it was made with"));
        }
        Ok(Self {
            disk: Arc::clone(disk),
            path,
            file,
            at: HEADER_BYTES,
            group_at: HEADER_BYTES,
            end: end.unwrap_or(length),
            version: first,
        })
    }

    /// The next entry; `None` at the end; `Corrupt` names the byte where the bad frame begins.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, CheckpointError> {
        let left = self.end.saturating_sub(self.at);
        if left == 0 {
            return Ok(None);
        }
        let bad = |what: &str| CheckpointError::corrupt(&self.path, self.at, what);
        if left < (HEAD_BYTES + CHECK_BYTES) as u64 {
            return Err(bad("a frame is cut off"));
        }
        let mut frame = vec![0; HEAD_BYTES];
        self.file.read_exact(&mut frame).map_err(CheckpointError::io(&self.path))?;
        let length = payload_length(&frame).ok_or_else(|| bad("a frame has an impossible length"))?;
        let whole = HEAD_BYTES + length + CHECK_BYTES;
        if whole as u64 > left {
            return Err(bad("a frame is cut off"));
        }
        frame.resize(whole, 0);
        self.file.read_exact(&mut frame[HEAD_BYTES..]).map_err(CheckpointError::io(&self.path))?;
        let entry = parse_frame(&frame).ok_or_else(|| bad("a frame's check does not match"))?;
        if entry.from != self.version {
            return Err(bad(&format!("an entry {}..{} where {} should follow", entry.from, entry.to, self.version)));
        }
        if frame[3] & 0x80 != 0 {
            self.group_at = self.at;
        }
        self.version = entry.to;
        self.at += whole as u64;
        Ok(Some(entry))
    }

    /// Whether a group begins behind the bad frame at `at`: then that frame had been synced and was damaged later. If
    /// not, it is what a crash left of the last group.
    pub(crate) fn was_synced(&self) -> Result<bool, CheckpointError> {
        let bytes = durable::read(&*self.disk, &self.path)?;
        let behind = usize::try_from(self.at).map_or(&[][..], |at| bytes.get(at + 1..).unwrap_or(&[]));
        let group_at = |i: usize| {
            let (mut head, rest) = (Reader::new(&behind[i..]), &behind[i..]);
            let (length, from) = (head.u32()?, head.u64()?);
            // Cheap conditions first: a hash at every byte would take minutes.
            if length & GROUP_START == 0 || from < self.version || from - self.version > u64::from(u32::MAX) {
                return None;
            }
            parse_frame(rest.get(..HEAD_BYTES + payload_length(rest)? + CHECK_BYTES)?)
        };
        Ok((0..behind.len()).any(|i| group_at(i).is_some()))
    }
}

fn payload_length(frame: &[u8]) -> Option<usize> {
    let length = (Reader::new(frame).u32()? & !GROUP_START) as usize;
    (length <= MAX_PAYLOAD).then_some(length)
}

/// A whole frame; `None` = its check does not match.
fn parse_frame(frame: &[u8]) -> Option<Entry> {
    let (content, sum) = frame.split_last_chunk::<CHECK_BYTES>()?;
    if check(content) != *sum {
        return None;
    }
    let mut r = Reader::new(content);
    let (length, from, to) = (r.u32()?, r.u64()?, r.u64()?);
    let payload = r.raw((length & !GROUP_START) as usize)?.to_vec();
    (from <= to).then_some(Entry { from, to, payload })
}
