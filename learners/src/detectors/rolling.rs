//! The rolling mean loss against the best since deployment: what people draw and look at.
//!
//! The mean of the last 1,000 losses is kept, and the lowest it has been over a full window. It is [`Signal::Drift`] if
//! the mean exceeds the lowest by more than `tol`, and [`Signal::Warning`] if by more than `warning`. After an alarm
//! window and lowest start anew, as for a new deployment.
//!
//! The lowest of many means lies below the truth, the more so the longer it runs: a tolerance of .05 makes up to 172
//! false alarms in a million losses, and one that makes few finds no small rise. For another window than the usual one
//! the tolerance is scaled as the deviation of a mean; tuned to 1 in a million, a window of 200 makes 6, one of 5,000
//! fewer than .1.
//!
//! With `baseline_tol` below 1 it is a drift, too, if the mean exceeds that of the no-change baseline over the same window
//! by more: a model that does worse than the last label again has decayed, however slowly it came to that.
//!
//! Cost: about 6 ns a loss, 8 bytes a loss of the window, twice that beside a baseline.

use serde::{Deserialize, Serialize};

use super::budget::linear;
use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::rolling::Rolling;
use crate::{Detector, Params, Signal, SpecError};

/// `tol` by budget, for the usual window.
const TUNED: [(f64, f64); 4] = [(1e4, 0.061), (1e5, 0.094), (1e6, 0.112), (1e7, 0.125)];
/// The usual window.
const WINDOW: u64 = 1_000;

/// The detector. Losses lie in 0..=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RollingLoss {
    tol: f64,
    warning: f64,
    window: usize,
    losses: Rolling,
    best: Option<f64>,
    /// The tolerance above the baseline, and its losses.
    baseline: Option<(f64, Rolling)>,
}

impl RollingLoss {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "rolling",
        idea: "the mean of the last losses against the best it has been, and against the no-change baseline",
        cost: "about 6 ns a loss, 8 bytes a loss of the window",
        paper: "folklore",
        keeps_budget: true,
        budget: "by tol, 1 per 1e4 to 1e7 independent losses; at 1 per 1e6 up to 131 of runs of errors",
        params: &[
            ParamInfo {
                name: "tol",
                range: "0.001..1",
                default: "0.05 * sqrt(1000 / window)",
                help: "loss above the best: an alarm",
            },
            ParamInfo { name: "warning", range: "0.0005..tol", default: "0.7 * tol", help: "the same for a warning" },
            ParamInfo {
                name: "baseline_tol",
                range: "0..1",
                default: "1: off",
                help: "loss above the no-change baseline's: an alarm",
            },
            ParamInfo { name: "window", range: "10..10000", default: "1000", help: "losses in the mean" },
        ],
    };

    /// `0 < warning <= tol`, `window` ≥ 1 losses.
    pub fn new(tol: f64, warning: f64, window: usize) -> Self {
        Self { tol, warning, window, losses: Rolling::new(window), best: None, baseline: None }
    }

    /// The same, held against the no-change baseline as well. `0 <= tol < 1`.
    #[must_use]
    pub fn beside_baseline(mut self, tol: f64) -> Self {
        self.baseline = Some((tol, Rolling::new(self.window)));
        self
    }

    /// Takes in the next loss and the baseline's for the same event.
    pub fn update_beside(&mut self, loss: f64, baseline: f64) -> Signal {
        let signal = self.update(loss);
        let Some((tol, losses)) = &mut self.baseline else { return signal };
        losses.push(baseline);
        match (self.losses.mean(), losses.mean()) {
            _ if signal == Signal::Drift || !losses.is_full() || !self.losses.is_full() => signal,
            (Some(mean), Some(baseline)) if mean > baseline + *tol => {
                self.begin_anew();
                Signal::Drift
            }
            _ => signal,
        }
    }

    fn begin_anew(&mut self) {
        let anew = Self::new(self.tol, self.warning, self.window);
        *self = match &self.baseline {
            Some((tol, _)) => anew.beside_baseline(*tol),
            None => anew,
        };
    }

    pub(super) fn build(params: &Params<'_>, budget: Option<f64>) -> Result<Self, SpecError> {
        let usual = budget.map_or(0.05, |budget| linear(&TUNED, budget));
        let window = params.whole("window", WINDOW, 10, 10_000)?;
        let usual = usual * (WINDOW as f64 / window as f64).sqrt();
        let tol = params.number("tol", usual.min(1.0), 0.001, 1.0)?;
        let detector = Self::new(tol, params.number("warning", 0.7 * tol, 0.0005, tol)?, window as usize);
        let beside = params.number("baseline_tol", 1.0, 0.0, 1.0)?;
        Ok(if beside < 1.0 { detector.beside_baseline(beside) } else { detector })
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let baseline = self.baseline.as_ref().map_or(0, |(_, losses)| losses.bytes() - size_of::<Rolling>());
        size_of::<Self>() - size_of::<Rolling>() + self.losses.bytes() + baseline
    }
}

impl Detector for RollingLoss {
    fn update(&mut self, loss: f64) -> Signal {
        self.losses.push(loss);
        let Some(mean) = self.losses.mean().filter(|_| self.losses.is_full()) else { return Signal::Stable };
        let best = self.best.map_or(mean, |best| best.min(mean));
        self.best = Some(best);
        if mean > best + self.tol {
            self.begin_anew();
            Signal::Drift
        } else if mean > best + self.warning {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_falls_behind_the_baseline_has_drifted_however_slowly() {
        // From .2 to .5 within 30,000 losses, the baseline at .4 throughout.
        let alarms = |mut detector: RollingLoss| -> Vec<usize> {
            let loss = |i: usize| f64::from(u8::from((i * 7_919 % 1_000) as f64 / 1_000.0 < 0.2 + i as f64 * 1e-5));
            let baseline = |i: usize| f64::from(u8::from(i * 6_007 % 10 < 4));
            let alarmed = |i: &usize| detector.update_beside(loss(*i), baseline(*i)) == Signal::Drift;
            (0..30_000).filter(alarmed).collect()
        };
        assert!(alarms(RollingLoss::new(0.5, 0.4, 1_000)).is_empty());
        let beside = alarms(RollingLoss::new(0.5, 0.4, 1_000).beside_baseline(0.02));
        assert!((22_000..23_500).contains(&beside[0]), "{beside:?}");
    }
}
