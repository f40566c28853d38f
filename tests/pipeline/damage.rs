//! A state that was damaged between two lives.

use fold::{Horizon, Labels};

use super::*;

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort_by_key(|file| file.metadata().unwrap().modified().unwrap());
    files
}

/// The newest checkpoint does not verify: the one before is gone on from, to the same model.
#[test]
fn a_damaged_checkpoint_costs_time_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let (whole, hurt) = (dir.path().join("whole"), dir.path().join("hurt"));
    let events = events(4_000);
    send(&broker, "t", 0, events[..3_000].to_vec());
    let world = start(&broker, &hurt, &[model("m", &["t"])]).unwrap();
    world.wait("m", 3_001);
    world.stop();
    let newest = files(hurt.join("models/m/blobs")).pop().unwrap();
    let bytes = fs::read(&newest).unwrap();
    fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    send(&broker, "t", 0, events[3_000..].to_vec());
    for state in [&hurt, &whole] {
        let world = start(&broker, state, &[model("m", &["t"])]).unwrap();
        world.wait("m", 4_001);
        world.stop();
    }
    assert_eq!(model_hash(&hurt, "m"), model_hash(&whole, "m"));
}

/// Rows that wait are only named once they were saved: what is gone from the disk meanwhile is written again.
#[test]
fn saved_rows_that_vanish_under_a_living_model_are_saved_again() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let (whole, hurt) = (dir.path().join("whole"), dir.path().join("hurt"));
    let mut model = model("m", &["t"]);
    model.fold.wait_for_labels(Horizon::Events(4_000), Labels { at_most_ms: 1 << 40, ..Labels::default() });
    let models = [model];
    let events = events(6_000);
    send(&broker, "t", 0, events[..3_500].to_vec());
    let world = start(&broker, &hurt, &models).unwrap();
    world.wait("m", 3_501);
    let saved = || world.handle().status.get().checkpoint.map_or(0, |checkpoint| checkpoint.version);
    let until = Instant::now() + WITHIN;
    while saved() < 2_800 {
        assert!(Instant::now() < until, "the last checkpoint is {}", saved());
        std::thread::sleep(Duration::from_millis(5));
    }
    let blobs = files(hurt.join("models/m/blobs"));
    assert!(
        blobs.iter().filter(|blob| blob.metadata().unwrap().len() > 50_000).count() >= 2,
        "blocks of rows are there"
    );
    blobs.iter().for_each(|blob| fs::remove_file(blob).unwrap());
    for (from, part) in (3_500..).step_by(800).zip(events[3_500..].chunks(800)) {
        send(&broker, "t", 0, part.to_vec());
        world.wait("m", 1 + from + part.len() as u64);
    }
    world.stop();
    let world = start(&broker, &whole, &models).unwrap();
    world.wait("m", 6_001);
    world.stop();
    assert_eq!(model_hash(&hurt, "m"), model_hash(&whole, "m"));
}

/// A journal that cannot be read stops its model; alone it stops the start.
#[test]
fn a_damaged_journal_stops_its_model_alone() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    send(&broker, "t", 0, events(1_000));
    let models = [model("m", &["t"]), model("other", &["t"])];
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 1_001);
    world.wait("other", 1_001);
    world.stop();
    let journal = files(dir.path().join("models/m/journal")).pop().unwrap();
    let mut bytes = fs::read(&journal).unwrap();
    bytes[60] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    send(&broker, "t", 0, events(500));
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("other", 1_501);
    let Phase::Stopped { reason } = world.handle().status.get().phase else { panic!("it is not stopped") };
    assert!(reason.contains(".journal is damaged at byte"), "{reason}");
    assert!(world.handle().live.load().is_none());
    world.stop();
    let refused = start(&broker, dir.path(), &models[..1]).err().unwrap().to_string();
    assert!(refused.contains(".journal is damaged at byte"), "{refused}");
    assert_eq!(fs::read(&journal).unwrap(), bytes, "it is left as it was found");
}
