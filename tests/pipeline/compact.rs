//! A journal that was compacted: the model goes on from its checkpoints as before, and what is gone is said to be gone.

use checkpoints::{Entry, FileJournal, Journal, Look};
use perennial::pipeline::{OpenError, RefoldError};

use super::*;

fn journal(dir: &Path) -> PathBuf {
    dir.join("models/m/journal")
}

/// Writes the journal anew in segments of 200 bytes: they take 64 MiB otherwise.
fn cut_small(dir: &Path) {
    let state = StateDir::open(dir).unwrap();
    let look = || Look::at(dir, "m").unwrap();
    let mut entries: Vec<Entry> = vec![look().first().unwrap().unwrap()];
    entries.extend(look().entries(0).unwrap().map(Result::unwrap));
    fs::remove_dir_all(journal(dir)).unwrap();
    let mut small = FileJournal::open(&state, "m", 200).unwrap();
    for entry in &entries {
        small.append(entry).unwrap();
        small.sync().unwrap();
    }
}

fn kept(dir: &Path) -> Vec<u64> {
    Look::at(dir, "m").unwrap().list().unwrap().iter().map(|listed| listed.manifest.version).collect()
}

#[test]
fn a_compacted_journal_serves_every_kept_version_and_says_what_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let kafka = KafkaConfig { brokers: broker.bootstrap.clone(), ..KafkaConfig::default() };
    let (whole, cut) = (dir.path().join("whole"), dir.path().join("cut"));
    let mut models = [model("m", &["t"])];
    models[0].runtime.keep.compact = true;
    let events = events(8_000);
    for until in (1..8).map(|n| n * 1_000) {
        send(&broker, "t", 0, events[until - 1_000..until].to_vec());
        let world = start(&broker, &cut, &models).unwrap();
        world.wait("m", until as u64 + 1);
        world.stop();
    }
    cut_small(&cut);
    let files = || fs::read_dir(journal(&cut)).unwrap().count();
    let before = files();
    send(&broker, "t", 0, events[7_000..].to_vec());
    for state in [&cut, &whole] {
        let world = start(&broker, state, &models).unwrap();
        world.wait("m", 8_001);
        world.stop();
    }
    assert_eq!(model_hash(&cut, "m"), model_hash(&whole, "m"));
    assert!(files() < before, "{} files of {before}", files());

    // Proved from the oldest checkpoint, which the journal still reaches.
    let kept = kept(&cut);
    let mut source = plan(&models[0], &kafka, Duration::from_millis(200)).make_source;
    let mut look = Look::at(&cut, "m").unwrap();
    let proof = pipeline::verify(&mut look, &mut source, None, &|_| {}).unwrap();
    assert_eq!((proof.from, proof.versions), (Some(kept[0]), kept[1..].to_vec()));
    let between = kept[0] + 7;
    let past = pipeline::travel(&mut look, between, &mut source, 0, &|_| {}).unwrap();
    assert_eq!((past.checkpoint.version, past.from), (between, Some(kept[0])));
    match pipeline::travel(&mut look, 700, &mut source, 0, &|_| {}) {
        Err(RefoldError::Gone(gone)) => assert!(gone.contains("compaction"), "{gone}"),
        other => panic!("{:?}", other.map(|past| past.from)),
    }

    // Without any checkpoint nothing leads to the end.
    fs::remove_dir_all(cut.join("manifests")).unwrap();
    fs::remove_dir_all(cut.join("models/m/blobs")).unwrap();
    let refused = start(&broker, &cut, &models).err().unwrap().downcast::<OpenError>().unwrap();
    assert!(refused.is_damage() && refused.to_string().contains("compaction"), "{refused}");
}
