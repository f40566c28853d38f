//! Scores held against numbers worked out by hand, and against what must hold for any stream.

use super::*;
use proptest::prelude::*;

const UP: ClassId = ClassId(0);
const DOWN: ClassId = ClassId(1);

fn classified(events: &[(Option<ClassId>, f64, ClassId)]) -> Scores {
    let mut scores = Scores::new(Task::Classification);
    for (predicted, confidence, truth) in events {
        let p_true = if *predicted == Some(*truth) { *confidence } else { 1.0 - confidence };
        let outcome = Outcome::Class { predicted: *predicted, confidence: *confidence, p_true };
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
    assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got} is not {expected}");
}

#[test]
fn classification_by_hand() {
    let up = Some(UP);
    // Right: 1st, 2nd, 5th. The last label came again at the 2nd and 4th.
    let report =
        classified(&[(up, 0.9, UP), (up, 0.8, UP), (up, 0.75, DOWN), (up, 0.65, DOWN), (up, 0.6, UP)]).report();
    close(report.accuracy, 0.6);
    // Labels 3:2, predictions 5:0.
    close(report.kappa, 0.0);
    close(report.kappa_t, (0.6 - 0.4) / 0.6);
    let logs = [0.9, 0.8, 0.25, 0.35, 0.6].map(libm::log);
    close(report.log_loss, -logs.iter().sum::<f64>() / 5.0);
    close(report.ece, (0.1 + 0.2 + 0.75 + (1.25_f64 - 1.0).abs()) / 5.0);
    close(report.rolling_loss, 0.4);
    close(report.baseline_loss, 0.6);
    assert_eq!((report.best_loss, report.mae, report.rmse, report.r2), (None, None, None, None));
}

#[test]
fn kappa_takes_frequencies_and_no_prediction_is_an_error() {
    let (up, down) = (Some(UP), Some(DOWN));
    let report = classified(&[(None, 0.0, UP), (up, 1.0, UP), (down, 1.0, DOWN), (down, 1.0, UP)]).report();
    close(report.accuracy, 0.5);
    let chance = 0.75 * 0.25 + 0.25 * 0.5;
    close(report.kappa, (0.5 - chance) / (1.0 - chance));
    assert_eq!(classified(&[(up, 1.0, UP), (up, 1.0, UP)]).report().kappa, None, "nothing left to win");
}

#[test]
fn regression_by_hand() {
    let report = valued([(0.0, 2.0), (3.0, 4.0), (5.0, 9.0)]).report();
    close(report.mae, 7.0 / 3.0);
    close(report.rmse, 7.0_f64.sqrt());
    close(report.r2, 1.0 - 21.0 / 26.0);
    close(report.baseline_loss, (2.0 + 2.0 + 5.0) / 3.0);
    close(report.fading_loss, (2.0 * 0.999 * 0.999 + 0.999 + 4.0) / (0.999 * 0.999 + 0.999 + 1.0));
    assert_eq!((report.accuracy, report.kappa, report.log_loss, report.ece), (None, None, None, None));
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
    let report = valued((0..1000).map(|i| (1e9, 1e9 + f64::from(i % 2)))).report();
    close(report.r2, -1.0);
}

#[test]
fn the_log_loss_is_that_of_the_sum_of_logarithms() {
    let mut likelihood = Likelihood::default();
    let mut sum = 0.0;
    for i in 0..100_000_u32 {
        let p = if i % 3 == 0 { 0.0 } else { f64::from(i % 1000) / 1000.0 };
        likelihood.push(p);
        sum += libm::log(p.max(FLOOR));
    }
    close(Some(likelihood.log() / 1e5), sum / 1e5);
    assert!(likelihood.product.is_normal());
}

fn numbers(report: &Report) -> Vec<f64> {
    let r = report;
    let all = [r.accuracy, r.kappa, r.kappa_t, r.log_loss, r.ece, r.mae, r.rmse, r.r2];
    all.into_iter().chain([r.rolling_loss, r.fading_loss, r.best_loss, r.baseline_loss]).flatten().collect()
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
        for share in [report.accuracy, report.ece, report.rolling_loss, report.fading_loss, report.baseline_loss] {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&share.unwrap()));
        }
        for kappa in [report.kappa, report.kappa_t].into_iter().flatten() {
            prop_assert!(kappa <= 1.0);
        }
    }
}

/// From the first event on, where there is no last label yet.
#[test]
fn the_baseline_is_the_learner_no_change() {
    use crate::{Learner, NoChange, Prediction, Scratch};
    use features::{EntityId, EventTime, Row};
    for task in [Task::Classification, Task::Regression] {
        let (mut scores, mut learner) = (Scores::new(task), NoChange::default());
        let (mut scratch, mut prediction) = (Scratch::default(), Prediction::default());
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
            let report = scores.report();
            assert_eq!(report.rolling_loss, report.baseline_loss);
            assert_eq!(report.kappa_t.unwrap_or(0.0), 0.0);
        }
    }
}

#[test]
fn saved_scores_go_on_as_if_never_stopped() {
    for task in [Task::Classification, Task::Regression] {
        let event = |i: u32| match task {
            Task::Regression => (Outcome::Value(f64::from(i % 7)), Target::Value(f64::from(i % 11))),
            Task::Classification => {
                let (predicted, p) = (Some(ClassId(i % 3)), f64::from(i % 100) / 100.0);
                (Outcome::Class { predicted, confidence: p, p_true: p }, Target::Class(ClassId(i % 5)))
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
