//! Records as a topic may bring them, read as events, as labels and as served predictions, and folded.
//!
//! Input: a byte of choices, then one record a line.

use std::sync::Arc;

use features::{EventSpec, LabelSource, Limits, Observer, Record, Schema, Start, Task};
use fold::{Chunk, Fold, FoldConfig, Horizon, Labels, OnDrift, Position};

/// A model's configuration with small limits, so that they are met.
pub fn fold_config(task: Task, learner: &str) -> FoldConfig {
    let event = EventSpec {
        task,
        target: "y".into(),
        label: LabelSource::Event,
        time: Some("at".into()),
        entity: Some("who".into()),
        id: Some("id".into()),
        features: Vec::new(),
        nominal: vec!["n".into()],
        ignore: vec!["secret".into()],
        limits: Limits { record: 4_096, features: 12, categories: 6, classes: 4, text: 40, depth: 5 },
    };
    FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event,
        learner: learner.parse().expect("the catalog has it"),
        challengers: Vec::new(),
        seed: 1,
        max_bytes: 1 << 20,
        detector: "adwin".into(),
        false_alarms: 1_000_000,
        on_drift: OnDrift::Alert,
        min_gain_ppm: 5_000,
        horizon: Horizon::Now,
        labels: None,
        requests: None,
    }
}

/// The records of an input.
pub fn records(lines: &[u8]) -> Vec<Record> {
    let record = |(i, line): (usize, &[u8])| Record {
        offset: i as i64,
        payload: Some(line.to_vec().into()),
        ..Record::default()
    };
    lines.split(|byte| *byte == b'\n').enumerate().map(record).collect()
}

/// Nothing panics, a rejected record changes nothing, a row fits its schema, a saved schema comes back.
pub fn run(data: &[u8]) {
    let Some((&choice, lines)) = data.split_first() else { return };
    let task = if choice & 1 == 0 { Task::Regression } else { Task::Classification };
    let mut config = fold_config(task, if choice & 8 == 0 { "linear" } else { "hoeffding_tree" });
    match choice >> 1 & 3 {
        0 => {}
        1 => config.wait_for_labels(Horizon::Events(2), Labels { rows: 3, ..Labels::default() }),
        2 => config.wait_for_labels(Horizon::Ms(10), Labels { rows: 3, ..Labels::default() }),
        _ => config.wait_for_labels(Horizon::Now, Labels { topic: "labels".into(), rows: 3, ..Labels::default() }),
    }
    let records = records(lines);
    read(&config, &records);

    let (mut fold, mut chunk) =
        (Fold::genesis(config.clone(), Position::new()).expect("it has a fold"), Chunk::default());
    for batch in records.chunks(3) {
        fold.decode(batch, &mut chunk);
        fold.train(&mut chunk);
    }
    assert_eq!(fold.version(), records.len() as u64);
    let saved = fold.save();
    let again = Fold::restore(config, &saved).expect("what was saved comes back").save();
    assert!(again == saved, "what was saved comes back as it was");
}

fn read(config: &FoldConfig, records: &[Record]) {
    let mut schema = Arc::new(Schema::new(Arc::new(config.event.clone())));
    let (mut events, mut labels, mut served) = (Observer::default(), Observer::default(), Observer::default());
    let (mut row, mut probabilities) = (Vec::new(), Vec::new());
    for record in records {
        let before = Arc::clone(&schema);
        match Schema::observe(&mut schema, &mut events, record, &mut row) {
            Ok(_) => {
                assert_eq!(row.len(), schema.fields().len());
                assert!(row.iter().all(|x| !x.is_infinite()));
            }
            Err(e) => {
                assert!(Arc::ptr_eq(&before, &schema), "a rejected record changes nothing: {e}");
                assert!(!e.to_string().is_empty());
            }
        }
        let _ = events.id();
        let before = Arc::clone(&schema);
        if Schema::observe_label(&mut schema, &mut labels, record).is_err() {
            assert!(Arc::ptr_eq(&before, &schema), "a rejected label changes nothing");
        }
        let _ = schema.observe_served(&mut served, record, &mut probabilities);
    }
    let limits = config.event.limits;
    assert!(schema.fields().len() <= limits.features && schema.classes().len() <= limits.classes);
    assert!(schema.fields().iter().all(|field| field.categories.len() <= limits.categories));
    let saved = schema.save();
    let back = Schema::restore(Arc::new(config.event.clone()), &saved).expect("what was saved comes back");
    assert!(back.save() == saved);
}
