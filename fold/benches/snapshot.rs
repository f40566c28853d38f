//! What publishing costs the fold: a stream learned alone, and with a snapshot of the whole model, as it goes to requests,
//! every 100 events, by turns of 1,000 events; the median of several rounds. Of simulated streams, or of a file of JSON
//! lines:
//!
//! ```text
//! cargo bench -p fold --bench snapshot -- FILE TASK TARGET [NOMINAL…]
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use features::{EventSpec, EventTime, Record, Start, Task};
use fold::{Chunk, Fold, FoldConfig, Horizon, ModelSnapshot, OnDrift, Position};
use simulations::Scenario;

/// As many as has elec, which peers are compared on.
const EVENTS: u64 = 45_312;
const TURN: usize = 1_000;
const EVERY: usize = 100;
/// An odd number of times that each is measured.
const ROUNDS: usize = 5;

/// What is learned.
struct Stream {
    name: String,
    event: EventSpec,
    records: Vec<Record>,
}

impl Stream {
    fn simulated(name: &str, task: Task) -> Self {
        let scenario = Scenario::by_name(name).expect("it is in the catalog");
        let record = |event: simulations::Event| Record {
            offset: event.id as i64,
            timestamp: EventTime(event.at_ms),
            payload: Some(event.json.into()),
            ..Record::default()
        };
        let event = EventSpec {
            time: Some(scenario.time.into()),
            entity: scenario.entity.map(Into::into),
            id: Some(scenario.id.into()),
            ..EventSpec::new(task, scenario.target)
        };
        Self { name: name.into(), event, records: scenario.events(1, EVENTS).map(record).collect() }
    }

    fn of_file(path: &str, task: &str, target: &str, nominal: &[String]) -> Self {
        let task = match task {
            "classification" => Task::Classification,
            "regression" => Task::Regression,
            other => panic!("expected classification or regression, got {other}"),
        };
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let record = |(i, line): (usize, &str)| Record {
            offset: i as i64,
            timestamp: EventTime(i as i64),
            payload: Some(line.to_owned().into()),
            ..Record::default()
        };
        let event = EventSpec { nominal: nominal.to_vec(), ..EventSpec::new(task, target) };
        Self { name: path.into(), event, records: text.lines().enumerate().map(record).collect() }
    }
}

fn genesis(event: EventSpec, learner: &str) -> Fold {
    let config = FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event,
        learner: learner.parse().expect("it is in the catalog"),
        challengers: vec![],
        seed: 1,
        max_bytes: 256 << 20,
        detector: "auto".into(),
        false_alarms: 1_000_000,
        on_drift: OnDrift::Alert,
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
                let snapshot = black_box(self.fold.snapshot());
                self.published += begun.elapsed();
                // The old one goes where models are served.
                self.served = Some(snapshot);
            }
        }
    }
}

/// Microseconds an event, learned alone and with snapshots, and a snapshot.
struct Round {
    without: f64,
    with: f64,
    snapshot: f64,
}

impl Round {
    fn measure(event: &EventSpec, learner: &str, records: &[Record]) -> Self {
        let begin = || Learning {
            fold: genesis(event.clone(), learner),
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
        let us = |spent: Duration| spent.as_secs_f64() * 1e6 / records.len() as f64;
        Self {
            without: us(alone.learned),
            with: us(published.learned + published.published),
            snapshot: us(published.published) * EVERY as f64,
        }
    }

    /// Percent.
    fn cost(&self) -> f64 {
        100.0 * (self.with / self.without - 1.0)
    }
}

fn main() {
    // Cargo adds its own.
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let streams = match &given[..] {
        [path, task, target, nominal @ ..] => vec![Stream::of_file(path, task, target, nominal)],
        _ => {
            vec![Stream::simulated("electricity", Task::Classification), Stream::simulated("sensors", Task::Regression)]
        }
    };
    for Stream { name, event, records } in streams {
        for learner in ["linear", "hoeffding_tree", "auto"] {
            let mut rounds: Vec<Round> = (0..ROUNDS).map(|_| Round::measure(&event, learner, &records)).collect();
            rounds.sort_by(|a, b| a.cost().total_cmp(&b.cost()));
            let Round { without, with, snapshot } = rounds[ROUNDS / 2];
            println!(
                "{name:12} {learner:15} {without:7.2} µs an event, {with:7.2} published every {EVERY}: {:+5.1} % ({:+.1} to \
                 {:+.1}), {snapshot:6.1} µs a snapshot",
                rounds[ROUNDS / 2].cost(),
                rounds[0].cost(),
                rounds[ROUNDS - 1].cost(),
            );
        }
    }
}
