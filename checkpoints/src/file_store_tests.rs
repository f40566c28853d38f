use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::checkpoint::{Section, Unchanged, hash_sections};
use crate::disk::RealDisk;
use crate::journal::{Entry, FileJournal, Journal};

const KEEP: Keep = Keep { last: 3, hourly: 0, daily: 0, compact: false };

/// Twelve small sections and two large ones; "trees" changes with every version, "ring" with every fourth.
fn checkpoint(version: u64) -> Checkpoint {
    let large = |seed: u64| (0..70_000u64).map(|i| ((i * 31) ^ (i >> 7) ^ (seed * 97)) as u8).collect();
    let mut sections = vec![
        Section { name: "ring".into(), version: 2, bytes: large(version / 4 + 1000) },
        Section { name: "trees".into(), version: 1, bytes: large(version) },
    ];
    sections.extend((0..12).map(|i| {
        let bytes = vec![(version + i) as u8; (i * 10) as usize];
        Section { name: format!("small-{i}"), version: i as u16, bytes }
    }));
    Checkpoint {
        model: "air".into(),
        version,
        created_at_ms: 1_000 * version as i64,
        state_hash: hash_sections(&sections, &[]),
        model_hash: hash_sections(&sections, &["small-3"]),
        meta: format!("position {version}").into_bytes(),
        sections,
        unchanged: Vec::new(),
    }
}

fn open(dir: &Path) -> FileStore {
    FileStore::open(&StateDir::open(dir).unwrap()).unwrap()
}

fn newest(store: &FileStore) -> Option<Checkpoint> {
    store.latest("air").unwrap().checkpoint
}

fn versions(store: &FileStore) -> Vec<u64> {
    store.list("air").unwrap().iter().map(|l| l.manifest.version).collect()
}

fn blob_files(dir: &Path) -> Vec<PathBuf> {
    let blobs = dir.join("models/air/blobs");
    durable::names_in(&RealDisk, &blobs).unwrap().iter().map(|n| blobs.join(n)).collect()
}

/// The files that the kept checkpoints need, not one more.
fn assert_no_leak(store: &FileStore, dir: &Path) {
    let needed: HashSet<Hash> =
        store.list("air").unwrap().iter().flat_map(|l| l.manifest.blobs().collect::<Vec<_>>()).collect();
    assert_eq!(blob_files(dir).len(), needed.len(), "{:?}", blob_files(dir));
}

#[test]
fn what_is_committed_is_loaded_also_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.latest("air").unwrap(), Loaded { checkpoint: None, skipped: vec![] });
    for version in 1..=5 {
        store.commit(&checkpoint(version)).unwrap();
    }
    drop(store);
    let store = open(dir.path());
    assert_eq!(newest(&store), Some(checkpoint(5)));
    for version in 1..=5 {
        assert_eq!(store.at("air", version).unwrap(), checkpoint(version));
    }
    assert!(matches!(store.at("air", 6), Err(CheckpointError::NoCheckpoint { version: 6, .. })));
    let listed = store.list("air").unwrap();
    assert_eq!(
        listed.iter().map(|l| l.manifest.parent).collect::<Vec<_>>(),
        [None, Some(1), Some(2), Some(3), Some(4)]
    );
    assert_eq!(listed[4].manifest.state_hash, checkpoint(5).state_hash);
    assert_eq!(listed[4].manifest.bytes(), 140_000 + 660);
}

#[test]
fn unchanged_large_sections_and_many_small_ones_cost_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(&checkpoint(4)).unwrap();
    let c = store.commit(&checkpoint(5)).unwrap();
    // One large section and the pack; an fsync each, one of the folder, one of the database.
    assert_eq!((c.files_written, c.syncs), (2, 4));
    assert!(c.bytes_written < 75_000, "{}", c.bytes_written);
    let again = store.commit(&checkpoint(5)).unwrap();
    assert_eq!((again.files_written, versions(&store)), (0, vec![4, 5]));
}

#[test]
fn pruning_keeps_the_newest_three_and_the_pinned_ones_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for version in 1..=9 {
        store.commit(&checkpoint(version)).unwrap();
        if version == 2 {
            store.pin("air", 2, true).unwrap();
        }
        store.prune("air", &KEEP).unwrap();
        assert_no_leak(&store, dir.path());
    }
    assert_eq!(versions(&store), [2, 7, 8, 9]);
    assert!(matches!(store.pin("air", 3, true), Err(CheckpointError::NoCheckpoint { version: 3, .. })));
    assert_eq!(store.at("air", 2).unwrap(), checkpoint(2));
    store.pin("air", 2, false).unwrap();
    assert_eq!(store.prune("air", &KEEP).unwrap().versions, [2]);
    assert_no_leak(&store, dir.path());
    store.remove("air").unwrap();
    assert_eq!((versions(&store), newest(&store)), (vec![], None));
    assert!(!dir.path().join("models/air").exists());
}

/// The same state, whose section `ring` is not given again.
fn without_its_ring(mut checkpoint: Checkpoint) -> Checkpoint {
    let Section { name, version, bytes } = checkpoint.sections.remove(0);
    let (length, hash) = (bytes.len() as u64, *blake3::hash(&bytes).as_bytes());
    checkpoint.unchanged.push(Unchanged { name, version, length, hash });
    checkpoint
}

#[test]
fn a_section_that_the_store_has_need_not_be_given_again_and_one_that_it_has_not_is_refused() {
    let by_name = |mut checkpoint: Checkpoint| {
        checkpoint.sections.sort_by(|a, b| a.name.cmp(&b.name));
        checkpoint
    };
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // The ring of 4 to 7 is one and the same.
    for (version, whole) in [(4, true), (5, false), (6, false)] {
        let given = if whole { checkpoint(version) } else { without_its_ring(checkpoint(version)) };
        store.commit(&given).unwrap();
        assert_eq!(newest(&store).map(by_name), Some(by_name(checkpoint(version))));
    }
    store.prune("air", &Keep { last: 1, hourly: 0, daily: 0, compact: false }).unwrap();
    assert_no_leak(&store, dir.path());
    let refused = store.commit(&without_its_ring(checkpoint(9))).unwrap_err();
    assert!(matches!(&refused, CheckpointError::NotStored(name) if name == "ring"), "{refused}");
    assert_eq!(newest(&store).map(by_name), Some(by_name(checkpoint(6))), "the others stand");
    store.commit(&checkpoint(9)).unwrap();
    drop(store);
    // The next process has only what is on the disk.
    let store = open(dir.path());
    store.commit(&without_its_ring(checkpoint(10))).unwrap();
    assert_eq!(newest(&store).map(by_name), Some(by_name(checkpoint(10))));
    let ring = blob_files(dir.path()).into_iter().find(|path| {
        let hash = *blake3::hash(&checkpoint(10).sections[0].bytes).as_bytes();
        path.ends_with(crate::bytes::hex(&hash))
    });
    let ring = ring.expect("it is a file of its own");
    fs::write(&ring, b"damaged").unwrap();
    drop(store);
    let store = open(dir.path());
    assert!(matches!(store.commit(&without_its_ring(checkpoint(11))), Err(CheckpointError::NotStored(_))));
    store.commit(&checkpoint(11)).unwrap();
    assert_eq!(newest(&store), Some(checkpoint(11)));
}

#[test]
fn every_flipped_byte_of_a_blob_is_found_and_an_older_checkpoint_taken() {
    let dir = tempfile::tempdir().unwrap();
    let small = |version| Checkpoint { sections: checkpoint(version).sections.split_off(11), ..checkpoint(version) };
    let store = open(dir.path());
    store.commit(&small(1)).unwrap();
    let before = blob_files(dir.path());
    store.commit(&small(2)).unwrap();
    let path = blob_files(dir.path()).into_iter().find(|p| !before.contains(p)).unwrap();
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        let loaded = store.latest("air").unwrap();
        assert_eq!(loaded.checkpoint, Some(small(1)), "byte {at}");
        assert_eq!(loaded.skipped.iter().map(|s| s.version).collect::<Vec<_>>(), [2]);
        assert!(loaded.skipped[0].reason.contains(path.to_str().unwrap()), "{}", loaded.skipped[0].reason);
    }
    for length in [0, 7, 60, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(newest(&store), Some(small(1)), "cut to {length}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(newest(&store), Some(small(1)));
    fs::write(&path, &whole).unwrap();
    assert_eq!(newest(&store), Some(small(2)));
}

#[test]
fn a_damaged_blob_is_not_built_upon_and_damaged_checkpoints_push_no_good_one_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for version in [4, 5, 6, 7] {
        store.commit(&checkpoint(version)).unwrap();
    }
    // "ring" of versions 4 to 7 is one file.
    let ring = store.list("air").unwrap()[0].manifest.sections[0].blob.unwrap();
    let path = dir.path().join("models/air/blobs").join(crate::bytes::hex(&ring));
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000] ^= 1;
    fs::write(&path, bytes).unwrap();
    store.commit(&checkpoint(3)).unwrap();
    drop(store);
    let store = open(dir.path());
    let loaded = store.latest("air").unwrap();
    assert_eq!(loaded.checkpoint, Some(checkpoint(3)));
    assert_eq!(loaded.skipped.iter().map(|s| s.version).collect::<Vec<_>>(), [7, 6, 5, 4]);
    store.commit(&checkpoint(2)).unwrap();
    assert_eq!(store.prune("air", &KEEP).unwrap().versions, Vec::<u64>::new());
    // The learner comes to version 4 again: the damaged file is written anew, and with it 5, 6, 7 are whole again.
    store.commit(&checkpoint(4)).unwrap();
    assert_eq!(newest(&store), Some(checkpoint(7)));
    drop(store);
    assert_eq!(newest(&open(dir.path())), Some(checkpoint(7)));
}

#[test]
fn an_error_at_any_step_takes_no_checkpoint_away() {
    for name in failpoints::NAMES {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let store = FileStore::open(&state).unwrap();
        let mut journal = FileJournal::open(&state, "air", FileJournal::ROTATE_AT_BYTES).unwrap();
        let entry = |from, to| Entry { from, to, payload: vec![7] };
        journal.append(&entry(0, 4)).unwrap();
        for version in 1..=4 {
            store.commit(&checkpoint(version)).unwrap();
        }
        let mut group = VecDeque::from([entry(4, 5)]);
        let mut told = false;
        let mut step = |journal: &mut FileJournal, group: &mut VecDeque<Entry>, version| {
            protocol::journal_group(journal, group).map_err(|e| e.to_string())?;
            let acknowledge = || Ok::<(), String>(());
            protocol::take(&checkpoint(version), journal, acknowledge, &store, || told = true, &KEEP)
                .map_err(|e| e.to_string())
        };
        failpoints::fail_from(name);
        let taken = step(&mut journal, &mut group, 5);
        failpoints::never();
        match name {
            "checkpoint.told" | "prune.manifests" | "prune.blob" => assert!(taken.unwrap().pruned.is_err(), "{name}"),
            _ => assert!(taken.is_err(), "{name}"),
        }
        if !name.starts_with("manifest") && !name.starts_with("prune") && name != "checkpoint.told" {
            assert_eq!((versions(&store), newest(&store)), (vec![1, 2, 3, 4], Some(checkpoint(4))), "{name}");
        }
        // The same store goes on.
        group.push_back(entry(5, 6));
        step(&mut journal, &mut group, 6).unwrap().pruned.unwrap();
        assert!(told && journal.end() == 6, "{name}");
        assert_eq!(newest(&store), Some(checkpoint(6)));
        assert_eq!(versions(&store).len(), 3, "{name}");
        assert_no_leak(&store, dir.path());
    }
}

/// What the child of [`a_crash_at_any_step_leaves_a_whole_state`] does: it dies on the way.
#[test]
#[ignore = "the child process of the crash test"]
fn child_commits_and_prunes() {
    // Without its parent there is nothing to do.
    let Ok(dir) = std::env::var("CHECKPOINTS_TEST_DIR") else { return };
    let store = open(Path::new(&dir));
    store.commit(&checkpoint(5)).unwrap();
    store.prune("air", &KEEP).unwrap();
}

#[test]
fn a_crash_at_any_step_leaves_a_whole_state() {
    for (name, expected) in [
        ("file.written:1", 4),
        ("file.synced:2", 4),
        ("file.renamed:1", 4),
        // The pack is there: the checkpoint is whole and the database only has to be told.
        ("file.renamed:2", 5),
        ("blobs.synced:1", 5),
        ("manifest.written:1", 5),
        ("manifest.flushed:1", 5),
        ("manifest.synced:1", 5),
        ("prune.manifests:1", 5),
        ("prune.blob:1", 5),
        ("prune.blob:2", 5),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        for version in 1..=4 {
            store.commit(&checkpoint(version)).unwrap();
        }
        drop(store);
        let (at, passing) = name.split_once(':').unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "file_store::tests::child_commits_and_prunes", "--ignored", "--test-threads=1"])
            .env("CHECKPOINTS_TEST_DIR", dir.path())
            .env("PERENNIAL_FAILPOINT", format!("{at}=abort:{passing}"))
            .output()
            .unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&child.status), Some(6), "{name}: {child:?}");
        let store = open(dir.path());
        let pruned = at.starts_with("prune");
        let all: &[u64] = if pruned { &[3, 4, 5] } else { &[1, 2, 3, 4, 5][..expected] };
        assert_eq!((versions(&store), newest(&store)), (all.to_vec(), Some(checkpoint(expected as u64))), "{name}");
        assert_no_leak(&store, dir.path());
        for version in all {
            assert_eq!(store.at("air", *version).unwrap(), checkpoint(*version));
        }
        store.commit(&checkpoint(6)).unwrap();
        store.prune("air", &KEEP).unwrap();
        assert_eq!(newest(&store), Some(checkpoint(6)));
        assert_no_leak(&store, dir.path());
    }
}

#[test]
fn a_lost_database_is_rebuilt_from_the_blobs() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for version in 1..=4 {
        store.commit(&checkpoint(version)).unwrap();
    }
    let before = store.list("air").unwrap();
    drop(store);
    fs::remove_dir_all(dir.path().join("manifests")).unwrap();
    let store = open(dir.path());
    assert_eq!(store.list("air").unwrap(), before);
    assert_eq!(newest(&store), Some(checkpoint(4)));
}

#[test]
fn a_damaged_database_costs_no_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for version in 1..=4 {
        store.commit(&checkpoint(version)).unwrap();
    }
    drop(store);
    let manifests = dir.path().join("manifests");
    let files: Vec<_> = ["conf", "db"].iter().map(|n| (n, fs::read(manifests.join(n)).unwrap())).collect();
    let mut moved = 0;
    for (name, whole) in &files {
        let end = whole.iter().rposition(|b| *b != 0).unwrap();
        // About 30 places in each file, and emptied, cut and overwritten files.
        let places: Vec<usize> = (0..=end).step_by((end / 30).max(1)).collect();
        let mut damages: Vec<Vec<u8>> = places.iter().map(|at| flipped(whole, *at)).collect();
        damages.extend([vec![], whole[..end / 2].to_vec(), vec![0xa5; whole.len()]]);
        for (i, damage) in damages.iter().enumerate() {
            let _ = fs::remove_dir_all(&manifests);
            fs::create_dir(&manifests).unwrap();
            for (n, bytes) in &files {
                fs::write(manifests.join(n), if n == name { damage } else { bytes }).unwrap();
            }
            let store = open(dir.path());
            assert_eq!(newest(&store), Some(checkpoint(4)), "{name}, damage {i}");
            drop(store);
            for aside in
                durable::names_in(&RealDisk, dir.path()).unwrap().iter().filter(|n| n.starts_with("manifests.damaged"))
            {
                fs::remove_dir_all(dir.path().join(aside)).unwrap();
                moved += 1;
            }
        }
    }
    assert!(moved > 0);
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

/// Three are kept: the folder holds little more than three times what one takes, however many there were.
#[test]
fn disk_stays_bounded_over_many_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let large = |version: u64| (0..1u64 << 20).map(|i| ((i * 31) ^ (i >> 7) ^ (version * 97)) as u8).collect();
    let one = |version| {
        let sections = vec![Section { name: "trees".into(), version: 1, bytes: large(version) }];
        Checkpoint { state_hash: hash_sections(&sections, &[]), sections, ..checkpoint(version) }
    };
    let mut most = 0;
    for version in 1..=150 {
        store.commit(&one(version)).unwrap();
        store.prune("air", &KEEP).unwrap();
        most = most.max(bytes_under(dir.path()));
    }
    let kept = store.list("air").unwrap().iter().map(|l| l.manifest.bytes()).sum::<u64>();
    assert_eq!(kept, 3 << 20);
    println!("{most} bytes at most for {kept} kept");
    assert!(most <= 3 * kept, "{most} bytes for {kept} kept");
}

fn bytes_under(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|e| if e.path().is_dir() { bytes_under(&e.path()) } else { e.metadata().unwrap().len() }).sum()
}
