//! What publishing costs the fold: a stream learned alone, and with a snapshot of the whole model, as it goes to requests,
//! every 100 events, by turns of 1,000 events.

use std::hint::black_box;
use std::time::{Duration, Instant};

use features::{EventSpec, EventTime, Record, Start, Task};
use fold::{Chunk, Fold, FoldConfig, Horizon, ModelSnapshot, OnDrift, Position};
use simulations::Scenario;

/// As many as has elec, which peers are compared on.
const EVENTS: u64 = 45_312;
const TURN: usize = 1_000;
const EVERY: usize = 100;

fn genesis(scenario: &Scenario, task: Task, learner: &str) -> Fold {
    let config = FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event: EventSpec {
            time: Some(scenario.time.into()),
            entity: scenario.entity.map(Into::into),
            id: Some(scenario.id.into()),
            ..EventSpec::new(task, scenario.target)
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
    Fold::genesis(config, Position::new()).expect("it has a fold")
}

/// A fold, and what it has taken so far.
struct Learning {
    fold: Fold,
    chunk: Chunk,
    served: Option<ModelSnapshot>,
    learned: Duration,
    published: Duration,
}

impl Learning {
    fn turn(&mut self, records: &[Record], publish: bool) {
        for batch in records.chunks(EVERY) {
            let begun = Instant::now();
            self.fold.decode(batch, &mut self.chunk);
            self.fold.train(&mut self.chunk);
            self.learned += begun.elapsed();
            if publish {
                let begun = Instant::now();
                self.served = Some(black_box(self.fold.snapshot()));
                self.published += begun.elapsed();
            }
        }
    }
}

fn main() {
    for (scenario, task) in [("electricity", Task::Classification), ("sensors", Task::Regression)] {
        let scenario = Scenario::by_name(scenario).expect("it is in the catalog");
        let record = |event: simulations::Event| Record {
            offset: event.id as i64,
            timestamp: EventTime(event.at_ms),
            payload: Some(event.json.into()),
            ..Record::default()
        };
        let records: Vec<Record> = scenario.events(1, EVENTS).map(record).collect();
        for learner in ["linear", "hoeffding_tree", "auto"] {
            let begin = || Learning {
                fold: genesis(scenario, task, learner),
                chunk: Chunk::default(),
                served: None,
                learned: Duration::ZERO,
                published: Duration::ZERO,
            };
            let [mut alone, mut published] = [begin(), begin()];
            for turn in records.chunks(TURN) {
                alone.turn(turn, false);
                published.turn(turn, true);
            }
            let us = |spent: Duration| spent.as_secs_f64() * 1e6 / EVENTS as f64;
            let (without, with) = (us(alone.learned), us(published.learned + published.published));
            println!(
                "{:12} {learner:15} {without:7.2} µs an event, {with:7.2} published every {EVERY}: {:+5.1} %, {:6.1} µs a snapshot",
                scenario.name,
                100.0 * (with / without - 1.0),
                us(published.published) * EVERY as f64,
            );
        }
    }
}
