//! Whether a risen loss has come back: bets that it lies below a level between before and after.
//!
//! Shiryaev and Roberts' sum over all moments when it may have come back, mixed over six sizes of bets:
//! `O = (1 + O) (1 + lambda (level - y))`; over at a mean of 10,000.

use serde::{Deserialize, Serialize};

use super::tau::Tau;

const BETS: [f64; 6] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6];
const OVER: f64 = 1e4;
/// Where the level lies between the least change looked at and the change seen.
const SHARE: f64 = 0.35;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Recovery {
    level: f64,
    odds: [f64; 6],
}

impl Recovery {
    /// Of a loss that rose from `before` to `after`; `effect`: the least change that is looked at.
    pub(super) fn new(before: f64, after: f64, effect: f64) -> Self {
        let least = before + effect;
        Self { level: (least + SHARE * (after - least)).min(1.0 - f64::EPSILON), odds: [0.0; 6] }
    }

    /// Takes in a loss; whether it is over.
    pub(super) fn push(&mut self, loss: f64, tau: &Tau) -> bool {
        let (deviation, exponent) = tau.scale(self.level);
        let most = 0.5 / (1.0 - self.level);
        for (odds, bet) in self.odds.iter_mut().zip(BETS) {
            let gain = 1.0 + (bet / deviation).min(most) * (self.level - loss);
            *odds = (1.0 + *odds) * if exponent < 1.0 { libm::pow(gain, exponent) } else { gain };
        }
        self.odds.iter().sum::<f64>() >= OVER * BETS.len() as f64
    }
}
