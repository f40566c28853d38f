use features::{ClassId, EntityId, EventTime};
use proptest::prelude::*;

use super::fit::{FitError, Labels, Matrix};
use super::*;
use crate::{AnyLearner, LearnerSpec};

const TASKS: [Task; 2] = [Task::Regression, Task::Classification];

/// Numbers between 0 and 1 that look random.
fn noise(i: usize) -> f64 {
    let hash = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1_u64 << 53) as f64
}

/// What the fits' own tests fit with.
pub(super) fn spec(model: ModelKind, task: Task) -> FitSpec {
    FitSpec { model, task, seed: 1, trees: 10, depth: 12, leaf: 5, penalty: 0.001, max_bytes: 1 << 24 }
}

/// Four columns; the label is a curved sum of the first two, cut into so many classes (0 = a value).
pub(super) fn matrix(rows: usize, classes: usize) -> Matrix {
    let columns = 4;
    let x: Vec<f64> = (0..rows * columns).map(|i| noise(i) * 4.0 - 2.0).collect();
    let value = |i: usize| x[i * columns] + x[i * columns + 1] * x[i * columns + 1] + 0.3 * noise(i + 9_999);
    let y = match classes {
        0 => Labels::Values((0..rows).map(value).collect()),
        _ => {
            let class = |v: f64| ((v + 2.0) / 6.5 * classes as f64).clamp(0.0, classes as f64 - 1.0) as u32;
            Labels::Classes((0..rows).map(|i| class(value(i))).collect(), classes)
        }
    };
    Matrix { x, rows, columns, y }
}

fn models(task: Task) -> [&'static str; 3] {
    ["random_forest", "decision_tree", if task == Task::Regression { "elastic_net" } else { "logistic" }]
}

fn refit(params: &str, task: Task) -> Refit {
    let spec: LearnerSpec = format!("refit:{params}").parse().unwrap();
    match AnyLearner::build(&spec, task, 1, 1 << 22).unwrap() {
        AnyLearner::Refit(refit) => refit,
        other => panic!("{other:?}"),
    }
}

const KINDS: [Kind; 3] = [Kind::Number, Kind::Nominal, Kind::Number];

/// Row `i`: a number that is missing now and then, a name, noise; and its label.
fn example(i: usize, task: Task) -> (Vec<f64>, Target) {
    let (x, name) = (noise(3 * i), (noise(3 * i + 1) * 4.0).floor());
    let y = x + if name == 2.0 { 1.0 } else { 0.0 } + 0.1 * noise(7 * i);
    let target = match task {
        Task::Regression => Target::Value(y),
        Task::Classification => Target::Class(ClassId((y * 2.0) as u32)),
    };
    (vec![if i.is_multiple_of(13) { f64::NAN } else { x }, name, noise(3 * i + 2)], target)
}

fn learn(learner: &mut Refit, values: &[f64], target: Target) {
    learner.learn(&Row { values, at: EventTime(0), entity: EntityId(0) }, target, 1.0);
}

fn predict(learner: &Refit, values: &[f64]) -> Prediction {
    let mut out = Prediction::default();
    let row = Row { values, at: EventTime(0), entity: EntityId(0) };
    learner.predict_into(&row, &mut Scratch::default(), &mut out);
    out
}

fn run(learner: &mut Refit, rows: std::ops::Range<usize>, task: Task) {
    for i in rows {
        let (values, target) = example(i, task);
        learn(learner, &values, target);
    }
}

fn saved(learner: &Refit) -> Vec<Section> {
    let mut out = Vec::new();
    learner.save(&mut out);
    out
}

fn fresh(params: &str, task: Task) -> Refit {
    let mut learner = refit(params, task);
    learner.grow(&KINDS);
    learner
}

#[test]
fn a_model_is_taken_over_exactly_lag_rows_after_its_start() {
    for task in TASKS {
        for model in models(task) {
            let mut learner = fresh(&format!("model={model},window=150,every=100,lag=30"), task);
            let adopted = |learner: &Refit| learner.fits().adopted;
            run(&mut learner, 0..129, task);
            assert_eq!(adopted(&learner), 0, "{model}");
            run(&mut learner, 129..130, task);
            assert_eq!(adopted(&learner), 1, "{model}: {:?}", learner.fits());
            let first = learner.fitted.clone();
            run(&mut learner, 130..229, task);
            assert_eq!(learner.fitted, first);
            run(&mut learner, 229..230, task);
            assert_eq!(adopted(&learner), 2);
            assert_ne!(learner.fitted, first);
        }
    }
}

#[test]
fn lag_may_be_nothing_or_everything() {
    for lag in [0, 100] {
        let mut learner = fresh(&format!("every=100,lag={lag}"), Task::Regression);
        run(&mut learner, 0..400, Task::Regression);
        assert_eq!(learner.fits().adopted, if lag == 0 { 4 } else { 3 });
    }
}

#[test]
fn a_learner_restored_or_copied_in_mid_fit_goes_on_with_the_same_bits() {
    for task in TASKS {
        for model in models(task) {
            let params = format!("model={model},window=150,every=100,lag=50,trees=5");
            let mut straight = fresh(&params, task);
            // 120 and 310: a fit is running; 170: none is; 310: an old model serves meanwhile.
            for at in [120, 170, 310] {
                let mut straight = straight.clone();
                run(&mut straight, 0..at, task);
                let mut restored = refit(&params, task);
                restored.restore(&saved(&straight)).unwrap();
                assert_eq!(saved(&restored), saved(&straight));
                assert_eq!(restored.bytes(), straight.bytes());
                let mut copied = straight.clone();
                // The schema grows before the running fit is done: what was started is not affected.
                let kinds = [KINDS.as_slice(), &[Kind::Number]].concat();
                for learner in [&mut straight, &mut restored, &mut copied] {
                    learner.grow(&kinds);
                    run(learner, at..450, task);
                }
                assert!(straight.fits().adopted >= 4, "{:?}", straight.fits());
                assert_eq!(saved(&restored), saved(&straight), "{model} restored at {at}");
                assert_eq!(saved(&copied), saved(&straight), "{model} copied at {at}");
                let values = example(1_000, task).0;
                assert_eq!(predict(&restored, &values), predict(&straight, &values));
            }
            straight.grow(&KINDS);
        }
    }
}

#[test]
fn the_seed_decides_the_forest() {
    let forest = |seed: u64| {
        let mut learner = fresh(&format!("every=100,lag=10,seed={seed}"), Task::Regression);
        run(&mut learner, 0..250, Task::Regression);
        learner.fitted.unwrap()
    };
    assert_eq!(forest(1), forest(1));
    assert_ne!(forest(1), forest(2));
}

#[test]
fn it_learns() {
    for task in TASKS {
        for model in models(task) {
            let mut learner = fresh(&format!("model={model},window=500,every=500,lag=10"), task);
            let mut loss = [0.0; 2];
            for i in 0..2_000 {
                let (values, target) = example(i, task);
                let said = predict(&learner, &values);
                let wrong = match target {
                    Target::Value(y) => (said.value - y).abs(),
                    Target::Class(class) => f64::from(u8::from(said.class() != Some(class))),
                };
                loss[usize::from(i >= 510)] += wrong / if i < 510 { 510.0 } else { 1_490.0 };
                learn(&mut learner, &values, target);
            }
            assert!(loss[1] < 0.5 * loss[0], "{model}: {loss:?}");
        }
    }
}

#[test]
fn a_snapshot_is_not_affected_by_later_learning() {
    let mut learner = fresh("every=100,lag=10", Task::Regression);
    run(&mut learner, 0..250, Task::Regression);
    let snapshot = learner.clone();
    let before = saved(&snapshot);
    run(&mut learner, 250..500, Task::Regression);
    assert_eq!(saved(&snapshot), before);
}

/// Streams no model can be fitted to, or hardly.
#[test]
fn degenerate_streams_make_no_panic_and_no_nan() {
    type Stream = fn(usize) -> (Vec<f64>, f64);
    let streams: [(&str, Stream); 9] = [
        ("one label", |i| (vec![noise(i)], 1.0)),
        ("constant column", |i| (vec![3.0], noise(i))),
        ("nothing but missing", |i| (vec![f64::NAN], noise(i))),
        ("no columns", |i| (vec![], noise(i))),
        ("huge numbers", |i| (vec![if i % 3 == 0 { 1e308 } else { -1e308 }], noise(i))),
        ("one huge number", |i| (vec![if i == 50 { f64::MAX } else { noise(i) }], noise(i))),
        ("huge labels", |i| (vec![noise(i)], if i % 2 == 0 { 1e308 } else { -1e308 })),
        ("one huge label", |i| (vec![noise(i)], if i == 50 { f64::MAX } else { noise(i) })),
        ("tiny numbers", |i| (vec![noise(i) * 1e-310], noise(i) * 1e-310)),
    ];
    for (name, stream) in streams {
        for task in TASKS {
            for model in models(task) {
                let mut learner = refit(&format!("model={model},window=60,every=40,lag=5"), task);
                learner.grow(&vec![Kind::Number; stream(0).0.len()]);
                for i in 0..200 {
                    let (values, label) = stream(i);
                    let said = predict(&learner, &values);
                    let sum: f64 = said.probabilities.iter().sum();
                    assert!(said.value.is_finite(), "{name}, {model}");
                    assert!(said.probabilities.is_empty() || (sum - 1.0).abs() < 1e-9, "{name}, {model}: {said:?}");
                    let class = Target::Class(ClassId(u32::from(label > 0.5)));
                    learn(&mut learner, &values, if task == Task::Regression { Target::Value(label) } else { class });
                }
                let Fits { adopted, failed, .. } = learner.fits();
                assert_eq!(adopted + failed, 4, "{name}, {model}");
            }
        }
    }
}

#[test]
fn a_fit_that_fails_leaves_the_old_model() {
    let mut learner = fresh("window=50,every=50,lag=5", Task::Classification);
    run(&mut learner, 0..50, Task::Classification);
    let one_class = |learner: &mut Refit, rows: std::ops::Range<usize>| {
        rows.for_each(|i| learn(learner, &example(i, Task::Classification).0, Target::Class(ClassId(0))));
    };
    one_class(&mut learner, 50..104);
    let old = learner.fitted.clone();
    assert!(old.is_some() && learner.fits().failed == 0);
    one_class(&mut learner, 104..110);
    assert_eq!((learner.fits().failed, learner.fitted == old), (1, true));
    assert_eq!(learner.fits().last_failure.as_deref(), Some("all rows are of one class"));
}

#[test]
fn a_fit_that_panics_is_a_failure() {
    // A block that says it has rows but holds no numbers.
    let targets = vec![Target::Value(1.0); 30];
    let bytes = postcard::to_stdvec(&(vec![(5_usize, Vec::<f64>::new(), targets)], 0_usize)).unwrap();
    let window: Window = postcard::from_bytes(&bytes).unwrap();
    assert!(!window.is_sound());
    let data = JobData { started: 1, kinds: vec![Kind::Number; 5], window };
    let spec = spec(ModelKind::RandomForest, Task::Regression);
    assert_eq!(Job::start(spec, data).wait(&spec), &Err(FitError::Panicked));
}

#[test]
fn the_bytes_stay_within_the_budget() {
    for task in TASKS {
        for model in models(task) {
            for width in [1, 8, 100] {
                let mut learner = refit(&format!("model={model},window=5000,every=200,lag=100,max_bytes=64KiB"), task);
                learner.grow(&vec![Kind::Number; width]);
                for i in 0..900 {
                    let values: Vec<f64> = (0..width).map(|j| noise(i * width + j)).collect();
                    let class = Target::Class(ClassId((values[0] * 5.0) as u32));
                    learn(
                        &mut learner,
                        &values,
                        if task == Task::Regression { Target::Value(values[0]) } else { class },
                    );
                    assert!(learner.bytes() <= 64 << 10, "{model}, {width} columns: {} bytes", learner.bytes());
                }
                assert!(learner.fits().adopted > 0 || width == 100, "{model}, {width} columns: {:?}", learner.fits());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Broken bytes are an error or a learner that does not panic.
    #[test]
    fn broken_sections_do_not_panic(section in 0_usize..4, place in 0.0..1.0, byte: u8, cut: bool) {
        let mut learner = fresh("window=60,every=50,lag=20,trees=2", Task::Classification);
        run(&mut learner, 0..110, Task::Classification);
        let mut sections = saved(&learner);
        let bytes = &mut sections[section].bytes;
        let place = (place * bytes.len() as f64) as usize;
        if cut { bytes.truncate(place) } else { bytes[place] = byte }
        let mut restored = refit("window=60,every=50,lag=20,trees=2", Task::Classification);
        if restored.restore(&sections).is_ok() {
            let _ = predict(&restored, &example(5, Task::Classification).0);
        }
    }
}
