//! How a model stood at one moment, in the few figures that charts show.

use std::collections::BTreeMap;

use learners::Signal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a model stood at one moment of the wall clock; where it stands for a while, rates and losses are means, latencies
/// and the verdict the worst, everything else the newest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Records and decisions folded.
    pub version: u64,
    /// Events learned from.
    pub events: u64,
    /// Records waiting in all partitions.
    pub lag: i64,
    /// Events learned from a second.
    pub events_per_second: f64,
    /// Predict requests answered a second.
    pub requests_per_second: f64,
    /// Half of the predict requests took no longer; `None`: there was none.
    pub predict_p50_ms: Option<f64>,
    /// 99 of 100 predict requests took no longer.
    pub predict_p99_ms: Option<f64>,
    /// Each learner's rolling loss: share of wrong classes, or mean absolute error.
    pub loss: BTreeMap<String, f64>,
    /// What each of the champion's members counted for; empty if it has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, f64>,
    /// The champion's lowest rolling loss since it was deployed.
    pub best: Option<f64>,
    /// The no-change baseline's rolling loss.
    pub baseline: Option<f64>,
    /// The rolling loss of predictions that were served with an id.
    pub served: Option<f64>,
    /// Whether the champion's loss has drifted.
    #[schema(value_type = String, example = "stable")]
    pub verdict: Signal,
    /// The champion's name.
    pub champion: String,
    /// The version that answers, if it is pinned.
    pub pinned: Option<u64>,
    /// The newest checkpoint's version.
    pub checkpoint_version: Option<u64>,
    /// Rows that wait for their label.
    pub waiting: u64,
}

impl Sample {
    /// Takes in a newer one; `count`: how many `self` stands for so far.
    pub(super) fn absorb(&mut self, newer: &Self, count: u32) {
        let share = 1.0 / (f64::from(count) + 1.0);
        let mean = |old: f64, new: f64| old + (new - old) * share;
        let mut merged = newer.clone();
        merged.events_per_second = mean(self.events_per_second, newer.events_per_second);
        merged.requests_per_second = mean(self.requests_per_second, newer.requests_per_second);
        merged.predict_p50_ms = worse(self.predict_p50_ms, newer.predict_p50_ms);
        merged.predict_p99_ms = worse(self.predict_p99_ms, newer.predict_p99_ms);
        merged.verdict = self.verdict.max(newer.verdict);
        for (learner, loss) in &mut merged.loss {
            *loss = self.loss.get(learner).map_or(*loss, |&old| mean(old, *loss));
        }
        for (member, share) in &mut merged.members {
            *share = self.members.get(member).map_or(*share, |&old| mean(old, *share));
        }
        *self = merged;
    }

    /// Cuts its figures down to six significant digits: charts need no more, and texts get shorter.
    pub(super) fn shorten(mut self) -> Self {
        for figure in
            [&mut self.events_per_second, &mut self.requests_per_second].into_iter().chain(self.loss.values_mut())
        {
            *figure = short(*figure);
        }
        // A thousandth of the answer is no line on a chart.
        self.members.values_mut().for_each(|share| *share = (*share * 1e3).round() / 1e3);
        for figure in [&mut self.predict_p50_ms, &mut self.predict_p99_ms, &mut self.best, &mut self.baseline] {
            *figure = figure.map(short);
        }
        self
    }
}

fn worse(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).reduce(f64::max)
}

/// The same number in six significant digits.
fn short(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_kept_whatever_the_unit() {
        for (x, expected) in [
            (0.313_074_426_424_831_3, 0.313_074),
            (-1_234_567.8, -1_234_570.0),
            (1.234_567_89e-9, 1.234_57e-9),
            (0.0, 0.0),
            (999_999.9, 1_000_000.0),
            (f64::INFINITY, f64::INFINITY),
            (1e-308, 1e-308),
        ] {
            assert_eq!(short(x), expected, "{x}");
        }
    }
}
