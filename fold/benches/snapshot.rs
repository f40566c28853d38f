//! What publishing costs the fold: a snapshot of the whole model, as it goes to requests, after 200,000 events.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use features::{EventSpec, EventTime, LabelSource, Limits, Record, Start, Task};
use fold::{Chunk, Fold, FoldConfig, Horizon, OnDrift, Position};
use simulations::Scenario;

const EVENTS: u64 = 200_000;

fn learned(scenario: &str, task: Task, learner: &str) -> Fold {
    let scenario = Scenario::by_name(scenario).expect("it is in the catalog");
    let config = FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event: EventSpec {
            task,
            target: scenario.target.into(),
            label: LabelSource::Event,
            time: Some(scenario.time.into()),
            entity: scenario.entity.map(Into::into),
            id: Some(scenario.id.into()),
            features: vec![],
            nominal: vec![],
            ignore: vec![],
            limits: Limits::default(),
        },
        learner: learner.parse().expect("it is in the catalog"),
        challengers: vec![],
        seed: 1,
        max_bytes: 256 << 20,
        detector: "auto".into(),
        false_alarms: 1_000_000,
        on_drift: OnDrift::Challenge,
        min_gain_ppm: 5_000,
        horizon: Horizon::Now,
        labels: None,
        requests: None,
    };
    let mut fold = Fold::genesis(config, Position::new()).expect("it has a fold");
    let record = |event: simulations::Event| Record {
        offset: event.id as i64,
        timestamp: EventTime(event.at_ms),
        payload: Some(event.json.into()),
        ..Record::default()
    };
    let records: Vec<Record> = scenario.events(1, EVENTS).map(record).collect();
    let mut chunk = Chunk::default();
    for batch in records.chunks(1_000) {
        fold.decode(batch, &mut chunk);
        fold.train(&mut chunk);
    }
    fold
}

fn snapshot(c: &mut Criterion) {
    let mut group = c.benchmark_group("snapshot");
    for (scenario, task) in [("electricity", Task::Classification), ("sensors", Task::Regression)] {
        for learner in ["linear", "hoeffding_tree", "auto"] {
            let mut fold = learned(scenario, task, learner);
            group.bench_function(format!("{scenario}/{learner}"), |b| b.iter(|| black_box(&mut fold).snapshot()));
        }
    }
    group.finish();
}

criterion_group!(benches, snapshot);
criterion_main!(benches);
