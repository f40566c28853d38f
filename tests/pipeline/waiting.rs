//! A million rows that wait for labels: a checkpoint writes what changed of them.

use checkpoints::OWN_FILE_FROM_BYTES;
use features::{PartitionId, Record, TopicId};
use fold::{Chunk, Fold, Horizon, Labels, Position, Sections};
use perennial::pipeline::all_to_store;

use super::*;

const ROWS: u64 = 1_000_000;

#[test]
fn a_checkpoint_with_a_million_waiting_rows_writes_what_changed() {
    let dir = tempfile::tempdir().unwrap();
    let mut model = model("m", &["t"]);
    model.fold.learner = "mean".parse().unwrap();
    model.fold.event.task = Task::Regression;
    model.fold.event.target = "y".into();
    model.fold.event.time = None;
    model.fold.challengers.clear();
    model.fold.wait_for_labels(Horizon::Now, Labels { topic: "l".into(), rows: 2 * ROWS, ..Labels::default() });
    let record = |topic: u16, i: u64, payload: String| Record {
        from: PartitionId { topic: TopicId(topic), partition: 0 },
        offset: i as i64,
        payload: Some(payload.into()),
        ..Record::default()
    };
    let event = |i: u64| record(0, i, format!(r#"{{"id":{i},"a":{},"b":{}}}"#, i % 7, i % 11));
    let (mut fold, mut chunk) = (Fold::genesis(model.fold.clone(), Position::new()).unwrap(), Chunk::default());
    let mut learn = |fold: &mut Fold, records: &[Record]| {
        fold.decode(records, &mut chunk);
        fold.train(&mut chunk);
    };
    for begin in (0..ROWS).step_by(1_000) {
        learn(&mut fold, &(begin..begin + 1_000).map(event).collect::<Vec<_>>());
    }
    let state = StateDir::open(dir.path()).unwrap();
    let store = FileStore::open(&state).unwrap();
    let commit = |fold: &Fold| {
        let sections = all_to_store(fold.save_to(Sections::leaving_out(OWN_FILE_FROM_BYTES)));
        let carried = sections.0.iter().map(|section| section.bytes.len()).sum::<usize>();
        let checkpoint = Checkpoint::new("m", fold.version(), 0, vec![], sections, fold::NOT_THE_MODEL);
        (store.commit(&checkpoint).unwrap(), carried)
    };
    let (first, all) = commit(&fold);
    // A second of a busy stream: events pass, labels come for rows of any age.
    learn(&mut fold, &(ROWS..ROWS + 1_000).map(event).collect::<Vec<_>>());
    let labels = (0..1_000).map(|i| record(1, i, format!(r#"{{"id":{},"target":1.5}}"#, i * 997))).collect::<Vec<_>>();
    learn(&mut fold, &labels);
    let (second, carried) = commit(&fold);
    println!("{all} bytes serialised, {first:?}; then {carried}, {second:?}");
    assert_eq!(fold.snapshot().labels.waiting, ROWS);
    assert!(first.bytes_written > 30 << 20, "{first:?}");
    assert!(carried * 20 < all, "{carried} of {all}");
    assert!(second.bytes_written * 20 < first.bytes_written && second.files_written < 10, "{second:?}");
    // The same from a process that finds it.
    drop(store);
    let found = FileStore::open(&state).unwrap().latest("m").unwrap().checkpoint.unwrap();
    let found = Fold::restore(model.fold.clone(), &pipeline::from_store(found.sections)).unwrap();
    assert!(found.save() == fold.save());
}
