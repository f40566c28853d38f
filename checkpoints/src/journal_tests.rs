use std::fs;

use super::*;
use crate::disk::RealDisk;

const SMALL: u64 = 200;

fn entry(from: u64, to: u64) -> Entry {
    Entry { from, to, payload: (from..to + 3).map(|x| (x * 37 + to) as u8).collect() }
}

/// Genesis and `n` entries, synced every other one.
fn journal(state: &StateDir, rotate: u64, n: u64) -> (FileJournal, Vec<Entry>) {
    let mut entries = vec![entry(0, 0)];
    entries.extend((0..n).map(|i| entry(i * 5, i * 5 + 5)));
    let mut journal = FileJournal::open(state, "m", rotate).unwrap();
    for (i, e) in entries.iter().enumerate() {
        journal.append(e).unwrap();
        if i % 2 == 0 {
            journal.sync().unwrap();
        }
    }
    journal.sync().unwrap();
    (journal, entries)
}

fn read(journal: &FileJournal, version: u64) -> Vec<Entry> {
    journal.read_from(version).unwrap().collect::<Result<_, _>>().unwrap()
}

fn segments(state: &StateDir) -> Vec<PathBuf> {
    let dir = state.model_dir("m").unwrap().join("journal");
    durable::names_in(&RealDisk, &dir).unwrap().iter().map(|n| dir.join(n)).collect()
}

fn frame_bytes(e: &Entry) -> usize {
    28 + e.payload.len()
}

#[test]
fn what_is_appended_is_read_back_from_every_version_across_segments_and_openings() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let (journal, entries) = journal(&state, SMALL, 40);
    assert!(segments(&state).len() > 5);
    for reopened in [false, true] {
        let other;
        let journal = if reopened {
            other = FileJournal::open(&state, "m", SMALL).unwrap();
            &other
        } else {
            &journal
        };
        assert_eq!(journal.first().unwrap().as_ref(), Some(&entries[0]));
        assert_eq!((journal.end(), journal.truncated_bytes()), (200, 0));
        for version in 0..=201 {
            let expected: Vec<_> = entries.iter().filter(|e| e.to > version).cloned().collect();
            assert_eq!(read(journal, version), expected, "from {version}");
        }
    }
}

/// The feared failure: compaction takes what a kept version needs, or an entry is found where it was before.
#[test]
fn compaction_leaves_genesis_and_all_that_is_needed_from_a_version_on() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let (mut journal, mut entries) = journal(&state, SMALL, 40);
    let begins: Vec<u64> = journal.segments.clone();
    journal.compact(begins[1] - 1).unwrap();
    assert_eq!(read(&journal, 0), entries[1..], "no closed segment lies before it");
    for (version, begin) in [(begins[2], begins[2]), (begins[4] + 3, begins[4]), (1_000, begins[begins.len() - 1])] {
        let files = segments(&state).len();
        journal.compact(version).unwrap();
        assert!(segments(&state).len() < files, "files go");
        // Again: nothing more to do, and nothing done.
        let modified = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let before = modified(&segments(&state)[0]);
        journal.compact(version).unwrap();
        assert_eq!(modified(&segments(&state)[0]), before);
        let gone = Entry { from: 0, to: begin, payload: Vec::new() };
        let all: Vec<Entry> =
            [gone].into_iter().chain(entries.iter().filter(|e| e.from >= begin && e.to > 0).cloned()).collect();
        let other = FileJournal::open(&state, "m", SMALL).unwrap();
        for journal in [&journal, &other] {
            assert_eq!(journal.first().unwrap().as_ref(), Some(&entries[0]));
            for version in 0..=201 {
                let expected: Vec<_> = all.iter().filter(|e| e.to > version).cloned().collect();
                assert_eq!(read(journal, version), expected, "compacted to {begin}, from {version}");
            }
        }
    }
    // It is written on.
    entries.push(entry(200, 205));
    journal.append(&entries[entries.len() - 1]).unwrap();
    journal.sync().unwrap();
    assert_eq!(read(&FileJournal::open(&state, "m", SMALL).unwrap(), 200), [entry(200, 205)]);
}

/// Killed between the new first segment and the removal of the others.
#[test]
fn what_compaction_left_over_is_passed_over_and_removed_at_the_next_opening() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let (mut journal, _) = journal(&state, SMALL, 40);
    let kept: Vec<(PathBuf, Vec<u8>)> =
        segments(&state)[1..].iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    journal.compact(1_000).unwrap();
    let left = segments(&state);
    let expected = read(&journal, 0);
    for (path, bytes) in kept {
        fs::write(path, bytes).unwrap();
    }
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let looked = entries_in(&disk, &state.model_dir("m").unwrap().join("journal"), 0).unwrap();
    assert_eq!(looked.collect::<Result<Vec<_>, _>>().unwrap(), expected, "as another process sees it");
    assert_eq!(read(&FileJournal::open(&state, "m", SMALL).unwrap(), 0), expected);
    assert_eq!(segments(&state), left);
}

#[test]
fn only_what_follows_is_taken_and_nothing_unsynced_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let mut journal = FileJournal::open(&state, "m", SMALL).unwrap();
    assert_eq!(journal.first().unwrap(), None);
    for (from, to) in [(1, 2), (1, 1)] {
        assert!(matches!(journal.append(&entry(from, to)), Err(CheckpointError::NotContiguous { end: 0, .. })));
    }
    journal.append(&entry(0, 0)).unwrap();
    for (from, to) in [(0, 0), (1, 2)] {
        assert!(matches!(journal.append(&entry(from, to)), Err(CheckpointError::NotContiguous { end: 0, .. })));
    }
    journal.append(&entry(0, 4)).unwrap();
    assert!(matches!(journal.append(&entry(3, 9)), Err(CheckpointError::NotContiguous { end: 4, from: 3, to: 9 })));
    assert!(read(&journal, 0).is_empty());
    let huge = Entry { from: 4, to: 5, payload: vec![0; MAX_PAYLOAD + 1] };
    assert!(matches!(journal.append(&huge), Err(CheckpointError::TooLarge { .. })));
    journal.sync().unwrap();
    assert_eq!(read(&journal, 0), [entry(0, 4)]);
}

#[test]
fn a_failed_sync_is_repeated_in_full() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let (mut journal, mut entries) = journal(&state, FileJournal::ROTATE_AT_BYTES, 4);
    failpoints::fail_from("journal.written");
    for i in 4..6 {
        entries.push(entry(i * 5, i * 5 + 5));
        journal.append(entries.last().unwrap()).unwrap();
        assert!(journal.sync().is_err());
    }
    failpoints::never();
    assert_eq!(read(&journal, 0), entries[1..5]);
    journal.sync().unwrap();
    assert_eq!(read(&journal, 0), entries[1..]);
    assert_eq!(read(&FileJournal::open(&state, "m", SMALL).unwrap(), 0), entries[1..]);
}

#[test]
fn a_torn_tail_is_recognised_at_every_byte_of_the_last_frame() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let (journal, entries) = journal(&state, FileJournal::ROTATE_AT_BYTES, 8);
    drop(journal);
    let path = segments(&state).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let last = frame_bytes(&entries[8]);
    let start = whole.len() - last;
    for kept in 0..last {
        for damage in [None, Some(0), Some(0xff)] {
            let mut bytes = whole[..start + kept].to_vec();
            match damage {
                None => {}
                // The length had been written, the content had not.
                Some(fill) => bytes.resize(whole.len(), fill),
            }
            if bytes == whole {
                continue;
            }
            let torn = bytes.len() - start;
            fs::write(&path, &bytes).unwrap();
            let mut journal = FileJournal::open(&state, "m", FileJournal::ROTATE_AT_BYTES).unwrap();
            assert_eq!((journal.end(), journal.truncated_bytes()), (35, torn as u64), "kept {kept}, {damage:?}");
            assert_eq!(fs::metadata(&path).unwrap().len(), start as u64);
            assert_eq!(read(&journal, 0), entries[1..8]);
            journal.append(&entries[8]).unwrap();
            journal.sync().unwrap();
            assert_eq!(read(&journal, 0), entries[1..]);
        }
    }
}

#[test]
fn a_flipped_bit_in_what_was_synced_names_file_and_byte_and_is_never_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    // Groups: genesis | 1 2 | 3 4 | 5 6 | 7 8; the last group cannot be told from a torn one.
    let (journal, entries) = journal(&state, FileJournal::ROTATE_AT_BYTES, 8);
    let path = segments(&state).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut starts = vec![0, HEADER_BYTES as usize];
    for e in &entries {
        starts.push(starts[starts.len() - 1] + frame_bytes(e));
    }
    for at in 0..starts[8] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        let expected = **starts.iter().filter(|s| **s <= at).collect::<Vec<_>>().last().unwrap() as u64;
        for error in [FileJournal::open(&state, "m", SMALL).err(), journal.read_from(0).unwrap().find_map(Result::err)]
        {
            match error {
                Some(CheckpointError::Corrupt { path: p, byte, .. }) => assert_eq!((p, byte), (path.clone(), expected)),
                other => panic!("byte {at}: {other:?}"),
            }
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "nothing is cut off");
    }
}

#[test]
fn damage_in_an_older_segment_ends_the_reading() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let (journal, entries) = journal(&state, SMALL, 40);
    drop(journal);
    let path = segments(&state).remove(2);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 1;
    bytes[at] ^= 4;
    fs::write(&path, &bytes).unwrap();
    let journal = FileJournal::open(&state, "m", SMALL).unwrap();
    let mut read: Vec<_> = journal.read_from(0).unwrap().collect();
    let error = read.pop().unwrap().unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    let good: Vec<_> = read.into_iter().map(Result::unwrap).collect();
    assert!(!good.is_empty() && entries[1..].starts_with(&good));
    fs::remove_file(&path).unwrap();
    let error = journal.read_from(0).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error, CheckpointError::Io { .. }), "{error}");
    let error = FileJournal::open(&state, "m", SMALL).unwrap().read_from(0).unwrap().find_map(Result::err).unwrap();
    assert!(error.to_string().contains("the segment before it ends at version"), "{error}");
}
