//! HDDM-A: the mean loss since the start against the mean up to where it was lowest, by Hoeffding's inequality.
//!
//! Of n losses with sum c, the cut (n', c') is where c/n + eps(n) was lowest, eps(n) = sqrt(ln(1/delta) / (2 n)). It is
//! [`Signal::Drift`], and everything starts anew, if
//!
//! ```text
//! c/n - c'/n' >= sqrt(m/2 ln(2/delta))     m = (n - n') / (n' n)
//! ```
//!
//! and [`Signal::Warning`] if the same holds for a laxer delta. A fall as significant, from the cut where
//! c/n - eps(n) was highest, starts everything anew and says nothing.
//!
//! Frías-Blanco et al., Online and non-parametric drift detection methods based on Hoeffding's bounds, 2015; the rules
//! are those of MOA. delta is the risk of one comparison, and there is one at each loss: the usual one makes up to 8
//! false alarms in a million independent losses.
//!
//! Cost: about 25 ns a loss, 144 bytes.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::budget::geometric;
use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::{Detector, Params, Signal, SpecError};

/// delta by budget.
const TUNED: [(f64, f64); 4] = [(1e4, 6e-3), (1e5, 9e-4), (1e6, 1.3e-4), (1e7, 1.1e-5)];

/// The detector. Losses lie in 0..=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HddmA {
    /// ln(1 / delta), ln(1 / warning_delta).
    drift: f64,
    warning: f64,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    all: Part,
    /// Up to where the mean was lowest, and highest.
    lowest: Option<Part>,
    highest: Option<Part>,
}

/// The losses from the start to some place.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Part {
    count: u64,
    sum: f64,
}

impl Part {
    fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// `1 / (2 count)`: the squared bound of the mean over the logarithm of the risk.
    fn unit(&self) -> f64 {
        0.5 / self.count as f64
    }
}

impl HddmA {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "hddm_a",
        idea: "the mean loss since the start against the lowest it has been, by Hoeffding's inequality",
        cost: "about 25 ns a loss, 144 bytes",
        paper: "Frías-Blanco et al. 2015",
        keeps_budget: true,
        budget: "by delta, 1 per 1e4 to 1e7 independent losses; at 1 per 1e6 up to 1,057 of runs of errors",
        params: &[
            ParamInfo { name: "delta", range: "1e-12..0.1", default: "0.001", help: "risk of an alarm at a loss" },
            ParamInfo {
                name: "warning_delta",
                range: "delta..0.5",
                default: "5 * delta",
                help: "risk of a warning at a loss",
            },
        ],
    };

    /// `0 < delta <= warning_delta < 1`.
    pub fn new(delta: f64, warning_delta: f64) -> Self {
        Self { drift: -libm::log(delta), warning: -libm::log(warning_delta), state: State::default() }
    }

    pub(super) fn build(params: &Params<'_>, budget: Option<f64>) -> Result<Self, SpecError> {
        let usual = budget.map_or(0.001, |budget| geometric(TUNED, budget));
        let delta = params.number("delta", usual, 1e-12, 0.1)?;
        Ok(Self::new(delta, params.number("warning_delta", 5.0 * delta, delta, 0.5)?))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Detector for HddmA {
    fn update(&mut self, loss: f64) -> Signal {
        let State { all, lowest, highest } = &mut self.state;
        all.count += 1;
        all.sum += loss;
        let eps = |part: &Part| (part.unit() * self.drift).sqrt();
        let low = match *lowest {
            Some(low) if low.mean() + eps(&low) < all.mean() + eps(all) => low,
            _ => *lowest.insert(*all),
        };
        let high = match *highest {
            Some(high) if high.mean() - eps(&high) > all.mean() - eps(all) => high,
            _ => *highest.insert(*all),
        };
        // A cut at the newest loss has nothing behind it to compare.
        let apart = |part: Part, difference: f64, log: f64| {
            let m = (all.count - part.count) as f64 / part.count as f64 / all.count as f64;
            m > 0.0 && difference >= (m / 2.0 * (LN_2 + log)).sqrt()
        };
        let (rise, fall) = (all.mean() - low.mean(), high.mean() - all.mean());
        if apart(low, rise, self.drift) {
            self.state = State::default();
            return Signal::Drift;
        }
        let warning = apart(low, rise, self.warning);
        if apart(high, fall, self.drift) {
            self.state = State::default();
        }
        if warning { Signal::Warning } else { Signal::Stable }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{golden, places};
    use super::*;

    #[test]
    fn it_alarms_and_warns_where_moa_does() {
        assert_eq!(places(Signal::Drift, &mut HddmA::new(0.001, 0.005)), [1045]);
        assert_eq!(places(Signal::Warning, &mut HddmA::new(0.001, 0.005))[0], 1041);
    }

    #[test]
    fn a_fall_starts_anew_without_a_word() {
        let mut detector = HddmA::new(0.001, 0.005);
        let mut starts = 0;
        for (i, loss) in golden().filter(|(i, _)| *i >= 1000) {
            let signal = detector.update(loss);
            assert!(i < 2000 || signal == Signal::Stable, "{signal:?} at {i}");
            starts += u32::from(detector.state.all.count == 0);
        }
        assert_eq!(starts, 1);
    }
}
