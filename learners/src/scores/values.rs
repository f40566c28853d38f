//! What is kept for the scores of regression: three sums, and how the errors are spread.

use serde::{Deserialize, Serialize};

use super::spread::Spread;
use super::totals::Totals;
use super::{FADING, WINDOW};
use super::{finite, mae, mase, pinball, r2, rmse};
use crate::report::Figures;
use crate::rolling::{Rolling, Sum};
use crate::{Outcome, Report};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Values {
    last: f64,
    spread: Spread,
    all: Totals,
    recent: Rolling<Totals>,
    fading: Totals,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            last: 0.0,
            spread: Spread::default(),
            all: Totals::NONE,
            recent: Rolling::new(WINDOW),
            fading: Totals::NONE,
        }
    }
}

impl Values {
    /// Returns the losses of the learner and of the last value again.
    pub fn update(&mut self, outcome: &Outcome, truth: f64) -> (f64, f64) {
        let Outcome::Value(predicted) = *outcome else { unreachable!("scores, outcome and target are of one task") };
        let error = (truth - predicted).clamp(-f64::MAX, f64::MAX);
        let (loss, naive) = (error.abs(), (truth - self.last).abs().min(f64::MAX));
        let [low, high] = self.ends();
        let one = Totals {
            events: 1.0,
            absolute: loss,
            squared: loss * loss,
            naive,
            pinball: pinball::of(error, [low, high]),
            covered: f64::from(u8::from(low <= error && error <= high)),
            mean: truth,
            deviation: 0.0,
        };
        self.spread.learn(error);
        self.all = self.all.plus(&one);
        self.recent.push(one);
        self.fading = self.fading.fade(FADING).plus(&one);
        self.last = truth;
        (loss, naive)
    }

    pub fn ends(&self) -> [f64; 2] {
        self.spread.ends()
    }

    /// The sum of losses in the window, once it is full.
    pub fn full_window(&self) -> Option<f64> {
        self.recent.full_sum(|totals| totals.absolute)
    }

    pub fn rolling_loss(&self) -> Option<f64> {
        mae::of(&self.recent.sum())
    }

    pub fn fading_loss(&self) -> Option<f64> {
        mae::of(&self.fading.fade(1.0))
    }

    pub fn report(&self, report: &mut Report) {
        let recent = self.recent.sum();
        (report.all, report.rolling) = (figures(&self.all), figures(&recent));
        report.fading = figures(&self.fading.fade(1.0));
        report.baseline_loss = finite(recent.naive / recent.events);
        report.spread = self.spread.known();
    }

    pub fn bytes(&self) -> usize {
        self.recent.bytes()
    }
}

fn figures(totals: &Totals) -> Figures {
    Figures {
        mae: mae::of(totals),
        rmse: rmse::of(totals),
        r2: r2::of(totals),
        mase: mase::of(totals),
        pinball: pinball::mean(totals),
        coverage: finite(totals.covered / totals.events),
        ..Figures::default()
    }
}
