//! What came of the demo, held against the truth.

use features::Task;
use fold::ModelSnapshot;
use serde::Serialize;
use simulations::{Drift, DriftKind};

/// How far behind a drift its worst moment is looked for, in events.
const WORST_WITHIN: u64 = 3_000;

/// What came of the demo.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Events learned from.
    pub events: u64,
    /// The drifts of the world that were reached.
    pub drifts: Vec<Detection>,
    /// Drifts reported that no change of the world explains: before any, or a second one of the same.
    pub false_alarms: u64,
    /// Times another learner became the one that serves.
    pub swaps: u64,
    /// Around the first drift: rolling accuracy, or for regression 1 - loss / loss of the last value again.
    pub accuracy: Around,
    /// Around the first drift: rolling share of errors, or mean absolute error.
    pub loss: Around,
    /// Where it was served.
    pub url: String,
}

/// A drift of the world, and when the serving learner's detector saw it.
#[derive(Clone, Debug, Serialize)]
pub struct Detection {
    /// The first event of the new world.
    pub at_event: u64,
    /// Events learned when it was raised.
    pub detected_at_event: Option<u64>,
    /// How the world changes.
    pub kind: DriftKind,
}

/// A figure before a drift, at its worst, and at the end of the new world.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Around {
    /// Right before.
    pub before: Option<f64>,
    /// At its worst.
    pub at: Option<f64>,
    /// At the end of the new world, or of the demo.
    pub after: Option<f64>,
}

/// What was seen of the live model at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) events: u64,
    pub(super) loss: Option<f64>,
    pub(super) accuracy: Option<f64>,
}

impl Sample {
    /// Of the champion.
    pub(super) fn of(task: Task, newest: &ModelSnapshot) -> Option<Self> {
        let report = &newest.standings.first()?.report;
        let accuracy = match task {
            Task::Classification => report.rolling_loss.map(|loss| 1.0 - loss),
            Task::Regression => report.rolling_loss.zip(report.baseline_loss).map(|(l, b)| 1.0 - l / b),
        };
        Some(Self { events: newest.counts.events, loss: report.rolling_loss, accuracy })
    }
}

/// Each drift with its first alarm before the next drift; alarms before any, and second ones, are false.
pub(super) fn judge(drifts: &[Drift], alarms: &[u64]) -> (Vec<Detection>, u64) {
    let mut found: Vec<Detection> = drifts
        .iter()
        .map(|drift| Detection { at_event: drift.at_event, detected_at_event: None, kind: drift.kind })
        .collect();
    let mut false_alarms = 0;
    for &alarm in alarms {
        match found.iter_mut().rev().find(|drift| drift.at_event <= alarm) {
            Some(drift) if drift.detected_at_event.is_none() => drift.detected_at_event = Some(alarm),
            _ => false_alarms += 1,
        }
    }
    (found, false_alarms)
}

/// A figure around the first drift.
pub(super) fn around_the_first(
    samples: &[Sample],
    drifts: &[Drift],
    figure: fn(&Sample) -> Option<f64>,
    worse: fn(f64, f64) -> f64,
) -> Around {
    let Some(drift) = drifts.first().map(|drift| drift.at_event) else { return Around::default() };
    let end = drifts.get(1).map_or(u64::MAX, |next| next.at_event);
    let near = |sample: &&Sample| (drift..end.min(drift + WORST_WITHIN)).contains(&sample.events);
    Around {
        before: samples.iter().rev().find(|sample| sample.events < drift).and_then(figure),
        at: samples.iter().filter(near).filter_map(figure).reduce(worse),
        after: samples.iter().rev().find(|sample| sample.events >= drift && sample.events < end).and_then(figure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(at_event: u64) -> Drift {
        Drift { at_event, ends_at: None, kind: DriftKind::Abrupt, concept: String::new() }
    }

    #[test]
    fn alarms_are_held_against_the_truth() {
        let (found, false_alarms) = judge(&[drift(100), drift(200), drift(300)], &[50, 120, 150, 310]);
        let detected: Vec<_> = found.iter().map(|d| d.detected_at_event).collect();
        assert_eq!(detected, [Some(120), None, Some(310)]);
        assert_eq!(false_alarms, 2, "50 is before any drift, 150 the second one of a drift");
    }

    #[test]
    fn the_worst_moment_is_looked_for_behind_the_drift() {
        let sample = |events, loss| Sample { events, loss: Some(loss), accuracy: None };
        let samples = [sample(90, 1.0), sample(110, 5.0), sample(120, 9.0), sample(190, 2.0), sample(210, 10.0)];
        let a = around_the_first(&samples, &[drift(100), drift(200)], |s| s.loss, f64::max);
        assert_eq!((a.before, a.at, a.after), (Some(1.0), Some(9.0), Some(2.0)));
    }
}
