//! DDM: the error rate since the start against the lowest it has been.
//!
//! p is the mean loss since the start, s = sqrt(p (1 - p) / n) its deviation. The p and s at which p + s was lowest
//! are kept. [`Signal::Warning`] if p + s > p_min + 2 s_min, [`Signal::Drift`] if p + s > p_min + 3 s_min; then
//! everything starts anew. Nothing is said before 30 losses.
//!
//! Gama, Medas, Castillo & Rodrigues, Learning with drift detection, 2004; the rules are those of MOA but for one
//! fault: there (and in River) a start without an error makes p_min = s_min = 0, and the next error a drift. Here no
//! minimum is kept before the losses sum to 1.
//!
//! A mean over everything gets lazy: 20,000 losses at .2 before, a rise by .1 takes 5,000 to be found (median of 40),
//! while up to 10 alarms in a million independent losses are false. No threshold makes false alarms rare and finds rises.
//!
//! Cost: about 7 ns a loss, 64 bytes.

use serde::{Deserialize, Serialize};

use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::{Detector, Params, Signal, SpecError};

/// Losses before anything is said.
const WARM_UP: u64 = 30;

/// The detector. Losses lie in 0..=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ddm {
    warning: f64,
    drift: f64,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    seen: u64,
    mean: f64,
    lowest: Option<Lowest>,
}

/// Where mean + deviation was lowest.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Lowest {
    mean: f64,
    deviation: f64,
}

impl Ddm {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "ddm",
        idea: "the mean loss since the start against the lowest it has been",
        cost: "about 7 ns a loss, 64 bytes",
        paper: "Gama et al. 2004",
        keeps_budget: false,
        budget: "keeps none: up to 10 per 1e6 independent losses, up to 359 of runs of errors",
        params: &[
            ParamInfo { name: "drift", range: "2..100", default: "3", help: "deviations above the lowest: an alarm" },
            ParamInfo { name: "warning", range: "1.1..drift", default: "drift * 2/3", help: "the same for a warning" },
        ],
    };

    /// `1 < warning <= drift`, in deviations: the lowest level itself lies one above its mean.
    pub fn new(drift: f64, warning: f64) -> Self {
        Self { warning, drift, state: State::default() }
    }

    pub(super) fn build(params: &Params<'_>) -> Result<Self, SpecError> {
        let drift = params.number("drift", 3.0, 2.0, 100.0)?;
        Ok(Self::new(drift, params.number("warning", drift * 2.0 / 3.0, 1.1, drift)?))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Detector for Ddm {
    fn update(&mut self, loss: f64) -> Signal {
        let state = &mut self.state;
        state.seen += 1;
        let n = state.seen as f64;
        state.mean += (loss - state.mean) / n;
        // The mean may leave 0..1 by a rounding.
        let deviation = ((state.mean * (1.0 - state.mean)).max(0.0) / n).sqrt();
        let level = state.mean + deviation;
        if state.seen + 1 < WARM_UP || state.mean * n < 1.0 {
            return Signal::Stable;
        }
        let lowest = match state.lowest {
            Some(lowest) if level > lowest.mean + lowest.deviation => lowest,
            _ => *state.lowest.insert(Lowest { mean: state.mean, deviation }),
        };
        if state.seen >= WARM_UP && level > lowest.mean + self.drift * lowest.deviation {
            self.state = State::default();
            Signal::Drift
        } else if level > lowest.mean + self.warning * lowest.deviation {
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
        assert_eq!(places(Signal::Drift, &mut Ddm::new(3.0, 2.0)), [1044]);
    }

    #[test]
    fn an_error_after_none_is_no_drift() {
        for clean in [29, 100, 10_000] {
            let mut ddm = Ddm::new(3.0, 2.0);
            for i in 0..clean + 1_000 {
                assert_eq!(ddm.update(f64::from(u8::from(i == clean))), Signal::Stable, "{clean} clean, at {i}");
            }
        }
    }
}
