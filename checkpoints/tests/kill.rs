//! A process that journals, commits and prunes without pause is killed (SIGKILL) again and again, at any moment, also while
//! it opens. After every kill: what it had said was durable is there, whole, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use checkpoints::{
    Checkpoint, CheckpointStore, Entry, FileJournal, FileStore, Journal, Keep, Section, StateDir, hash_sections,
};

const KILLS: u64 = 30;
const KEEP: Keep = Keep { last: 3, hourly: 0, daily: 0, compact: false };
/// Small, so that kills meet rotation.
const ROTATE_AT_BYTES: u64 = 2_000;

fn entry(from: u64) -> Entry {
    if from == 0 {
        return Entry { from: 0, to: 1, payload: b"first".to_vec() };
    }
    let to = from + 1 + from % 3;
    Entry { from, to, payload: (0..from % 90).map(|i| (i * from) as u8).collect() }
}

fn checkpoint(version: u64) -> Checkpoint {
    let large = |seed: u64, n: u64| (0..n).map(|i| (i ^ (i >> 8) ^ seed) as u8).collect::<Vec<u8>>();
    let section = |name: &str, bytes| Section { name: name.into(), version: 1, bytes };
    let sections = vec![
        section("trees", large(version, 100_000)),
        section("ring", large(version / 16, 80_000)),
        section("scores", large(version, 3_000)),
    ];
    Checkpoint {
        model: "m".into(),
        version,
        created_at_ms: 0,
        state_hash: hash_sections(&sections, &[]),
        model_hash: [0; 32],
        meta: version.to_le_bytes().to_vec(),
        sections,
        unchanged: Vec::new(),
    }
}

/// Opens all, checks all, and returns (version of the checkpoint, end of the journal).
fn verify(state: &StateDir) -> (FileStore, FileJournal, u64) {
    let journal = FileJournal::open(state, "m", ROTATE_AT_BYTES).unwrap();
    let mut version = 0;
    for read in journal.read_from(0).unwrap() {
        assert_eq!(read.unwrap(), entry(version));
        version = entry(version).to;
    }
    assert_eq!(journal.end(), version);
    let store = FileStore::open(state).unwrap();
    let loaded = store.latest("m").unwrap();
    assert_eq!(loaded.skipped, []);
    let saved = loaded.checkpoint.map_or(0, |c| {
        assert_eq!(c, checkpoint(c.version));
        c.version
    });
    assert!(saved <= version, "checkpoint {saved} is ahead of the journal's end {version}");
    (store, journal, saved)
}

/// The child: says what is durable, line by line.
#[test]
#[ignore = "the child process of the kill test"]
fn child_works_until_killed() {
    // Without its parent there is nothing to do.
    let Ok(dir) = std::env::var("CHECKPOINTS_TEST_DIR") else { return };
    let state = StateDir::open(dir).unwrap();
    let (store, mut journal, _) = verify(&state);
    let say = |what: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{what}").unwrap();
        out.flush().unwrap();
    };
    for n in 0..100_000 {
        let next = entry(journal.end());
        journal.append(&next).unwrap();
        if n % 2 == 0 {
            journal.sync().unwrap();
            say(format!("journal {}", next.to));
            store.commit(&checkpoint(next.to)).unwrap();
            say(format!("checkpoint {}", next.to));
            store.prune("m", &KEEP).unwrap();
        }
    }
}

/// A run of one child until it is killed: after `lines` lines of what is durable, and a little.
fn run_and_kill(dir: &Path, lines: u64, then: Duration) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_works_until_killed", "--ignored", "--nocapture", "--test-threads=1"])
        .env("CHECKPOINTS_TEST_DIR", dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut journal, mut saved, mut seen) = (0, 0, 0);
    let mut line = String::new();
    let mut read = |out: &mut BufReader<_>| {
        line.clear();
        let n = out.read_line(&mut line).unwrap();
        // The test runner's "test … " may stand before the first one; a last line may be cut off.
        let durable = line
            .strip_suffix('\n')
            .and_then(|l| l.rsplit_once(' '))
            .and_then(|(l, v)| Some((l.to_owned(), v.parse::<u64>().ok()?)));
        if let Some((what, version)) = durable {
            if what.ends_with("journal") {
                journal = version;
                seen += 1
            }
            if what.ends_with("checkpoint") {
                saved = version;
                seen += 1
            }
        }
        (n > 0, seen)
    };
    let mut said = 0;
    while said < lines {
        let (more, seen) = read(&mut out);
        assert!(more, "the child ended by itself");
        said = seen;
    }
    std::thread::sleep(then);
    child.kill().unwrap();
    while read(&mut out).0 {}
    child.wait().unwrap();
    (journal, saved)
}

#[test]
fn thirty_kills_lose_nothing_that_was_said_to_be_durable() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (lines, then) = ((random >> 33) % 9, Duration::from_micros((random >> 40) % 30_000));
        let (journaled, said) = run_and_kill(dir.path(), lines, then);
        let state = StateDir::open(dir.path()).unwrap();
        let (store, journal, saved) = verify(&state);
        assert!(
            journal.end() >= journaled && saved >= said,
            "kill {kill}: {} < {journaled} or {saved} < {said}",
            journal.end()
        );
        let listed = store.list("m").unwrap();
        for l in &listed {
            assert_eq!(store.at("m", l.manifest.version).unwrap(), checkpoint(l.manifest.version));
        }
        assert!(listed.len() <= 4, "three are kept, a fourth was not pruned yet: {}", listed.len());
        // A pack for each, a "trees" for each, a "ring" for one or several.
        let files = std::fs::read_dir(dir.path().join("models/m/blobs")).map_or(0, Iterator::count);
        assert!(files <= 3 * listed.len(), "{files} files for {} checkpoints", listed.len());
        store.prune("m", &KEEP).unwrap();
        assert!(
            !std::fs::read_dir(dir.path()).unwrap().any(|e| e
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains("damaged"))
        );
    }
    let (_, journal, saved) = verify(&StateDir::open(dir.path()).unwrap());
    assert!(saved > 20 && journal.end() >= saved, "the children got somewhere: {saved}");
}
