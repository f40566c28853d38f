//! A state folder written by format 1 opens for ever: every release reads it to the same hashes.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use checkpoints::{
    Checkpoint, CheckpointStore, Entry, FileJournal, FileStore, Journal, Section, StateDir, hash_sections,
};

const STATE_HASHES: [(u64, &str); 3] = [
    (3, "52807640a3187041dd9d449eb6370830a95c04d10bb6ce4cd4d23767f069ede9"),
    (8, "c009517ad63ea3ab9112e1e7184fb2ae006f5ca247e72cf2fa663dc176153546"),
    (20, "12b38c7579867515a92f2075e8b3691cbdf529e16335d2357d7fae9e25f33a13"),
];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn entries() -> Vec<Entry> {
    let entry = |from: u64, to: u64, payload: &str| Entry { from, to, payload: payload.into() };
    vec![
        entry(0, 0, "genesis"),
        entry(0, 3, "three records"),
        entry(3, 8, "five more"),
        entry(8, 20, ""),
        entry(20, 21, "promote"),
    ]
}

fn checkpoint(version: u64) -> Checkpoint {
    let section = |name: &str, layout, bytes: Vec<u8>| Section { name: name.into(), version: layout, bytes };
    let sections = vec![
        section("learner/linear", 2, version.to_le_bytes().repeat(9)),
        section("window", 1, (0..70_000u32).map(|i| (i % 251) as u8).collect()),
        section("position", 1, vec![]),
    ];
    Checkpoint {
        model: "air".into(),
        version,
        created_at_ms: 1_700_000_000_000 + version as i64,
        state_hash: hash_sections(&sections, &[]),
        model_hash: hash_sections(&sections, &["position"]),
        meta: format!("meta of {version}").into_bytes(),
        sections,
        unchanged: Vec::new(),
    }
}

#[test]
#[ignore = "writes tests/fixtures/v1: only with PERENNIAL_WRITE_FIXTURE set, when the folder of a new format is made"]
fn write_the_fixture() {
    // Whoever runs all ignored tests does not mean this one.
    if std::env::var_os("PERENNIAL_WRITE_FIXTURE").is_none() {
        return;
    }
    let state = StateDir::open(fixture()).unwrap();
    let store = FileStore::open(&state).unwrap();
    let mut journal = FileJournal::open(&state, "air", 100).unwrap();
    for entry in entries() {
        journal.append(&entry).unwrap();
        journal.sync().unwrap();
    }
    for (version, _) in STATE_HASHES {
        store.commit(&checkpoint(version)).unwrap();
    }
    store.pin("air", 8, true).unwrap();
}

#[test]
fn format_1_opens_for_ever() {
    for is_database_there in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        copy(&fixture(), dir.path());
        if !is_database_there {
            fs::remove_dir_all(dir.path().join("manifests")).unwrap();
        }
        let state = StateDir::open_existing(dir.path()).unwrap();
        assert_eq!(state.models().unwrap(), ["air"]);
        let store = FileStore::open(&state).unwrap();
        let listed = store.list("air").unwrap();
        assert_eq!(
            listed.iter().map(|l| (l.manifest.version, l.is_pinned)).collect::<Vec<_>>(),
            [(3, false), (8, true), (20, false)]
        );
        for (version, hash) in STATE_HASHES {
            let loaded = store.at("air", version).unwrap();
            assert_eq!(blake3::Hash::from_bytes(loaded.state_hash).to_hex().as_str(), hash);
            assert_eq!(hash_sections(&loaded.sections, &[]), loaded.state_hash);
            assert_eq!(loaded, checkpoint(version));
        }
        let latest = store.latest("air").unwrap();
        assert_eq!((latest.checkpoint.unwrap().version, latest.skipped), (20, vec![]));
        let journal = FileJournal::open(&state, "air", 100).unwrap();
        assert_eq!((journal.end(), journal.truncated_bytes()), (21, 0));
        assert_eq!(journal.first().unwrap(), Some(entries().remove(0)));
        let read: Vec<Entry> = journal.read_from(0).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, entries()[1..]);
    }
}
