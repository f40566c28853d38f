//! Cohen's kappa: `(a - c) / (1 - c)`, a the accuracy and c that of chance, Σ over classes of the share of labels times the
//! share of predictions. 0 is no better than chance, 1 is perfect; absent where chance is always right.
//!
//! Cohen, A coefficient of agreement for nominal scales, 1960.

use super::tally::Tally;
use super::{accuracy, finite};

pub(super) fn of(tally: &Tally) -> Option<f64> {
    let chance = tally.shares().map(|(truths, predictions, _)| truths * predictions).sum();
    above(accuracy::of(tally)?, chance)
}

/// How much of what `base` leaves to win was won; absent if it leaves nothing.
pub(super) fn above(accuracy: f64, base: f64) -> Option<f64> {
    finite((accuracy - base) / (1.0 - base))
}
