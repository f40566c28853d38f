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
//! Cost: about 6 ns a loss, 8 bytes a loss of the window.

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
}

impl RollingLoss {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "rolling",
        idea: "the mean of the last losses against the best it has been",
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
            ParamInfo { name: "window", range: "10..10000", default: "1000", help: "losses in the mean" },
        ],
    };

    /// `0 < warning <= tol`, `window` ≥ 1 losses.
    pub fn new(tol: f64, warning: f64, window: usize) -> Self {
        Self { tol, warning, window, losses: Rolling::new(window), best: None }
    }

    pub(super) fn build(params: &Params<'_>, budget: Option<f64>) -> Result<Self, SpecError> {
        let usual = budget.map_or(0.05, |budget| linear(&TUNED, budget));
        let window = params.whole("window", WINDOW, 10, 10_000)?;
        let usual = usual * (WINDOW as f64 / window as f64).sqrt();
        let tol = params.number("tol", usual.min(1.0), 0.001, 1.0)?;
        Ok(Self::new(tol, params.number("warning", 0.7 * tol, 0.0005, tol)?, window as usize))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() - size_of::<Rolling>() + self.losses.bytes()
    }
}

impl Detector for RollingLoss {
    fn update(&mut self, loss: f64) -> Signal {
        self.losses.push(loss);
        let Some(mean) = self.losses.mean().filter(|_| self.losses.is_full()) else { return Signal::Stable };
        let best = self.best.map_or(mean, |best| best.min(mean));
        self.best = Some(best);
        if mean > best + self.tol {
            *self = Self::new(self.tol, self.warning, self.window);
            Signal::Drift
        } else if mean > best + self.warning {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }
}
