use std::collections::VecDeque;

use features::{ClassId, EntityId, EventTime, Kind, Row, Target, Task};

use crate::inputs::mix;
use crate::{AnyLearner, Learner, Prediction, Scratch};

fn build(spec: &str, kinds: &[Kind]) -> AnyLearner {
    let mut learner = AnyLearner::build(&spec.parse().unwrap(), Task::Classification, 1, 64 << 20).unwrap();
    learner.grow(kinds);
    learner
}

fn row(values: &[f64]) -> Row<'_> {
    Row { values, at: EventTime(0), entity: EntityId(0) }
}

fn unit(i: u64) -> f64 {
    (mix(i) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Mean log loss over the last half where each label comes `delay` events later. `reminded`: the row is learned with what
/// was known when it was predicted.
fn log_loss(spec: &str, labels: &[u32], delay: usize, reminded: bool) -> f64 {
    let mut learner = build(spec, &[Kind::Number]);
    let (mut scratch, mut out, mut waiting) = (Scratch::default(), Prediction::default(), VecDeque::new());
    let mut loss = 0.0;
    for (i, label) in labels.iter().enumerate() {
        let (values, mut memory) = ([unit(i as u64 + 1_000_000)], vec![]);
        learner.remember(&row(&values), &mut scratch, &mut out, &mut memory);
        if i >= labels.len() / 2 {
            loss -= libm::log(out.probabilities.get(*label as usize).copied().unwrap_or(0.0).max(1e-15));
        }
        waiting.push_back((values, memory, Target::Class(ClassId(*label))));
        if waiting.len() > delay {
            let (values, memory, target) = waiting.pop_front().unwrap();
            if reminded {
                learner.learn_remembered(&row(&values), &memory, target, 1.0);
            } else {
                learner.learn(&row(&values), target, 1.0);
            }
        }
    }
    loss / (labels.len() - labels.len() / 2) as f64
}

/// Runs of ten labels on average: the last label says most, the one fifty events ago nothing.
fn runs(length: u64) -> Vec<u32> {
    let mut label = 0;
    (0..length)
        .map(|i| {
            label ^= u32::from(unit(i) < 0.1);
            label
        })
        .collect()
}

#[test]
fn a_label_that_comes_later_is_learned_with_what_was_known_then() {
    let labels = runs(4_000);
    // By chance alone .693; nine inputs of noise cost the softmax some more.
    let ensemble = "ensemble:members=label_chain+softmax(labels=true)";
    for (spec, most) in
        [("label_chain", 0.72), ("softmax:labels=true", 0.85), ("auto:budget=cheap", 0.72), (ensemble, 0.72)]
    {
        let at_once = log_loss(spec, &labels, 0, true);
        let later = log_loss(spec, &labels, 50, true);
        let forgotten = log_loss(spec, &labels, 50, false);
        assert!(at_once < 0.42, "{spec}: {at_once}");
        assert!(later > 0.65 && later < most, "{spec}: {later}: nothing can be known of a label fifty events later");
        assert!(forgotten > 1.03 * later, "{spec}: {forgotten}: the test would not see it");
    }
}

#[test]
fn noise_costs_little() {
    let labels: Vec<u32> = (0..6_000).map(|i| u32::from(unit(i) < 0.3)).collect();
    let best = -(0.3 * libm::log(0.3) + 0.7 * libm::log(0.7));
    let loss = log_loss("auto:budget=cheap", &labels, 0, true);
    assert!(loss < 1.02 * best, "{loss}, with the shares alone {best}");
}

#[test]
fn a_member_that_does_not_fit_is_left_out() {
    let spec = "auto:max_bytes=64KiB".parse().unwrap();
    let mut small = AnyLearner::build(&spec, Task::Classification, 1, 64 << 20).unwrap();
    small.grow(&[Kind::Number; 30]);
    let values = [0.5; 30];
    for i in 0..300_u32 {
        small.learn(&row(&values), Target::Class(ClassId(i % 3)), 1.0);
    }
    let AnyLearner::Committee(committee) = &small else { unreachable!("it is one") };
    let weights = committee.weights();
    let held = |name: &str| weights.iter().find(|w| w.name == name).unwrap().bytes;
    assert!(held("softmax") > 0 && held("cosines") == 0, "{weights:?}");
    assert!(small.bytes() <= 64 << 10);
}

/// By operations, never by the clock: whatever is asked for, `auto` stays within it and uses most of it.
#[test]
fn microseconds_are_operations() {
    let names = |budget: &str, columns: usize| {
        let mut learner = build(&format!("auto:budget={budget}"), &vec![Kind::Number; columns]);
        let values = vec![0.5; columns];
        (0..10).for_each(|i| learner.learn(&row(&values), Target::Class(ClassId(i % 2)), 1.0));
        let AnyLearner::Committee(committee) = learner else { unreachable!("it is one") };
        let held = committee.weights().into_iter().filter(|w| w.bytes > 0).map(|w| w.name);
        held.collect::<Vec<_>>()
    };
    let [few, some, many] = ["4", "40", "400"].map(|budget| names(budget, 8));
    assert!(few.contains(&"softmax") && !few.contains(&"cosines"), "{few:?}");
    assert!(some.len() > few.len() && !some.contains(&"knn_short"), "{some:?}");
    assert!(["cosines", "knn", "knn_short", "forest"].iter().all(|name| many.contains(name)), "{many:?}");
    let wide = names("40", 60);
    assert!(wide.len() < some.len(), "more columns, fewer members: {wide:?}");
    assert!(names("1", 8).contains(&"prior"), "who is always there");
    for wrong in ["0", "1e9", "much"] {
        let error = AnyLearner::build(&format!("auto:budget={wrong}").parse().unwrap(), Task::Regression, 1, 64 << 20);
        assert!(error.is_err_and(|e| e.to_string().contains("microseconds")), "{wrong}");
    }
}
