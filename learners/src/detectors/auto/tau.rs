//! The guard against autocorrelation: by how much sums of losses vary more than sums of independent ones.

use serde::{Deserialize, Serialize};

use crate::autocorrelation::{Blocks, Moments};

/// Differences from which a block size has a say, and at which the older ones count half.
const LEAST: f64 = 30.0;
const HALVE: f64 = 1024.0;
/// Losses at which the older ones count half in the variance.
const HALVE_LOSSES: f64 = 65_536.0;
/// The most that the guard may cost.
const CAP: f64 = 10.0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tau {
    moments: Moments,
    short: Blocks,
    long: Blocks,
    /// Whether a loss was neither 0 nor 1.
    real: bool,
    /// The inflation, 1..=10; anew every 64 losses.
    pub(super) tau: f64,
    /// What a likelihood ratio of 0/1 losses is to be divided by.
    pub(super) phi: f64,
    /// Of one loss.
    pub(super) variance: f64,
}

impl Tau {
    pub(super) fn new() -> Self {
        let (short, long) = (Blocks::new(16), Blocks::new(64));
        Self { moments: Moments::default(), short, long, real: false, tau: 1.0, phi: 1.0, variance: 0.0 }
    }

    pub(super) fn push(&mut self, loss: f64) {
        self.moments.push(loss);
        self.real |= loss != 0.0 && loss != 1.0;
        self.short.push(loss);
        if self.long.push(loss) {
            self.refresh();
        }
    }

    #[cold]
    fn refresh(&mut self) {
        self.variance = self.moments.variance();
        self.tau = 1.0;
        for blocks in [&self.short, &self.long] {
            if blocks.differences() >= LEAST {
                self.tau = self.tau.max(blocks.inflation(self.variance).min(CAP));
            }
        }
        let mean = self.moments.mean();
        self.phi =
            if self.real && self.variance > 0.0 { self.tau * self.variance / (mean * (1.0 - mean)) } else { self.tau };
        self.short.halve_at(HALVE);
        self.long.halve_at(HALVE);
        self.moments.halve_at(HALVE_LOSSES);
    }

    /// The deviation a bet against `level` is scaled by, and what its gain is raised to.
    pub(super) fn scale(&self, level: f64) -> (f64, f64) {
        if self.real {
            ((self.tau * self.variance).sqrt(), 1.0)
        } else {
            ((level * (1.0 - level)).sqrt(), 1.0 / self.tau)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_size_has_a_say_after_thirty_differences_and_costs_ten_at_most() {
        let mut tau = Tau::new();
        // Runs of 16: blocks of 16 vary 32 times as much as those of independent losses.
        let known: Vec<f64> = (0..512)
            .map(|i| {
                tau.push(f64::from(i / 16 % 2));
                tau.tau
            })
            .collect();
        assert_eq!((known[447], known[511]), (1.0, CAP), "27 and 31 differences");
    }
}
