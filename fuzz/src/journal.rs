//! Files of the journal: as bytes; or as frames whose checks are right, so that what is behind them is met.
//!
//! Input: a byte of choices, then the file; or chunks: flags, length of the payload (2 bytes), a step, the payload.

use std::path::PathBuf;
use std::sync::LazyLock;

use checkpoints::{Entry, FileJournal, Journal, StateDir};

static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| tempfile::tempdir().expect("there is room for a folder").keep().join("state"));

/// Nothing panics; what was opened opens again with the same entries, and takes another one; an entry that can be read is
/// written as it was.
pub fn run(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    let file = if choice & 1 == 0 { rest.to_vec() } else { framed(rest) };
    let state = StateDir::open(&*FOLDER).expect("there is room for a folder");
    let folder = FOLDER.join("models/m/journal");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("there is room for a folder");
    std::fs::write(folder.join(format!("{:020}.journal", 0)), file).expect("there is room for a file");
    let open = || FileJournal::open(&state, "m", FileJournal::ROTATE_AT_BYTES);
    let Ok(journal) = open() else { return };
    let read = |journal: &FileJournal| {
        let entries: Result<Vec<Entry>, _> = journal.read_from(0).and_then(Iterator::collect);
        entries.map_err(|e| e.to_string())
    };
    let (first, end) = (read(&journal), journal.end());
    drop(journal);
    let mut journal = open().expect("it was opened before");
    assert_eq!(read(&journal), first);
    for entry in first.iter().flatten() {
        if let Ok(decoded) = fold::Entry::decode(&entry.payload) {
            assert_eq!(fold::Entry::decode(&decoded.encode()).expect("it was written just now"), decoded);
        }
    }
    if end < u64::MAX && end > 0 {
        let entry = Entry { from: end, to: end + 1, payload: b"more".to_vec() };
        journal.append(&entry).and_then(|()| journal.sync()).expect("it goes on");
        drop(journal);
        assert_eq!(open().expect("it was whole").end(), end + 1);
    }
}

fn framed(mut chunks: &[u8]) -> Vec<u8> {
    let mut file = b"PRNLJRNL".to_vec();
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&0_u64.to_le_bytes());
    seal(&mut file, 0);
    let mut version = 0_u64;
    while let [flags, low, high, step, rest @ ..] = chunks {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (payload, behind) = rest.split_at(length);
        let start = file.len();
        let to = version.wrapping_add(u64::from(*step) << (flags >> 4 << 2));
        file.extend_from_slice(&(length as u32 | if flags & 1 == 0 { 1 << 31 } else { 0 }).to_le_bytes());
        file.extend_from_slice(&version.to_le_bytes());
        file.extend_from_slice(&to.to_le_bytes());
        file.extend_from_slice(payload);
        seal(&mut file, start);
        if flags & 2 != 0 {
            *file.last_mut().expect("it has a check") ^= 1;
        }
        (version, chunks) = (to, behind);
    }
    file.extend_from_slice(chunks);
    file
}

/// Appends the check of what lies behind `start`.
fn seal(file: &mut Vec<u8>, start: usize) {
    let sum = blake3::hash(&file[start..]);
    file.extend_from_slice(&sum.as_bytes()[..8]);
}
