//! Scores held against numbers worked out by hand, and against what must hold for any stream.

use std::collections::BTreeMap;

use features::ClassId;
use proptest::prelude::*;

use super::*;
use crate::report::{ClassFigures, Figures};
use crate::{Learner, Majority, NoChange, Prediction, Scratch};

const UP: ClassId = ClassId(0);
const DOWN: ClassId = ClassId(1);

/// Two classes: what was predicted, with which confidence, and what was right.
fn classified(events: &[(Option<ClassId>, f64, ClassId)]) -> Scores {
    let mut scores = Scores::new(Task::Classification);
    for (predicted, confidence, truth) in events {
        let p_true = if *predicted == Some(*truth) { *confidence } else { 1.0 - confidence };
        let brier = 2.0 * (1.0 - p_true) * (1.0 - p_true);
        let outcome = Outcome::Class { predicted: *predicted, confidence: *confidence, p_true, brier, ranks: [0; 8] };
        scores.update(&outcome, Target::Class(*truth));
    }
    scores
}

fn valued(events: impl IntoIterator<Item = (f64, f64)>) -> Scores {
    let mut scores = Scores::new(Task::Regression);
    for (predicted, truth) in events {
        scores.update(&Outcome::Value(predicted), Target::Value(truth));
    }
    scores
}

#[track_caller]
fn close(got: Option<f64>, expected: f64) {
    let got = got.expect("there is a number");
    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{got} is not {expected}");
}

#[test]
fn classification_by_hand() {
    let up = Some(UP);
    // Right: 1st, 2nd, 5th. The last label came again at the 2nd and 4th.
    let report =
        classified(&[(up, 0.9, UP), (up, 0.8, UP), (up, 0.75, DOWN), (up, 0.65, DOWN), (up, 0.6, UP)]).report();
    let (all, classes) = (report.all, &report.classes);
    close(all.accuracy, 0.6);
    // Labels 3:2, predictions 5:0.
    close(all.kappa, 0.0);
    close(all.kappa_t, (0.6 - 0.4) / 0.6);
    // The most frequent label so far came again at the 2nd; then it was UP twice, both times tied or ahead: the 5th.
    close(all.kappa_m, (0.6 - 0.4) / 0.6);
    let logs = [0.9, 0.8, 0.25, 0.35, 0.6].map(libm::log);
    close(all.log_loss, -logs.iter().sum::<f64>() / 5.0);
    close(all.ece, (0.1 + 0.2 + 0.75 + (1.25_f64 - 1.0).abs()) / 5.0);
    close(all.f1, 0.5 * (2.0 * 3.0 / 8.0));
    assert_eq!(all.mcc, None, "predictions never varied");
    close(classes[0].all.recall, 1.0);
    close(classes[0].all.precision, 0.6);
    assert_eq!((classes[1].all.recall, classes[1].all.precision), (Some(0.0), None));
    close(report.rolling_loss, 0.4);
    close(report.baseline_loss, 0.6);
    assert_eq!((report.best_loss, all.mae, all.rmse, all.r2), (None, None, None, None));
}

#[test]
fn kappa_takes_frequencies_and_no_prediction_is_an_error() {
    let (up, down) = (Some(UP), Some(DOWN));
    let report = classified(&[(None, 0.0, UP), (up, 1.0, UP), (down, 1.0, DOWN), (down, 1.0, UP)]).report().all;
    close(report.accuracy, 0.5);
    let chance = 0.75 * 0.25 + 0.25 * 0.5;
    close(report.kappa, (0.5 - chance) / (1.0 - chance));
    assert_eq!(classified(&[(up, 1.0, UP), (up, 1.0, UP)]).report().all.kappa, None, "nothing left to win");
}

#[test]
fn regression_by_hand() {
    let report = valued([(0.0, 2.0), (3.0, 4.0), (5.0, 9.0)]).report();
    let all = report.all;
    close(all.mae, 7.0 / 3.0);
    close(all.rmse, 7.0_f64.sqrt());
    close(all.r2, 1.0 - 21.0 / 26.0);
    close(all.mase, 7.0 / 9.0);
    close(report.baseline_loss, (2.0 + 2.0 + 5.0) / 3.0);
    close(report.fading_loss, (2.0 * 0.999 * 0.999 + 0.999 + 4.0) / (0.999 * 0.999 + 0.999 + 1.0));
    assert_eq!((all.accuracy, all.kappa, all.log_loss, all.ece), (None, None, None, None));
    assert_eq!(report.spread, None, "too few events");
}

#[test]
fn the_window_is_the_last_thousand_and_best_counts_from_deployment() {
    let losses = |from: u32, to: u32| (from..to).map(|i| (0.0, f64::from(i)));
    let mut scores = valued(losses(0, 999));
    assert_eq!(scores.report().best_loss, None);
    for (predicted, truth) in losses(999, 3000) {
        scores.update(&Outcome::Value(predicted), Target::Value(truth));
    }
    close(scores.report().rolling_loss, 2499.5);
    close(scores.report().best_loss, 499.5);
    scores.deployed();
    assert_eq!(scores.report().best_loss, None);
    scores.update(&Outcome::Value(0.0), Target::Value(3000.0));
    close(scores.report().best_loss, 2500.5);
}

#[test]
fn a_large_offset_does_not_spoil_r2() {
    let report = valued((0..1500).map(|i| (1e9, 1e9 + f64::from(i % 2)))).report();
    close(report.all.r2, -1.0);
    close(report.rolling.r2, -1.0);
    // The last of a pair counts a little more.
    assert!(report.fading.r2.is_some_and(|r2| (r2 + 1.0).abs() < 0.01));
}

fn numbers(report: &Report) -> Vec<f64> {
    let of = |f: &Figures| {
        let classes =
            [f.accuracy, f.kappa, f.kappa_t, f.kappa_m, f.log_loss, f.brier, f.f1, f.auc, f.auc_error, f.mcc, f.ece];
        classes.into_iter().chain([f.mae, f.rmse, f.r2, f.mase, f.pinball, f.coverage])
    };
    let r = report;
    let of_class = |f: &ClassFigures| [Some(f.share), f.precision, f.recall, f.f1, f.auc];
    let classes = r.classes.iter().flat_map(|c| [&c.all, &c.rolling, &c.fading]).flat_map(of_class);
    let spread = r.spread.into_iter().flatten().map(Some);
    let all = [&r.all, &r.rolling, &r.fading].into_iter().flat_map(of).chain(classes).chain(spread);
    all.chain([r.rolling_loss, r.fading_loss, r.best_loss, r.baseline_loss]).flatten().collect()
}

proptest! {
    #[test]
    fn no_report_holds_an_impossible_number(seed in prop::collection::vec((0..9_usize, 0..9_usize), 1..40), times in 1..60_usize) {
        let values = [0.0, 1.0, -1.0, 1e308, -1e308, f64::MAX, f64::MIN, 1e-308, 1e154];
        let mut scores = valued(seed.iter().cycle().take(seed.len() * times).map(|(a, b)| (values[*a], values[*b])));
        prop_assert!(numbers(&scores.report()).iter().all(|x| x.is_finite()));
        for _ in 0..WINDOW {
            scores.update(&Outcome::Value(1.0), Target::Value(3.0));
        }
        prop_assert_eq!(scores.report().rolling_loss, Some(2.0));
    }

    #[test]
    fn shares_are_shares(seed in prop::collection::vec((0..4_u32, 0..4_u32, 0.0..=1.0_f64), 1..200)) {
        let events: Vec<_> = seed.iter().map(|(p, t, c)| ((*p < 3).then_some(ClassId(*p)), *c, ClassId(*t))).collect();
        let report = classified(&events).report();
        prop_assert!(numbers(&report).iter().all(|x| x.is_finite()));
        let (all, rolling) = (report.all, report.rolling);
        for share in [all.accuracy, all.ece, all.f1, rolling.ece, report.rolling_loss, report.fading_loss, report.baseline_loss] {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&share.unwrap()));
        }
        for kappa in [all.kappa, all.kappa_t, all.kappa_m, rolling.kappa, report.fading.kappa].into_iter().flatten() {
            prop_assert!(kappa <= 1.0);
        }
        prop_assert!(all.mcc.is_none_or(|mcc| mcc.abs() <= 1.0 + 1e-9));
    }
}

/// Scores of a baseline that learns the stream as it is scored, after each event.
fn of_learner(task: Task, mut learner: impl Learner, mut check: impl FnMut(Report)) {
    use features::{EntityId, EventTime, Row};
    let (mut scores, mut scratch, mut prediction) = (Scores::new(task), Scratch::default(), Prediction::default());
    for i in 0..1_500_u32 {
        let label = 3 + i * i % 7;
        let target = match task {
            Task::Classification => Target::Class(ClassId(label)),
            Task::Regression => Target::Value(f64::from(label)),
        };
        let row = Row { values: &[], at: EventTime(0), entity: EntityId(0) };
        learner.predict_into(&row, &mut scratch, &mut prediction);
        scores.update(&Outcome::of(&prediction, target), target);
        learner.learn(&row, target, 1.0);
        check(scores.report());
    }
}

/// From the first event on, where there is no last label yet.
#[test]
fn the_baseline_is_the_learner_no_change() {
    for task in [Task::Classification, Task::Regression] {
        of_learner(task, NoChange::default(), |report| {
            assert_eq!(report.rolling_loss, report.baseline_loss);
            for figures in [report.all, report.rolling, report.fading] {
                assert_eq!(figures.kappa_t.unwrap_or(0.0), 0.0);
                assert_eq!(figures.mase.unwrap_or(1.0), 1.0);
            }
        });
    }
}

#[test]
fn kappa_m_measures_against_the_learner_majority() {
    of_learner(Task::Classification, Majority::default(), |report| {
        for figures in [report.all, report.rolling, report.fading] {
            assert_eq!(figures.kappa_m, Some(0.0));
        }
    });
}

#[test]
fn saved_scores_go_on_as_if_never_stopped() {
    for task in [Task::Classification, Task::Regression] {
        let event = |i: u32| match task {
            Task::Regression => (Outcome::Value(f64::from(i % 7)), Target::Value(f64::from(i % 11))),
            Task::Classification => {
                let p = f64::from(i % 100) / 100.0;
                let probabilities = vec![p / 2.0, 1.0 - p, p / 2.0];
                let target = Target::Class(ClassId(i % 5));
                (Outcome::of(&Prediction { probabilities, value: 0.0 }, target), target)
            }
        };
        let (mut whole, mut parts) = (Scores::new(task), Scores::new(task));
        for i in 0..3_000 {
            let (outcome, target) = event(i);
            whole.update(&outcome, target);
            parts.update(&outcome, target);
            if i % 777 == 0 {
                parts = postcard::from_bytes(&postcard::to_stdvec(&parts).unwrap()).unwrap();
            }
        }
        assert_eq!(postcard::to_stdvec(&whole).unwrap(), postcard::to_stdvec(&parts).unwrap());
        assert_eq!(whole.report(), parts.report());
    }
}

fn mixed(i: u32, seed: u32) -> f64 {
    let x = i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(2_246_822_519));
    let x = (x ^ x >> 15).wrapping_mul(2_246_822_519);
    f64::from(x ^ x >> 13) / 4_294_967_296.0
}

/// What `learners/tests/scores.py --golden` says of the same streams.
#[rustfmt::skip]
const GOLDEN: &[(&str, &str, f64)] = &[
    ("all", "accuracy", 0.76),
    ("all", "kappa", 0.6049972240082688),
    ("all", "log_loss", 0.7566324775429432),
    ("all", "brier", 0.43758895435609824),
    ("all", "f1", 0.729655471077936),
    ("all", "mcc", 0.6114149882031396),
    ("all", "ece", 0.2190767049459784),
    ("all", "auc", 0.8855612886596457),
    ("all", "precision of 2", 0.5694050991501416),
    ("all", "recall of 2", 0.767175572519084),
    ("all", "f1 of 2", 0.6536585365853659),
    ("all", "auc of 2", 0.8871733527358829),
    ("all", "mae", 1.2416175707137833),
    ("all", "rmse", 1.5212456227400066),
    ("all", "r2", 0.7210465855454424),
    ("all", "mase", 1.1263956610005017),
    ("rolling", "accuracy", 0.749),
    ("rolling", "kappa", 0.5919621418898818),
    ("rolling", "log_loss", 0.7602840981818043),
    ("rolling", "brier", 0.4397551640357528),
    ("rolling", "f1", 0.7207678050845304),
    ("rolling", "mcc", 0.598106624664396),
    ("rolling", "ece", 0.2073174314489623),
    ("rolling", "auc", 0.8802689913401182),
    ("rolling", "precision of 2", 0.5546558704453441),
    ("rolling", "recall of 2", 0.7611111111111111),
    ("rolling", "f1 of 2", 0.6416861826697893),
    ("rolling", "auc of 2", 0.8751219512195122),
    ("rolling", "mae", 1.2404344476414844),
    ("rolling", "rmse", 1.5138852165593806),
    ("rolling", "r2", 0.7324213456814007),
    ("rolling", "mase", 1.116866658068313),
    ("fading", "accuracy", 0.7531378587279781),
    ("fading", "kappa", 0.5955051700130018),
    ("fading", "log_loss", 0.7590430108688407),
    ("fading", "brier", 0.44010796559274373),
    ("fading", "f1", 0.7219859718761793),
    ("fading", "mcc", 0.6022004833210586),
    ("fading", "ece", 0.21183783682519977),
    ("fading", "auc", 0.8826223194537328),
    ("fading", "precision of 2", 0.5489817243166858),
    ("fading", "recall of 2", 0.7616903319278627),
    ("fading", "f1 of 2", 0.63807581740201),
    ("fading", "auc of 2", 0.8828429982014921),
    ("fading", "mae", 1.2462878292972328),
    ("fading", "rmse", 1.5241949418757785),
    ("fading", "r2", 0.7234140337815227),
    ("fading", "mase", 1.131366990442287),
];

#[test]
fn scores_are_those_of_scikit_learn() {
    let (mut classes, mut values) = (Scores::new(Task::Classification), Scores::new(Task::Regression));
    for i in 0..1_500 {
        let label = (3.0 * mixed(i, 1) * mixed(i, 1)) as u32;
        let said = |k| mixed(i, 2 + k) + if k == label { mixed(i, 9) } else { 0.0 };
        let mut prediction = Prediction { probabilities: (0..3).map(said).collect(), value: 0.0 };
        prediction.normalise();
        let target = Target::Class(ClassId(label));
        classes.update(&Outcome::of(&prediction, target), target);
        let y = 10.0 * mixed(i / 4, 20) + mixed(i, 21);
        values.update(&Outcome::Value(y + 4.0 * mixed(i, 22) - 1.0), Target::Value(y));
    }
    let mut numbers = BTreeMap::new();
    let (classes, values) = (classes.report(), values.report());
    let of = |r: &Report| [("all", r.all), ("rolling", r.rolling), ("fading", r.fading)];
    for (over, f) in of(&classes) {
        let own = [("accuracy", f.accuracy), ("kappa", f.kappa), ("log_loss", f.log_loss), ("brier", f.brier)];
        let rest = [("f1", f.f1), ("auc", f.auc), ("mcc", f.mcc), ("ece", f.ece)];
        numbers.extend(own.into_iter().chain(rest).map(|(name, x)| ((over, name), x)));
        assert!(f.auc_error.is_some_and(|error| error < 0.004), "{:?}", f.auc_error);
    }
    for (over, f) in of(&values) {
        let own = [("mae", f.mae), ("rmse", f.rmse), ("r2", f.r2), ("mase", f.mase)];
        numbers.extend(own.into_iter().map(|(name, x)| ((over, name), x)));
    }
    let last = &classes.classes[2];
    for (over, f) in [("all", last.all), ("rolling", last.rolling), ("fading", last.fading)] {
        let own = [("precision of 2", f.precision), ("recall of 2", f.recall), ("f1 of 2", f.f1), ("auc of 2", f.auc)];
        numbers.extend(own.into_iter().map(|(name, x)| ((over, name), x)));
    }
    assert_eq!(numbers.len(), GOLDEN.len());
    for (over, name, expected) in GOLDEN {
        let got = numbers[&(*over, *name)].unwrap_or_else(|| panic!("{over} {name} is absent"));
        let tolerance = if name.starts_with("auc") { 0.004 } else { 1e-9 };
        assert!((got - expected).abs() <= tolerance, "{over} {name} is {got}, not {expected}");
    }
}

/// More events than it takes for fading weights to be brought down, twice.
#[test]
fn fading_scores_fade_for_ever() {
    let mut scores = Scores::new(Task::Classification);
    for i in 0..400_000_u32 {
        let p = if i < 395_000 { 0.3 } else { 0.9 };
        let target = Target::Class(ClassId(i % 3));
        let mut probabilities = vec![(1.0 - p) / 2.0; 3];
        probabilities[(i % 3) as usize] = p;
        scores.update(&Outcome::of(&Prediction { probabilities, value: 0.0 }, target), target);
    }
    let report = scores.report();
    let left = libm::pow(FADING, 5_000.0);
    close(report.fading.accuracy, 1.0 - left);
    close(report.fading.log_loss, -libm::log(0.9) - left * (libm::log(0.3) - libm::log(0.9)));
    close(report.rolling.log_loss, -libm::log(0.9));
    close(report.rolling.auc, 1.0);
    assert!(report.all.accuracy.unwrap() < 0.1);
}

#[test]
fn a_class_that_comes_late_and_many_classes_are_counted_from_the_first_event_on() {
    let mut scores = Scores::new(Task::Classification);
    let mut step = |probabilities: Vec<f64>, truth| {
        let target = Target::Class(ClassId(truth));
        scores.update(&Outcome::of(&Prediction { probabilities, value: 0.0 }, target), target);
        scores.report()
    };
    (0..10).for_each(|i| drop(step(vec![0.5, 0.5], i % 2)));
    let report = step(vec![0.5, 0.5], 2);
    close(report.classes[2].all.auc, 0.5);
    let report = step(vec![0.1, 0.1, 0.8], 2);
    close(report.classes[2].all.auc, 0.75);
    let report = step(vec![0.5, 0.5], 8);
    assert_eq!((report.all.auc, report.classes.len()), (None, 9));
    assert_eq!(step(vec![0.5, 0.5], 64).classes.len(), 0);
}
