//! KSWIN: the newest losses against a sample of those before them, by the test of Kolmogorov and Smirnov.
//!
//! Of a window of 100 losses the newest 30 are compared, at each loss, with 30 drawn from the 70 before. With h the most
//! by which the count of older losses up to some value exceeds that of newer ones, the chance of such a rise between
//! n and n of one distribution is
//!
//! ```text
//! P = (2n choose n-h) / (2n choose n)
//! ```
//!
//! It is [`Signal::Drift`] if 2 P <= alpha and h/n > .1; then the window keeps its newest 30. [`Signal::Warning`] if
//! the same holds for a laxer alpha.
//!
//! Raab, Heusinger & Schleif, Reactive soft prototype computing for concept drift streams, 2020; rules and constants of
//! River, which doubles P to look at both sides; here the rise alone alarms. River seeds its generator anew at each
//! alarm and empties the window; here the generator goes on and the newest losses are kept, as in the paper.
//!
//! The test is made at each loss as if it were the only one: up to 107 false alarms in a million independent losses of 0
//! and 1. What is not found while the window passes over it is not found at all.
//!
//! Cost: about 0.6 µs a loss, 8 bytes a loss of the window.

use std::collections::VecDeque;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::{Detector, Params, Signal, SpecError};

/// The largest window.
const MOST: usize = 1_000;
/// An excess that is too small to matter, as a share of the sample.
const TOO_SMALL: f64 = 0.1;

/// The detector. Losses lie in 0..=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kswin {
    window: usize,
    recent: usize,
    /// The least excess that is an alarm, and a warning.
    drift: usize,
    warning: usize,
    random: Xoshiro256PlusPlus,
    /// The oldest first.
    losses: VecDeque<f64>,
}

impl Kswin {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "kswin",
        idea: "the newest losses against a sample of those before, by the test of Kolmogorov and Smirnov",
        cost: "about 0.6 µs a loss, 8 bytes a loss of the window",
        paper: "Raab, Heusinger & Schleif 2020",
        keeps_budget: false,
        budget: "keeps none: up to 107 per 1e6 independent losses, up to 1,203 of runs of errors",
        params: &[
            ParamInfo { name: "alpha", range: "1e-12..0.5", default: "0.005", help: "risk of an alarm at a loss" },
            ParamInfo {
                name: "warning_alpha",
                range: "alpha..0.9",
                default: "5 * alpha",
                help: "risk of a warning at a loss",
            },
            ParamInfo { name: "window", range: "20..1000", default: "100", help: "losses kept" },
            ParamInfo { name: "recent", range: "5..window / 2", default: "0.3 * window", help: "newest of them" },
            ParamInfo { name: "seed", range: "any whole number", default: "1", help: "seed of the draws" },
        ],
    };

    /// `0 < alpha <= warning_alpha < 1`, `1 <= recent <= window / 2`, `window <= 1,000`.
    pub fn new(alpha: f64, warning_alpha: f64, window: usize, recent: usize, seed: u64) -> Self {
        Self {
            window,
            recent,
            drift: least(recent, alpha),
            warning: least(recent, warning_alpha),
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            losses: VecDeque::with_capacity(window),
        }
    }

    pub(super) fn build(params: &Params<'_>) -> Result<Self, SpecError> {
        let alpha = params.number("alpha", 0.005, 1e-12, 0.5)?;
        let warning_alpha = params.number("warning_alpha", (5.0 * alpha).min(0.9), alpha, 0.9)?;
        let window = params.whole("window", 100, 20, MOST as u64)?;
        let recent = params.whole("recent", window * 3 / 10, 5, window / 2)?;
        let seed = params.whole("seed", 1, 0, u64::MAX)?;
        Ok(Self::new(alpha, warning_alpha, window as usize, recent as usize, seed))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.losses.len() * size_of::<f64>()
    }

    /// The most by which the older losses up to some value outnumber the newer ones.
    fn excess(&mut self) -> usize {
        let (mut older, mut newer) = ([0.0; MOST], [0.0; MOST]);
        for (slot, loss) in older.iter_mut().zip(&self.losses) {
            *slot = *loss;
        }
        let past = self.window - self.recent;
        for (slot, loss) in newer.iter_mut().zip(self.losses.iter().skip(past)) {
            *slot = *loss;
        }
        for i in 0..self.recent {
            let draw = u128::from(self.random.next_u64()) * (past - i) as u128;
            older.swap(i, i + (draw >> 64) as usize);
        }
        let (older, newer) = (&mut older[..self.recent], &mut newer[..self.recent]);
        older.sort_unstable_by(f64::total_cmp);
        newer.sort_unstable_by(f64::total_cmp);
        let (mut most, mut passed) = (0, 0);
        for (i, value) in older.iter().enumerate() {
            while newer.get(passed).is_some_and(|loss| loss <= value) {
                passed += 1;
            }
            most = most.max((i + 1).saturating_sub(passed));
        }
        most
    }
}

/// The least excess between `n` and `n` losses that counts at `alpha`; `n + 1` if none does.
fn least(n: usize, alpha: f64) -> usize {
    let mut chance = 1.0;
    for h in 1..=n {
        chance *= (n - h + 1) as f64 / (n + h) as f64;
        if 2.0 * chance <= alpha && h as f64 > TOO_SMALL * n as f64 {
            return h;
        }
    }
    n + 1
}

impl Detector for Kswin {
    fn update(&mut self, loss: f64) -> Signal {
        if self.losses.len() == self.window {
            self.losses.pop_front();
        }
        self.losses.push_back(loss);
        if self.losses.len() < self.window {
            return Signal::Stable;
        }
        let excess = self.excess();
        if excess >= self.drift {
            self.losses.drain(..self.window - self.recent);
            Signal::Drift
        } else if excess >= self.warning {
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

    /// The exact chances are those of scipy's `ks_2samp(…, method="exact")`, at which River alarms from 14 of 30 on.
    #[test]
    fn the_least_excess_is_that_of_the_exact_test() {
        assert_eq!(least(30, 0.005), 14);
        assert_eq!(least(5, 1e-12), 6);
        assert_eq!(least(100, 0.9), 11);
    }

    #[test]
    fn the_excess_is_that_of_the_older_losses_alone() {
        let excess = |older: f64, newer: f64| {
            let mut detector = Kswin::new(0.005, 0.025, 20, 10, 1);
            detector.losses = (0..20).map(|i| if i < 10 { older } else { newer }).collect();
            detector.excess()
        };
        assert_eq!((excess(0.1, 0.2), excess(0.2, 0.1), excess(0.2, 0.2)), (10, 0, 0));
    }

    /// Nobody else's to compare with: the draws are our own.
    #[test]
    fn it_alarms_where_it_always_did() {
        assert_eq!(places(Signal::Drift, &mut Kswin::new(0.005, 0.025, 100, 30, 1)), [1021]);
    }
}
