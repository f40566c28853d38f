//! Anything in a state folder is damaged while nobody looks, at seeded places: bits flip, files are cut, emptied, lost,
//! overwritten, or strangers lie about.
//!
//! The feared failure: a wrong state is taken for a right one. Whatever is loaded must be what was saved; whatever is read
//! of the journal must be what was written; damage to what can be rebuilt costs nothing; what is moved aside is kept.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use checkpoints::{
    Checkpoint, CheckpointError, CheckpointStore, Entry, FileJournal, FileStore, Journal, Look, Section, StateDir,
    hash_sections,
};

const SEEDS: u64 = 250;
const VERSIONS: [u64; 4] = [10, 20, 30, 40];
const ROTATE_AT_BYTES: u64 = 600;

fn next(random: &mut u64) -> u64 {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *random >> 20
}

fn entry(from: u64) -> Entry {
    Entry { from, to: from + 1, payload: (0..20 + from).map(|i| (i * 7 + from) as u8).collect() }
}

fn checkpoint(version: u64) -> Checkpoint {
    let large = |seed: u64| (0..70_000u64).map(|i| ((i * 31) ^ (i >> 7) ^ (seed * 97)) as u8).collect();
    let section = |name: &str, bytes| Section { name: name.into(), version: 1, bytes };
    let sections = vec![section("trees", large(version)), section("small", vec![version as u8; 99])];
    Checkpoint {
        model: "m".into(),
        version,
        created_at_ms: version as i64,
        state_hash: hash_sections(&sections, &[]),
        model_hash: [1; 32],
        meta: version.to_le_bytes().to_vec(),
        sections,
        unchanged: Vec::new(),
    }
}

fn make(dir: &Path) {
    let state = StateDir::open(dir).unwrap();
    let store = FileStore::open(&state).unwrap();
    let mut journal = FileJournal::open(&state, "m", ROTATE_AT_BYTES).unwrap();
    for from in 0..40 {
        journal.append(&entry(from)).unwrap();
        journal.sync().unwrap();
        if VERSIONS.contains(&(from + 1)) {
            store.commit(&checkpoint(from + 1)).unwrap();
        }
    }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
    found.sort();
}

fn copy(from: &Path, to: &Path) {
    let mut all = Vec::new();
    files(from, &mut all);
    for file in all {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

/// Damages one file or adds one; which, and how.
fn damage(dir: &Path, random: &mut u64) -> (PathBuf, &'static str) {
    let mut all = Vec::new();
    files(dir, &mut all);
    all.retain(|path| !matches!(path.file_name().unwrap().to_str().unwrap(), "LOCK" | "FORMAT"));
    let path = all[next(random) as usize % all.len()].clone();
    let bytes = fs::read(&path).unwrap();
    // The database's file is mostly empty: damage what is written.
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |at| at + 1);
    let at = next(random) as usize % used;
    let (what, damaged) = match next(random) % 7 {
        0 | 1 => ("a bit flips", {
            let mut bytes = bytes;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (next(random) % 8);
            }
            Some(bytes)
        }),
        2 => ("it is cut", Some(bytes[..at.min(bytes.len())].to_vec())),
        3 => ("a stretch is zeros", {
            let mut bytes = bytes;
            let end = (at + 1 + next(random) as usize % 600).min(bytes.len());
            bytes[at.min(end)..end].fill(0);
            Some(bytes)
        }),
        4 => ("something is appended", Some([bytes, vec![next(random) as u8; 33]].concat())),
        5 => ("it is lost", None),
        _ => {
            let names = ["models/m/blobs/0123.tmp", "models/m/journal/x.tmp", "manifests/snap.00.generating"];
            let stranger = dir.join(names[next(random) as usize % names.len()]);
            fs::write(&stranger, b"half").unwrap();
            return (stranger, "a leftover");
        }
    };
    match damaged {
        Some(bytes) => fs::write(&path, bytes).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    (path, what)
}

/// What is there must be what was saved; returns the newest version that loads, and the journal's end.
fn check(dir: &Path, why: &str) -> (Option<u64>, Result<u64, CheckpointError>) {
    let state = StateDir::open(dir).unwrap();
    let journal = FileJournal::open(&state, "m", ROTATE_AT_BYTES).and_then(|journal| {
        let mut end = 0;
        for read in journal.read_from(0)? {
            let read = read?;
            assert_eq!(read, entry(end), "{why}");
            end = read.to;
        }
        Ok(end)
    });
    let store = FileStore::open(&state).unwrap_or_else(|e| panic!("{why}: {e}"));
    let loaded = store.latest("m").unwrap();
    let newest = loaded.checkpoint.as_ref().map(|checkpoint| checkpoint.version);
    for found in store.list("m").unwrap() {
        let version = found.manifest.version;
        if let Ok(found) = store.at("m", version) {
            assert_eq!(found, checkpoint(version), "{why}");
        }
    }
    // An older one is never taken in silence.
    let told = loaded.skipped.iter().map(|skipped| skipped.version).max();
    let listed = store.list("m").unwrap().last().map(|listed| listed.manifest.version);
    assert!(listed == newest || told == listed || listed.is_none(), "{why}: {newest:?} of {listed:?}, told {told:?}");
    drop(store);
    let mut look = Look::at(dir, "m").unwrap();
    for listed in look.list().unwrap() {
        if let Ok(found) = look.load(listed.manifest.version) {
            assert_eq!(found, checkpoint(listed.manifest.version), "{why}");
        }
    }
    (newest, journal)
}

#[test]
fn no_damage_makes_a_wrong_state() {
    let made = tempfile::tempdir().unwrap();
    make(made.path());
    let (mut fell_back, mut refused, mut aside) = (0, 0, 0);
    for seed in 0..SEEDS {
        let dir = tempfile::tempdir().unwrap();
        copy(made.path(), dir.path());
        let mut random = seed;
        let (path, what) = damage(dir.path(), &mut random);
        let place = path.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned();
        let why = format!("seed {seed}: {place}: {what}");
        let (newest, journal) = check(dir.path(), &why);
        fell_back += u32::from(newest != Some(40));
        refused += u32::from(journal.is_err());
        if !place.starts_with("models/m/blobs") || what == "a leftover" {
            assert_eq!(newest, Some(40), "{why}: the checkpoints are whole");
        }
        assert!(newest >= Some(30), "{why}: one file is at most one checkpoint");
        if !place.starts_with("models/m/journal") || what == "a leftover" {
            assert_eq!(journal.unwrap(), 40, "{why}: the journal is whole");
        }
        let moved = dir.path().join("manifests.damaged-1");
        if moved.is_dir() {
            aside += 1;
            assert!(fs::read_dir(&moved).unwrap().next().is_some(), "{why}: it is kept");
        }
        // The next opening finds the same.
        assert_eq!(check(dir.path(), &why).0, newest, "{why}");
    }
    assert!(fell_back > 5 && refused > 5 && aside > 5, "{fell_back} fell back, {refused} refused, {aside} moved aside");
}
