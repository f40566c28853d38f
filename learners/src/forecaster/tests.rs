use features::{EntityId, EventTime, Kind, Row, Target, Task};

use crate::inputs::mix;
use crate::{AnyLearner, Learner, Prediction, Scratch};

fn unit(i: u64) -> f64 {
    (mix(i) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Mean absolute error from event 1,000 on, where targets are as `seen` has them and scored where they are true.
fn error(spec: &str, seen: impl Fn(u64, f64) -> f64) -> f64 {
    let mut learner = AnyLearner::build(&spec.parse().unwrap(), Task::Regression, 1, 64 << 20).unwrap();
    learner.grow(&[Kind::Number; 3]);
    let (mut scratch, mut out) = (Scratch::default(), Prediction::default());
    let (mut sum, mut count) = (0.0, 0.0);
    let mut level = 0.0;
    for i in 0..4_000 {
        let values = [0, 1, 2].map(|j| unit(4 * i + j));
        level += 0.02 * (unit(4 * i + 3) - 0.5);
        let y = 3.0 * values[0] - values[1] + level;
        let row = Row { values: &values, at: EventTime(0), entity: EntityId(0) };
        let label = seen(i, y);
        learner.predict_then_learn(&row, Target::Value(label), 1.0, &mut scratch, &mut out);
        if i >= 1_000 && label.abs() < 1e6 {
            sum += (out.value - label).abs();
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn wild_targets_cost_little() {
    let clean = |_, y| y;
    let wild = |i: u64, y: f64| if i % 97 == 13 { if i.is_multiple_of(2) { 1e12 } else { -1e12 } } else { y };
    for spec in ["auto", "auto:budget=cheap"] {
        let (alone, upset) = (error(spec, clean), error(spec, wild));
        let linear = error("linear", wild);
        println!("{spec}: {alone} clean, {upset} with one wild target in 97; linear {linear}");
        assert!(upset < 2.0 * alone && upset < linear, "{spec}: {alone} clean, {upset} wild, linear {linear}");
    }
}

#[test]
fn a_level_that_changes_is_followed_at_once() {
    let jumps = |i: u64, y: f64| if i < 2_000 { y } else { y + 5_000.0 };
    let error = error("auto:budget=cheap", jumps);
    // Two events of 3,000 are not believed.
    assert!(error < 2.5 * 5_000.0 * 2.0 / 3_000.0, "{error}");
}
