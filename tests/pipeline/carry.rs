//! States of an older release, whose learners behave otherwise, are carried forward: the state as it was saved, by a decision
//! in the journal, and by this release's rules from there on. The older release is today's under an older number.

use checkpoints::{Entry as Frame, FileJournal, Journal, Look};
use fold::{CARRIED_FROM, Decision, Entry, FOLD_VERSION};
use perennial::pipeline::{Meta, OpenError};

use super::*;

/// Copies a model's state as a release of that fold version would have written it.
fn written_by(fold_version: u32, from: &Path, to: &Path) {
    let (old, new) = (StateDir::open_existing(from).unwrap(), StateDir::open(to).unwrap());
    let theirs = FileJournal::open(&old, "m", FileJournal::ROTATE_AT_BYTES).unwrap();
    let mut journal = FileJournal::open(&new, "m", FileJournal::ROTATE_AT_BYTES).unwrap();
    let Entry::Genesis { config, start, .. } = Entry::decode(&theirs.first().unwrap().unwrap().payload).unwrap() else {
        panic!("a journal begins with genesis");
    };
    let genesis = Entry::Genesis { fold_version, config, start };
    journal.append(&Frame { from: 0, to: 0, payload: genesis.encode() }).unwrap();
    for frame in theirs.read_from(0).unwrap() {
        journal.append(&frame.unwrap()).unwrap();
    }
    journal.sync().unwrap();
    let (theirs, store) = (FileStore::open(&old).unwrap(), FileStore::open(&new).unwrap());
    for listed in theirs.list("m").unwrap() {
        let mut checkpoint = theirs.at("m", listed.manifest.version).unwrap();
        let meta = Meta { fold_version, ..Meta::decode(&checkpoint.meta) };
        checkpoint.meta = meta.encode();
        store.commit(&checkpoint).unwrap();
    }
}

/// Where the state of an older release was gone on from, as the journal says.
fn carried(dir: &Path) -> Vec<(u32, u64)> {
    let state = StateDir::open_existing(dir).unwrap();
    let journal = FileJournal::open(&state, "m", FileJournal::ROTATE_AT_BYTES).unwrap();
    let decision = |frame: Result<Frame, _>| match Entry::decode(&frame.unwrap().payload).unwrap() {
        Entry::Decided { decision: Decision::Carry { fold_version, since }, .. } => Some((fold_version, since)),
        _ => None,
    };
    journal.read_from(0).unwrap().filter_map(decision).collect()
}

/// The versions kept.
fn kept(dir: &Path) -> Vec<u64> {
    let state = StateDir::open_existing(dir).unwrap();
    FileStore::open(&state).unwrap().list("m").unwrap().iter().map(|listed| listed.manifest.version).collect()
}

#[test]
fn the_state_of_an_older_release_goes_on_and_is_proved_from_there_on() {
    let dir = tempfile::tempdir().unwrap();
    let [first, old, too_old] = ["first", "old", "too-old"].map(|name| dir.path().join(name));
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let kafka = KafkaConfig { brokers: broker.bootstrap.clone(), ..KafkaConfig::default() };
    let model = model("m", &["t"]);
    let models = [model.clone()];
    let events = events(6_000);
    send(&broker, "t", 0, events[..2_000].to_vec());
    let world = start(&broker, &first, &models).unwrap();
    world.wait("m", 2_001);
    world.stop();
    written_by(FOLD_VERSION - 1, &first, &old);
    written_by(CARRIED_FROM - 1, &first, &too_old);

    let refused = start(&broker, &too_old, &models).err().unwrap();
    let refused = refused.downcast::<OpenError>().unwrap();
    assert!(matches!(refused, OpenError::FoldVersion { got, .. } if got < CARRIED_FROM), "{refused}");
    assert!(refused.to_string().contains("perennial state reset --model m"), "{refused}");

    let at = *kept(&old).last().unwrap();
    for until in [4_000, 6_000] {
        send(&broker, "t", 0, events[until - 2_000..until].to_vec());
        let world = start(&broker, &old, &models).unwrap();
        // The partition, and once the decision to go on.
        world.wait("m", until as u64 + 2);
        world.stop();
        assert_eq!(carried(&old), [(FOLD_VERSION, at)], "decided once");
        // From the first state that this release has saved.
        let ours: Vec<u64> = kept(&old).into_iter().filter(|version| *version > at).collect();
        let mut source = plan(&model, &kafka, Duration::from_millis(200)).make_source;
        let proof = pipeline::verify(&mut Look::at(&old, "m").unwrap(), &mut source, None, &|_| {}).unwrap();
        assert_eq!((proof.from, proof.versions), (Some(ours[0]), ours[1..].to_vec()));
    }
    // It has learned on as if nothing had been: the older release is today's.
    let world = start(&broker, &first, &models).unwrap();
    world.wait("m", 6_001);
    world.stop();
    assert_eq!(model_hash(&old, "m").0, model_hash(&first, "m").0);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// `fold-3` was written by the last release of fold version 3: 900 events, of which 100 wait for their labels, with what the
/// members of an ensemble had said about them. It opens for ever.
#[test]
fn the_state_of_fold_version_3_opens() {
    let dir = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pipeline/fold-3"), dir.path());
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let mut model = model("m", &["t"]);
    model.fold.learner = "ensemble:members=linear+majority".parse().unwrap();
    model.fold.challengers = vec!["hoeffding_tree".parse().unwrap(), "no_change".parse().unwrap()];
    let labels = fold::Labels { at_most_ms: 1 << 40, ..fold::Labels::default() };
    model.fold.wait_for_labels(fold::Horizon::Events(100), labels);
    send(&broker, "t", 0, events(1_500));
    let world = start(&broker, dir.path(), &[model]).unwrap();
    // Partition, 900 events, the decision to go on, 600 events.
    world.wait("m", 1_502);
    let snapshot = world.answering();
    assert_eq!((snapshot.counts.events, snapshot.labels.waiting), (1_400, 100));
    // What comes 100 events later cannot be known: the majority's share is all there is to reach.
    let report = &snapshot.standings[0].report;
    assert!(report.rolling.accuracy > Some(0.55), "{report:?}");
    world.stop();
    assert_eq!(carried(dir.path()), [(FOLD_VERSION, 901)]);
}
