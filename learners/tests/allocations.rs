//! Once warm, nothing is allocated: neither to predict nor to learn, whoever the learner is.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use features::{ClassId, EntityId, EventTime, Kind, Row, Target, Task};
use learners::catalog::ENTRIES;
use learners::{AnyLearner, Learner, LearnerSpec, Prediction, Scratch};

/// Events until all is warm: windows are full, scales are fixed, trees have split.
const WARM: u64 = 6_000;
/// Events that are counted.
const COUNTED: u64 = 1_000;

/// Those that grow for ever grow by allocating, at few of the events: share of events that may.
fn may(name: &str) -> f64 {
    match name {
        // Trees and their detectors' windows.
        "hoeffding_tree" | "ensemble" => 0.01,
        // Ten trees and more, some of them young.
        "arf" | "srp" | "auto" => 0.3,
        // Fits in the background, and writes its rows down for that.
        "refit" => 1.0,
        _ => 0.0,
    }
}

fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Numbers, a name, a gap now and then; three entities.
fn event(random: &mut u64, task: Task) -> ([f64; 5], EntityId, Target) {
    let [a, b, noise] = [0; 3].map(|_| unit(random));
    let name = (3.0 * unit(random)).floor();
    let gap = if unit(random) < 0.05 { f64::NAN } else { 10.0 * noise };
    let score = a + 0.5 * b + 0.2 * name + 0.3 * noise;
    let target = match task {
        Task::Classification => Target::Class(ClassId((score * 1.5) as u32)),
        Task::Regression => Target::Value(score),
    };
    ([a, 1_000.0 * b, name, gap, 1.0], EntityId((3.0 * unit(random)) as u64), target)
}

/// Events among the counted ones at which something was allocated: to predict, and to learn.
fn allocating(spec: &str, task: Task) -> [u64; 2] {
    let spec: LearnerSpec = spec.parse().unwrap();
    let mut learner = AnyLearner::build(&spec, task, 1, 64 << 20).unwrap();
    learner.grow(&[Kind::Number, Kind::Number, Kind::Nominal, Kind::Number, Kind::Number]);
    let (mut scratch, mut out, mut random) = (Scratch::default(), Prediction::default(), 42);
    let mut counts = [0; 2];
    for i in 0..WARM + COUNTED {
        let (values, entity, target) = event(&mut random, task);
        let row = Row { values: &values, at: EventTime(i as i64), entity };
        let predict = || learner.predict_into(&row, &mut scratch, &mut out);
        let predicting = allocation_counter::measure(predict).count_total;
        let learning = allocation_counter::measure(|| learner.learn(&row, target, 1.0)).count_total;
        if i >= WARM {
            counts[0] += u64::from(predicting > 0);
            counts[1] += u64::from(learning > 0);
        }
    }
    counts
}

#[test]
fn nothing_is_allocated_once_warm() {
    let specs = ENTRIES.iter().flat_map(|entry| {
        // With its members alone, the trees of `auto` left out, it is held to none.
        let more = match entry.name {
            "auto" => vec!["auto:budget=cheap", "auto:max_bytes=7MiB"],
            "ensemble" => vec!["ensemble:members=linear+knn+naive_bayes"],
            _ => vec![],
        };
        let tasks = entry.tasks;
        [(entry.name, may(entry.name))]
            .into_iter()
            .chain(more.into_iter().map(|m| (m, 0.0)))
            .flat_map(move |(spec, may)| tasks.iter().map(move |task| (spec, *task, may)))
    });
    let mut failures = vec![];
    for (spec, task, may) in specs {
        let Ok(parsed) = spec.parse() else { unreachable!("{spec}") };
        if AnyLearner::build(&parsed, task, 1, 64 << 20).is_err() {
            continue;
        }
        let [predicting, learning] = allocating(spec, task);
        println!("{spec} {task:?}: {predicting} of {COUNTED} predictions, {learning} of {COUNTED} lessons");
        if predicting > 0 || learning as f64 > may * COUNTED as f64 {
            failures.push(format!("{spec} {task:?}: at {predicting} predictions, {learning} lessons of {COUNTED}"));
        }
    }
    assert!(failures.is_empty(), "allocated:\n{}", failures.join("\n"));
}
