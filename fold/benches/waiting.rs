//! What waiting for labels costs: an event and its label while 1,000,000 rows wait, and saving and restoring those.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use features::{ClassId, EntityId, EventSpec, EventTime, LabelSource, Limits, Row, Start, Target, Task};
use fold::waiting::{Id, Join, Ready, Waiting};
use fold::{FoldConfig, Horizon, Labels, OnDrift, Sections};
use learners::Prediction;

const ROWS: u64 = 1_000_000;
const LEARNERS: u32 = 3;

/// Ten numbers, two classes.
fn config(horizon: Horizon, labels: Labels) -> FoldConfig {
    let mut config = FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event: EventSpec {
            task: Task::Classification,
            target: "y".into(),
            label: LabelSource::Event,
            time: None,
            entity: None,
            id: None,
            features: vec![],
            nominal: vec![],
            ignore: vec![],
            limits: Limits::default(),
        },
        learner: "linear".parse().expect("it is in the catalog"),
        challengers: vec![],
        seed: 1,
        max_bytes: 64 << 20,
        detector: "adwin".into(),
        false_alarms: 1_000_000,
        on_drift: OnDrift::Alert,
        min_gain_ppm: 0,
        horizon: Horizon::Now,
        labels: None,
        requests: None,
    };
    config.wait_for_labels(horizon, labels);
    config
}

/// An event passes: each learner speaks about it, what it labels is looked up and let go.
fn pass(waiting: &mut Waiting, i: u64, ready: &mut Vec<Ready>, said: &mut Prediction) {
    let values = [i as f64; 10];
    let row = Row { values: &values, at: EventTime(i as i64), entity: EntityId(1 + i % 1_000) };
    let id = Id::of(&i.to_string());
    let target = Some(Target::Class(ClassId((i % 2) as u32)));
    let number = waiting.observe(&row, Some(id), target, 2, ready).expect("no event is repeated");
    said.probabilities.clear();
    said.probabilities.extend([0.25, 0.75]);
    for learner in 0..LEARNERS {
        waiting.attach(number, learner, said);
    }
    learn(waiting, ready, said);
}

fn learn(waiting: &mut Waiting, ready: &mut Vec<Ready>, said: &mut Prediction) {
    for Ready { row, .. } in ready.drain(..) {
        for learner in 0..LEARNERS {
            black_box(waiting.prediction(row, learner, said));
        }
        black_box(waiting.row(row));
        waiting.release([row]);
    }
}

fn full(config: &FoldConfig) -> Waiting {
    let mut waiting = Waiting::new(config, LEARNERS as usize).expect("labels come later");
    let (mut ready, mut said) = (vec![], Prediction::default());
    for i in 0..ROWS {
        pass(&mut waiting, i, &mut ready, &mut said);
    }
    assert_eq!(waiting.counts().waiting, ROWS);
    waiting
}

fn waiting(c: &mut Criterion) {
    let mut group = c.benchmark_group("waiting");
    group.sample_size(10);
    let room = || Labels { rows: 2 * ROWS, at_most_ms: u64::MAX, bytes: 4 << 30, topic: String::new() };
    let ways = [
        ("by name", config(Horizon::Now, Labels { topic: "labels".into(), ..room() })),
        ("by time", config(Horizon::Ms(ROWS), room())),
        ("by events", config(Horizon::Events(ROWS / 1_000), room())),
    ];
    for (way, config) in &ways {
        let mut waiting = full(config);
        let mut saved = Sections::default();
        waiting.save(&mut saved);
        let bytes: usize = saved.whole.iter().map(|section| section.bytes.len()).sum();
        eprintln!(
            "{way}: {ROWS} rows, {bytes} bytes in {} sections, {} bytes counted",
            saved.whole.len(),
            waiting.bytes()
        );
        group.throughput(Throughput::Elements(ROWS));
        group.bench_function(format!("save 1,000,000 rows/{way}"), |b| {
            b.iter(|| {
                saved.whole.clear();
                waiting.save(&mut saved);
                saved.whole.len()
            });
        });
        group.bench_function(format!("restore 1,000,000 rows/{way}"), |b| {
            b.iter(|| {
                let mut restored = Waiting::new(config, LEARNERS as usize).expect("labels come later");
                restored.restore(&saved.whole).expect("it was saved");
                restored.counts()
            });
        });
        let (mut next, mut ready, mut said) = (ROWS, vec![], Prediction::default());
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("an event and a label/{way}"), |b| {
            b.iter(|| {
                pass(&mut waiting, next, &mut ready, &mut said);
                if let Join::Joined(row) = waiting.label(Id::of(&(next - ROWS).to_string()), Target::Class(ClassId(0)))
                {
                    ready.push(Ready { row, target: Target::Class(ClassId(0)) });
                    learn(&mut waiting, &mut ready, &mut said);
                }
                next += 1;
            });
        });
    }
    group.finish();
}

criterion_group!(benches, waiting);
criterion_main!(benches);
