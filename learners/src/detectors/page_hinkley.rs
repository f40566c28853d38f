//! Page-Hinkley: a sum of how far the losses lie above their mean.
//!
//! ```text
//! sum = max(0, alpha sum + loss - mean - delta)      drift if sum > lambda
//! ```
//!
//! mean is that of all losses since the start, this one included. After [`Signal::Drift`] everything starts anew.
//! Nothing is said before 30 losses.
//!
//! Page, Continuous inspection schemes, 1954; Gama, Sebastião & Rodrigues 2013. The test is on the sum above its
//! minimum, which is what 0 as a floor does. MOA leaves that out: there the sum sinks without end while the loss falls,
//! and a rise after a learning phase is found 8,000 losses late. So the usual lambda of 50 alarms earlier here than
//! there, rightly and wrongly: up to 24 false alarms in a million independent losses instead of 1.
//!
//! Cost: about 7 ns a loss, 64 bytes.

use serde::{Deserialize, Serialize};

use super::budget::linear;
use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::{Detector, Params, Signal, SpecError};

/// Losses before anything is said.
const WARM_UP: u64 = 30;
/// lambda by budget, at the usual delta and alpha.
const TUNED: [(f64, f64); 4] = [(1e4, 33.2), (1e5, 61.0), (1e6, 84.5), (1e7, 106.5)];

/// The detector. Losses lie in 0..=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageHinkley {
    lambda: f64,
    warning: f64,
    delta: f64,
    alpha: f64,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    seen: u64,
    mean: f64,
    sum: f64,
}

impl PageHinkley {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "page_hinkley",
        idea: "a sum of how far the losses lie above their mean",
        cost: "about 7 ns a loss, 64 bytes",
        paper: "Page 1954",
        keeps_budget: true,
        budget: "by lambda, 1 per 1e4 to 1e7 independent losses; at 1 per 1e6 up to 67 of runs of errors",
        params: &[
            ParamInfo { name: "lambda", range: "1..100000", default: "50", help: "sum that is an alarm" },
            ParamInfo { name: "warning", range: "0.5..lambda", default: "lambda / 2", help: "sum that is a warning" },
            ParamInfo { name: "delta", range: "0..0.5", default: "0.005", help: "rise that does not count" },
            ParamInfo { name: "alpha", range: "0.9..1", default: "0.9999", help: "what is kept of the sum at a loss" },
        ],
    };

    /// `0 < warning <= lambda`, `delta` in 0..1, `alpha` in 0..=1.
    pub fn new(lambda: f64, warning: f64, delta: f64, alpha: f64) -> Self {
        Self { lambda, warning, delta, alpha, state: State::default() }
    }

    pub(super) fn build(params: &Params<'_>, budget: Option<f64>) -> Result<Self, SpecError> {
        let usual = budget.map_or(50.0, |budget| linear(&TUNED, budget));
        let lambda = params.number("lambda", usual, 1.0, 1e5)?;
        let warning = params.number("warning", lambda / 2.0, 0.5, lambda)?;
        let delta = params.number("delta", 0.005, 0.0, 0.5)?;
        Ok(Self::new(lambda, warning, delta, params.number("alpha", 0.9999, 0.9, 1.0)?))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Detector for PageHinkley {
    fn update(&mut self, loss: f64) -> Signal {
        let state = &mut self.state;
        state.seen += 1;
        state.mean += (loss - state.mean) / state.seen as f64;
        state.sum = (self.alpha * state.sum + loss - state.mean - self.delta).max(0.0);
        if state.seen < WARM_UP {
            Signal::Stable
        } else if state.sum > self.lambda {
            self.state = State::default();
            Signal::Drift
        } else if state.sum > self.warning {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{golden, places};
    use super::*;

    fn usual() -> PageHinkley {
        PageHinkley::new(50.0, 25.0, 0.005, 0.9999)
    }

    /// Without the floor it is MOA's Page-Hinkley, which alarms at 1123 alone; without forgetting it is MOA's CUSUM.
    #[test]
    fn it_alarms_before_moa_because_of_the_floor_alone() {
        let (mut mean, mut sum, mut alarms) = (0.0, 0.0, vec![]);
        for (i, loss) in golden().take(1124) {
            mean += (loss - mean) / (i + 1) as f64;
            sum = 0.9999 * sum + (loss - mean - 0.005);
            if sum > 50.0 {
                alarms.push(i);
            }
        }
        assert_eq!(alarms, [1123]);
        assert_eq!(places(Signal::Drift, &mut usual()), [1101]);
        assert_eq!(places(Signal::Drift, &mut PageHinkley::new(50.0, 25.0, 0.005, 1.0)), [1100]);
    }

    #[test]
    fn a_rise_after_learning_is_found_at_once() {
        let mut detector = usual();
        let mut found = None;
        for i in 0..30_000_u32 {
            let p = if i < 20_000 { 0.15 + 0.35 * libm::exp(-f64::from(i) / 2_000.0) } else { 0.25 };
            if detector.update(p) == Signal::Drift {
                found.get_or_insert(i);
            }
        }
        assert!(found.is_some_and(|at| (20_000..21_500).contains(&at)), "{found:?}");
    }
}
