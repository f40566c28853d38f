//! The likelihood ratio of two means against one, over all places where the losses can be cut in an older and a newer
//! part.
//!
//! ```text
//! S = (n0 KL(a, u) + n1 KL(b, u + e)) / phi + min(4, ln(max(n1, 32) / 32))     u = (n0 a + n1 (b - e)) / (n0 + n1)
//! ```
//!
//! a, b: means of the older n0 and the newer n1 losses; e: what a season explains; KL between coin tosses. The second
//! term makes up for there being more short recent parts than long ones; falls go without it.
//!
//! KL(p, q) ≤ (p - q)² / (q (1 - q)) and the second term is at most 4, so that almost no cut needs a logarithm.

use super::histogram::Lot;

/// Losses an older part has at least.
const LEAST_OLDER: f64 = 256.0;
/// The most that is added to the score of a rise.
const BONUS: f64 = 4.0;

/// What cuts are held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    /// The least difference of means that is looked at, season included.
    pub(super) effect: f64,
    /// What a season explains of it.
    pub(super) swing: f64,
    pub(super) phi: f64,
    /// Losses a newer part has at least.
    pub(super) least_newer: f64,
}

/// A cut, and how strongly the two parts differ.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    pub(super) score: f64,
    pub(super) older: Lot,
    pub(super) newer: Lot,
}

impl Guard {
    /// Raises `rise` and `fall` to the strongest cuts of `lots` (the oldest first, `total` in all). A cut is of
    /// interest only above the scores that the two come with.
    pub(super) fn scan(&self, lots: impl Iterator<Item = Lot>, total: Lot, rise: &mut Cut, fall: &mut Cut) {
        let (mut older, mut newer) = (Lot::default(), total);
        for lot in lots {
            older.count += lot.count;
            older.sum += lot.sum;
            newer.count -= lot.count;
            newer.sum -= lot.sum;
            if newer.count < self.least_newer {
                break;
            }
            let difference = newer.sum * older.count - older.sum * newer.count;
            if difference.abs() < self.effect * (older.count * newer.count) || older.count < LEAST_OLDER {
                continue;
            }
            if difference > 0.0 {
                self.weigh(older, newer, true, rise, (older, newer));
            } else {
                self.weigh(newer, older, false, fall, (older, newer));
            }
        }
    }

    /// `low`, `high`: the parts by their means.
    fn weigh(&self, low: Lot, high: Lot, rises: bool, best: &mut Cut, (older, newer): (Lot, Lot)) {
        let (a, b) = (low.mean(), high.mean());
        let u = (low.sum + high.sum - high.count * self.swing) / (low.count + high.count);
        // Sums of real losses are exact to rounding only.
        let u = u.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
        let v = (u + self.swing).min(1.0 - f64::EPSILON);
        let square = |p: f64, q: f64| (p - q) * (p - q) / (q * (1.0 - q));
        let most = (low.count * square(a, u) + high.count * square(b, v)) / self.phi;
        if most + (if rises { BONUS } else { 0.0 }) <= best.score {
            return;
        }
        let bonus = if rises { bonus(newer.count) } else { 0.0 };
        let score = (low.count * kl(a, u) + high.count * kl(b, v)) / self.phi + bonus;
        if score > best.score {
            *best = Cut { score, older, newer };
        }
    }
}

fn bonus(newer: f64) -> f64 {
    if newer > 32.0 { libm::log(newer / 32.0).min(BONUS) } else { 0.0 }
}

/// Of coin tosses, in nats. `0 < q < 1`.
fn kl(p: f64, q: f64) -> f64 {
    let part = |p: f64, q: f64| if p > 0.0 { p * libm::log(p / q) } else { 0.0 };
    part(p, q) + part(1.0 - p, 1.0 - q)
}
