//! HDDM-W: an exponentially weighted mean up to where it was lowest against the one since, by McDiarmid's inequality.
//!
//! A mean m = lambda loss + (1 - lambda) m carries b = lambda² + (1 - lambda)² b, both from its first loss (b = 1) on.
//! The cut is where m + sqrt(b ln(1/delta) / 2) of all losses was lowest; another mean m₂, b₂ runs over the losses
//! since. It is [`Signal::Drift`], and everything starts anew, if
//!
//! ```text
//! m₂ - m₁ > sqrt((b₁ + b₂) ln(1/delta) / 2)
//! ```
//!
//! and [`Signal::Warning`] if the same holds for a laxer delta.
//!
//! Frías-Blanco et al., Online and non-parametric drift detection methods based on Hoeffding's bounds, 2015; the rules
//! are those of MOA, one-sided, each detector with records of its own (in MOA all share them, which is a fault). Two
//! sides, as in CapyMOA, alarm at improvements too.
//!
//! The usual delta makes up to 646 false alarms in a million independent losses; at one that makes few, a rise by .05 is
//! not found within 20,000.
//!
//! Cost: about 8 ns a loss, 120 bytes.

use serde::{Deserialize, Serialize};

use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::{Detector, Params, Signal, SpecError};

/// The detector. Losses lie in 0..=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HddmW {
    /// ln(1 / delta), ln(1 / warning_delta).
    drift: f64,
    warning: f64,
    lambda: f64,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    all: Option<Weighted>,
    /// All losses up to the cut.
    before: Option<Weighted>,
    /// Those since.
    since: Option<Weighted>,
}

/// An exponentially weighted mean.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Weighted {
    mean: f64,
    /// Sum of the squared weights.
    squares: f64,
}

impl Weighted {
    fn next(before: Option<Self>, loss: f64, lambda: f64) -> Self {
        let Some(Self { mean, squares }) = before else { return Self { mean: loss, squares: 1.0 } };
        let kept = 1.0 - lambda;
        Self { mean: lambda * loss + kept * mean, squares: lambda * lambda + kept * kept * squares }
    }
}

/// `log`: ln(1 / risk).
fn bound(squares: f64, log: f64) -> f64 {
    (squares * log / 2.0).sqrt()
}

impl HddmW {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "hddm_w",
        idea: "the weighted mean loss against the lowest it has been, by McDiarmid's inequality",
        cost: "about 8 ns a loss, 120 bytes",
        paper: "Frías-Blanco et al. 2015",
        keeps_budget: false,
        budget: "keeps none: up to 646 per 1e6 independent losses, up to 1,331 of runs of errors",
        params: &[
            ParamInfo { name: "delta", range: "1e-12..0.1", default: "0.001", help: "risk of an alarm at a loss" },
            ParamInfo {
                name: "warning_delta",
                range: "delta..0.5",
                default: "5 * delta",
                help: "risk of a warning at a loss",
            },
            ParamInfo { name: "lambda", range: "0.0001..0.5", default: "0.05", help: "weight of the newest loss" },
        ],
    };

    /// `0 < delta <= warning_delta < 1`, `0 < lambda < 1`.
    pub fn new(delta: f64, warning_delta: f64, lambda: f64) -> Self {
        Self { drift: -libm::log(delta), warning: -libm::log(warning_delta), lambda, state: State::default() }
    }

    pub(super) fn build(params: &Params<'_>) -> Result<Self, SpecError> {
        let delta = params.number("delta", 0.001, 1e-12, 0.1)?;
        let warning_delta = params.number("warning_delta", 5.0 * delta, delta, 0.5)?;
        Ok(Self::new(delta, warning_delta, params.number("lambda", 0.05, 1e-4, 0.5)?))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Detector for HddmW {
    fn update(&mut self, loss: f64) -> Signal {
        let State { all, before, since } = &mut self.state;
        let now = *all.insert(Weighted::next(*all, loss, self.lambda));
        let level = |w: Weighted| w.mean + bound(w.squares, self.drift);
        let cut = match *before {
            Some(cut) if level(now) >= level(cut) => cut,
            _ => {
                (*before, *since) = (Some(now), None);
                return Signal::Stable;
            }
        };
        let newer = *since.insert(Weighted::next(*since, loss, self.lambda));
        let (rise, squares) = (newer.mean - cut.mean, cut.squares + newer.squares);
        if rise > bound(squares, self.drift) {
            self.state = State::default();
            Signal::Drift
        } else if rise > bound(squares, self.warning) {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::places;
    use super::*;

    #[test]
    fn it_alarms_where_moa_does() {
        assert_eq!(places(Signal::Drift, &mut HddmW::new(0.001, 0.005, 0.05)), [1017]);
    }
}
