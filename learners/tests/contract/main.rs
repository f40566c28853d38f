//! The contract of learners and of detectors, held up to every entry of their catalogs. A new entry is tested without a line here.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod battery;
mod cases;
mod detectors;
mod golden;
mod losses;
mod runner;
mod streams;

use std::collections::BTreeSet;

use features::{Rows, Target, Task};
use learners::catalog::ENTRIES;
use learners::{AnyLearner, Learner, LearnerSpec, Prediction, RestoreError, Scratch, Section, Snapshot};

use battery::on_all;
use cases::{MAX_BYTES, bounds, number, task_name, words};
use runner::{Runner, assert_possible, bare, bits, saved};
use streams::{Event, probes};

#[test]
fn predicting_is_pure() {
    on_all(|case, stream| {
        let mut runner = Runner::new(case);
        for (i, event) in stream.events.iter().enumerate() {
            runner.step(event);
            if i % 150 == 7 || i + 1 == stream.events.len() {
                let before = saved(&runner.learner);
                let fresh: Vec<_> =
                    probes(&runner.kinds).iter().map(|probe| ask_once(&runner.learner, probe)).collect();
                let (first, second) = (runner.answers(), runner.answers());
                assert!(first == second, "asked twice, two answers after {i} events");
                assert!(first == fresh, "the answer hangs on what the scratch memory held, after {i} events");
                assert!(before == saved(&runner.learner), "predicting changed the state after {i} events");
            }
        }
    });
}

fn ask_once(learner: &AnyLearner, values: &[f64]) -> Vec<u8> {
    let mut prediction = Prediction::default();
    learner.predict_into(&bare(values), &mut Scratch::default(), &mut prediction);
    bits(&prediction)
}

#[test]
fn predictions_are_possible_whatever_was_learned() {
    on_all(|case, stream| {
        let mut runner = Runner::new(case);
        let (mut scratch, mut prediction) = (Scratch::default(), Prediction::default());
        let mut classes = 0;
        for (i, event) in stream.events.iter().enumerate() {
            runner.grow(event);
            let rows = if i < 20 || i % 25 == 0 { probes(&runner.kinds) } else { vec![] };
            for values in rows.iter().chain([&event.values]) {
                runner.learner.predict_into(&bare(values), &mut scratch, &mut prediction);
                assert_possible(&prediction, event.target, classes);
            }
            runner.step(event);
            if let Target::Class(class) = event.target {
                classes = classes.max(class.0 as usize + 1);
            }
        }
    });
}

#[test]
fn the_largest_seed_is_one_like_any_other() {
    for (name, task) in ENTRIES.iter().flat_map(|entry| entry.tasks.iter().map(move |task| (entry.name, *task))) {
        let spec: LearnerSpec = format!("{name}:seed={}", u64::MAX).parse().unwrap();
        let mut learner = AnyLearner::build(&spec, task, 1, MAX_BYTES).unwrap();
        learner.grow(&[features::Kind::Number; 2]);
        for i in 0..300_u32 {
            let target = match task {
                Task::Classification => Target::Class(features::ClassId(i % 2)),
                Task::Regression => Target::Value(f64::from(i % 7)),
            };
            learner.learn(&bare(&[f64::from(i % 2), f64::from(i)]), target, 1.0);
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bits() {
    on_all(|case, stream| {
        let [one, two] = [0, 1].map(|_| Runner::through(case, &stream.events));
        assert!(one.hash() == two.hash(), "two runs differ");
    });
}

#[test]
fn saved_and_restored_goes_on_as_if_never_stopped() {
    on_all(|case, stream| {
        let (mut whole, mut parts) = (Runner::new(case), Runner::new(case));
        let length = stream.events.len();
        let stops = [0, 1, 37, length / 3, length / 3 + 1, length * 3 / 4, length - 1];
        for (i, event) in stream.events.iter().enumerate() {
            if stops.contains(&i) {
                let sections = saved(&parts.learner);
                parts.learner = case.build();
                parts.learner.restore(&sections).unwrap_or_else(|e| panic!("not restored after {i} events: {e}"));
                assert!(sections == saved(&parts.learner), "restored and saved again differs after {i} events");
                let (before, after) = (whole.learner.bytes(), parts.learner.bytes());
                assert!(before == after, "{before} bytes before, {after} after restoring at {i}");
            }
            whole.step(event);
            parts.step(event);
            assert!(whole.outcomes.last() == parts.outcomes.last(), "restored, another outcome at {i}");
        }
        assert!(whole.answers() == parts.answers(), "restored, other answers at the end");
        assert!(whole.hash() == parts.hash(), "restored, another state at the end");
    });
}

#[test]
fn damaged_sections_are_refused() {
    on_all(|case, stream| {
        let sections = saved(&Runner::through(case, &stream.events[..stream.events.len() / 2]).learner);
        let names: BTreeSet<_> = sections.iter().map(|s| &s.name).collect();
        assert!(!sections.is_empty() && names.len() == sections.len(), "section names are not unique");
        let refused = |sections: &[Section]| case.build().restore(sections).err();
        for (i, section) in sections.iter().enumerate() {
            let name = &section.name;
            let mut others = sections.clone();
            others.remove(i);
            let error = refused(&others);
            assert!(error == Some(RestoreError::Missing(name.clone())), "without {name}: {error:?}");
            let mut others = sections.clone();
            others[i].version += 1;
            let error = refused(&others);
            assert!(matches!(error, Some(RestoreError::Version { .. })), "newer {name}: {error:?}");
            if !section.bytes.is_empty() {
                let mut others = sections.clone();
                others[i].bytes.truncate(section.bytes.len() / 2);
                assert!(refused(&others).is_some(), "half of {name} was accepted");
            }
        }
    });
}

/// Nor do threads matter. Also: short rows are rows with missing ends, and being told the same columns again changes nothing.
#[test]
fn batches_are_the_same_as_one_by_one() {
    on_all(|case, stream| {
        // `Rows` hold no weights.
        let unit_weights = |event: &Event| event.weight == 1.0;
        if !stream.events.iter().all(unit_weights) {
            return;
        }
        let single = Runner::through(case, &stream.events);
        for (sizes, threads) in [([1, 1, 1], 0), ([64, 7, 3], 3), ([1_000, 1, 256], 1), ([1_000, 300, 256], 2)] {
            let mut batched = Runner::new(case);
            let (mut scratch, mut outcomes) = (Scratch::default(), vec![]);
            scratch.threads = threads;
            let mut rest = &stream.events[..];
            for size in sizes.iter().cycle() {
                let Some(event) = rest.first() else { break };
                batched.grow(event);
                batched.learner.grow(&batched.kinds);
                let grows = rest.iter().skip(1).position(|event| event.grow.is_some()).map_or(rest.len(), |at| at + 1);
                let (batch, later) = rest.split_at(grows.min(*size));
                rest = later;
                let mut rows = Rows::new(batched.kinds.len());
                batch.iter().for_each(|event| rows.push(&event.values, event.at, event.entity, event.target));
                batched.learner.test_then_train(&rows, &mut scratch, &mut outcomes);
            }
            let differs = outcomes.iter().zip(&single.outcomes).position(|(a, b)| a != b);
            assert!(differs.is_none(), "batches of {sizes:?}: another outcome at {differs:?}");
            assert!(outcomes.len() == single.outcomes.len(), "batches of {sizes:?}: outcomes are missing");
            assert!(saved(&batched.learner) == saved(&single.learner), "batches of {sizes:?}: another state");
        }
    });
}

#[test]
fn bytes_stay_within_the_budget_and_count_what_is_held() {
    on_all(|case, stream| {
        let mut runner = Runner::new(case);
        for (i, event) in stream.events.iter().enumerate() {
            runner.step(event);
            if i % 100 == 99 || i + 1 == stream.events.len() {
                let (bytes, most) = (runner.learner.bytes(), case.max_bytes());
                assert!(bytes <= most, "{bytes} bytes after {i} events, {most} allowed");
                // The saved form is nearly as dense as memory can be: less counted than saved is too little counted.
                let held: usize = saved(&runner.learner).iter().map(|s| s.bytes.len()).sum();
                assert!(held <= bytes + bytes / 4 + 64, "{bytes} bytes counted, {held} saved after {i} events");
            }
        }
    });
}

#[test]
fn a_snapshot_is_not_touched_by_later_learning() {
    on_all(|case, stream| {
        let mut runner = Runner::new(case);
        let (before, after) = stream.events.split_at(stream.events.len() / 2);
        before.iter().for_each(|event| runner.step(event));
        let state = saved(&runner.learner);
        let snapshot = runner.learner.freeze();
        assert!(state == saved(&runner.learner), "taking a snapshot changed the state");
        let asked: Vec<_> = probes(&runner.kinds).into_iter().chain(after.iter().map(|e| e.values.clone())).collect();
        let answers = || {
            let (mut scratch, mut prediction) = (Scratch::default(), Prediction::default());
            let mut ask = |values: &Vec<f64>| {
                snapshot.predict_into(&bare(values), &mut scratch, &mut prediction);
                bits(&prediction)
            };
            asked.iter().map(&mut ask).collect::<Vec<_>>()
        };
        let first = answers();
        for (values, answer) in asked.iter().zip(&first) {
            assert!(*answer == ask_once(&runner.learner, values), "the snapshot answers otherwise than its learner");
        }
        let bytes = snapshot.bytes();
        after.iter().for_each(|event| runner.step(event));
        assert!(first == answers() && bytes == snapshot.bytes(), "later learning changed the snapshot");
    });
}

/// Without snapshots in between, or with many: the learner learns the same. Each says what its learner says, and goes on saying
/// it while the next one is made.
#[test]
fn snapshots_do_not_change_what_is_learned() {
    on_all(|case, stream| {
        let plain = Runner::through(case, &stream.events);
        let mut published = Runner::new(case);
        let mut last: Option<(Snapshot, &Vec<f64>, Vec<u8>)> = None;
        let (mut scratch, mut prediction) = (Scratch::default(), Prediction::default());
        let mut ask = |snapshot: &Snapshot, values: &Vec<f64>| {
            snapshot.predict_into(&bare(values), &mut scratch, &mut prediction);
            bits(&prediction)
        };
        for (i, event) in stream.events.iter().enumerate() {
            published.step(event);
            if i % 10 == 0 {
                let snapshot = published.learner.freeze();
                let answer = ask_once(&published.learner, &event.values);
                assert!(ask(&snapshot, &event.values) == answer, "snapshot {i} answers otherwise than its learner");
                if let Some((before, values, answer)) = last.replace((snapshot, &event.values, answer)) {
                    assert!(ask(&before, values) == answer, "snapshot {i} changed the one before");
                }
            }
        }
        assert!(plain.hash() == published.hash(), "publishing changes what is learned");
    });
}

#[test]
fn the_catalog_says_what_is_true() {
    for entry in ENTRIES {
        for task in [Task::Classification, Task::Regression] {
            let build = |params: &str| {
                let spec: LearnerSpec = format!("{}:{params}", entry.name).parse().expect("a specification");
                AnyLearner::build(&spec, task, 1, MAX_BYTES).map(drop)
            };
            assert_eq!(build("").is_ok(), entry.tasks.contains(&task), "{} {}", task_name(task), entry.name);
            assert!(build("no_such_parameter=1").is_err(), "{}", entry.name);
            for param in entry.params {
                assert!(build(&format!("{}=no-such-value", param.name)).is_err(), "{} {}", entry.name, param.name);
                let Some((low, high)) = bounds(param) else {
                    let known = words(param).filter(|word| build(&format!("{}={word}", param.name)).is_ok()).count();
                    assert!(
                        build("").is_err() || known > 1,
                        "{} {}: neither low..high nor words",
                        entry.name,
                        param.name
                    );
                    continue;
                };
                let beyond = [number(low).map(|x| x - 1.0 - x.abs()), number(high).map(|x| x * 2.0 + 1.0)];
                for beyond in beyond.into_iter().flatten() {
                    assert!(
                        build(&format!("{}={beyond}", param.name)).is_err(),
                        "{} {}={beyond}",
                        entry.name,
                        param.name
                    );
                }
            }
        }
    }
}
