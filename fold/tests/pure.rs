//! The fold is a pure function of genesis, journal and log: how the records come to it changes nothing.
//!
//! The feared failure: a model that depends on how many records a poll happened to deliver, on when a checkpoint was
//! taken, or on where the process was killed. So one log is folded in many ways and every section must be equal.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use features::{EventSpec, EventTime, NextOffset, PartitionId, Record, Start, Task, TopicId};
use fold::{Chunk, Decision, Entry, Fold, FoldConfig, Position, digest, merge, runs_of};
use learners::{LearnerSpec, Section, catalog};
use proptest::prelude::*;

fn config(task: Task) -> FoldConfig {
    let mut specs = catalog::ENTRIES
        .iter()
        .filter(|entry| entry.tasks.contains(&task) && entry.name != "refit")
        .map(|entry| entry.name.parse::<LearnerSpec>().unwrap());
    FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event: EventSpec { id: Some("id".into()), nominal: vec!["day".into()], ..EventSpec::new(task, "y") },
        learner: specs.next().unwrap(),
        challengers: specs.collect(),
        seed: 1,
        max_bytes: 64 << 20,
        detector: "adwin".into(),
        false_alarms: 1_000_000,
        on_drift: fold::OnDrift::Challenge,
        min_gain_ppm: 5_000,
        horizon: fold::Horizon::Now,
        labels: None,
        requests: None,
    }
}

/// A stream with a growing schema, nominal and missing values, values of the wrong kind, tombstones and garbage.
fn event() -> impl Strategy<Value = Option<String>> {
    let field = prop_oneof![
        4 => (-100..100_i32).prop_map(|x| format!("\"a\":{x}")),
        4 => (0..1000_i32).prop_map(|x| format!("\"b\":{}e-2", x)),
        2 => (0..7_u8).prop_map(|x| format!("\"day\":{x}")),
        1 => Just("\"a\":\"text\"".to_owned()),
        1 => Just("\"c\":{\"d\":true,\"e\":\"x\"}".to_owned()),
        1 => Just("\"b\":null".to_owned()),
    ];
    let fields = prop::collection::vec(field, 0..4).prop_map(|fields| fields.join(","));
    prop_oneof![
        20 => (fields, 0..3_u8).prop_map(|(fields, y)| {
            let comma = if fields.is_empty() { "" } else { "," };
            Some(format!("{{{fields}{comma}\"y\":{y}}}"))
        }),
        1 => Just(None),
        1 => Just(Some("{\"a\":1}".to_owned())),
        1 => Just(Some("garbage".to_owned())),
    ]
}

fn log() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec((event(), 0..3_i32, 0..50_i64, 1..3_i64), 1..120).prop_map(|events| {
        let mut next = [0; 3];
        events
            .into_iter()
            .map(|(payload, partition, at, hole)| {
                let offset = next[partition as usize] + hole - 1;
                next[partition as usize] = offset + 1;
                let from = PartitionId { topic: TopicId(0), partition };
                let payload = payload.map(Into::into);
                Record { from, offset, timestamp: EventTime(at), payload, ..Record::default() }
            })
            .collect()
    })
}

/// Lives through the log once as a service would: the journal that comes of it.
fn live(records: &[Record], task: Task, batch: usize) -> (Vec<Entry>, Fold) {
    let mut fold = Fold::genesis(config(task), Position::new()).unwrap();
    let mut journal = Vec::new();
    for partition in 0..3 {
        let from = PartitionId { topic: TopicId(0), partition };
        let decision = Decision::AddPartition { from, start: NextOffset(0) };
        fold.decide(&decision);
        journal.push(Entry::Decided { decision, actor: "test".into(), evidence: String::new() });
    }
    let mut chunk = Chunk::default();
    for part in records.chunks(batch) {
        let part = merge(part.to_vec());
        journal.push(Entry::Records { runs: runs_of(&part, fold.position()), digest: digest(&part) });
        fold.decode(&part, &mut chunk);
        fold.train(&mut chunk);
    }
    (journal, fold)
}

/// Folds log and journal again: records go in by `step`, and the state is saved and restored every `restart` steps.
fn again(records: &[Record], journal: &[Entry], task: Task, step: usize, restart: usize) -> Fold {
    let mut fold = Fold::genesis(config(task), Position::new()).unwrap();
    let mut chunk = Chunk::default();
    let mut steps = 0;
    for entry in journal {
        let runs = match entry {
            Entry::Records { runs, .. } => runs,
            Entry::Decided { decision, .. } => {
                fold.decide(decision);
                continue;
            }
            Entry::Genesis { .. } => continue,
        };
        let batch: Vec<Record> = runs
            .iter()
            .flat_map(|run| {
                records.iter().filter(|r| r.from == run.from && (run.first.0..run.next.0).contains(&r.offset))
            })
            .cloned()
            .collect();
        for part in merge(batch).chunks(step) {
            fold.decode(part, &mut chunk);
            fold.train(&mut chunk);
            let _ = fold.snapshot();
            steps += 1;
            if steps % restart == 0 {
                fold = Fold::restore(config(task), &fold.save()).unwrap();
            }
        }
    }
    fold
}

fn sorted(mut sections: Vec<Section>) -> Vec<Section> {
    sections.sort_by(|a, b| a.name.cmp(&b.name));
    sections
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn batches_restarts_and_snapshots_change_nothing(
        records in log(),
        batch in 1..40_usize,
        step in 1..40_usize,
        restart in 1..10_usize,
        regression in any::<bool>(),
    ) {
        let task = if regression { Task::Regression } else { Task::Classification };
        let (journal, lived) = live(&records, task, batch);
        let replayed = again(&records, &journal, task, step, restart);
        prop_assert_eq!(lived.version(), 3 + records.len() as u64);
        let (lived, replayed) = (sorted(lived.save()), sorted(replayed.save()));
        for (a, b) in lived.iter().zip(&replayed) {
            prop_assert!(a == b, "section {} differs", a.name);
        }
        prop_assert_eq!(lived.len(), replayed.len());
    }

    #[test]
    fn runs_of_a_partition_are_contiguous_and_cover_it_once(records in log(), batch in 1..40_usize) {
        let (journal, lived) = live(&records, Task::Regression, batch);
        let mut at = [0_i64; 3];
        let mut count = 0;
        for entry in journal {
            let bytes = entry.encode();
            prop_assert_eq!(&Entry::decode(&bytes).unwrap(), &entry);
            let Entry::Records { runs, .. } = entry else { continue };
            for run in runs {
                prop_assert_eq!(run.first.0, at[run.from.partition as usize]);
                prop_assert!(run.next > run.first);
                at[run.from.partition as usize] = run.next.0;
                count += run.records;
            }
        }
        prop_assert_eq!(count as usize, records.len());
        for (from, next) in lived.position() {
            prop_assert_eq!(at[from.partition as usize], next.0);
        }
    }

    #[test]
    fn a_snapshot_stays_as_it_was(records in log()) {
        let mut fold = Fold::genesis(config(Task::Regression), Position::new()).unwrap();
        let mut chunk = Chunk::default();
        let half = records.len() / 2;
        fold.decode(&records[..half], &mut chunk);
        fold.train(&mut chunk);
        let before = fold.snapshot();
        let copy = Fold::restore(config(Task::Regression), &fold.save()).unwrap().snapshot();
        fold.decode(&records[half..], &mut chunk);
        fold.train(&mut chunk);
        prop_assert_eq!(before.schema.fields(), copy.schema.fields());
        prop_assert_eq!(before.version, copy.version);
        prop_assert_eq!(&before.position, &copy.position);
    }
}

#[test]
fn other_bytes_have_another_digest() {
    let record = |payload: &str| Record { payload: Some(payload.to_owned().into()), ..Record::default() };
    let base = digest(&[record("a"), record("b")]);
    assert_ne!(base, digest(&[record("a"), record("c")]));
    assert_ne!(base, digest(&[record("ab"), record("")]));
    assert_ne!(base, digest(&[record("b"), record("a")]));
    assert_ne!(digest(&[record("")]), digest(&[Record::default()]), "empty is not a tombstone");
    let later = Record { timestamp: EventTime(1), ..record("a") };
    assert_ne!(digest(&[record("a")]), digest(&[later]));
}

#[test]
fn learners_named_twice_are_refused() {
    let mut twice = config(Task::Regression);
    twice.challengers.push(twice.learner.clone());
    assert!(Fold::genesis(twice, Position::new()).is_err());
}
