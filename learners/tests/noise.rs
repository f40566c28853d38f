//! Where there is nothing to learn, `auto` must cost next to nothing: its loss against that of the running majority or mean.
//!
//! `cargo test -p learners --test noise -- --nocapture` prints what docs/benchmarks.md says.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use features::{ClassId, EntityId, EventTime, Kind, Row, Target, Task};
use learners::{AnyLearner, Learner, LearnerSpec, Prediction, Scratch};

const EVENTS: u64 = 20_000;
const SEEDS: u64 = 4;
/// More loss than the simplest learner's, as a share of it.
const AT_MOST: f64 = 0.002;

fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Four numbers and a name that say nothing about the target.
fn event(random: &mut u64, task: Task) -> ([f64; 5], Target) {
    let [a, b, c, d, name, chance, more] = [0; 7].map(|_| unit(random));
    let target = match task {
        Task::Classification => Target::Class(ClassId(u32::from(chance < 0.4))),
        Task::Regression => Target::Value(chance + more - 1.0),
    };
    ([a, 100.0 * b, c - 0.5, d, (5.0 * name).floor()], target)
}

/// Mean loss: of errors, or of distances.
fn loss(name: &str, task: Task, seed: u64) -> f64 {
    let spec: LearnerSpec = name.parse().unwrap();
    let mut learner = AnyLearner::build(&spec, task, 1, 256 << 20).unwrap();
    learner.grow(&[Kind::Number, Kind::Number, Kind::Number, Kind::Number, Kind::Nominal]);
    let (mut scratch, mut said, mut random) = (Scratch::default(), Prediction::default(), seed);
    let mut sum = 0.0;
    for i in 0..EVENTS {
        let (values, target) = event(&mut random, task);
        let row = Row { values: &values, at: EventTime(i as i64), entity: EntityId(0) };
        learner.predict_into(&row, &mut scratch, &mut said);
        sum += match target {
            Target::Class(_) => f64::from(said.class().map(Target::Class) != Some(target)),
            Target::Value(y) => (said.value - y).abs(),
        };
        learner.learn(&row, target, 1.0);
    }
    sum / EVENTS as f64
}

#[test]
fn auto_loses_next_to_nothing_where_there_is_nothing_to_learn() {
    for (task, simplest) in [(Task::Classification, "majority"), (Task::Regression, "mean")] {
        let mean = |name: &str| (1..=SEEDS).map(|seed| loss(name, task, seed)).sum::<f64>() / SEEDS as f64;
        let (auto, simple) = (mean("auto"), mean(simplest));
        let more = auto / simple - 1.0;
        println!("{task:?}: auto {auto:.5}, {simplest} {simple:.5}: {:+.3} %", 100.0 * more);
        assert!(more <= AT_MOST, "{task:?}: auto {auto}, {simplest} {simple}");
    }
}
