//! Log loss: mean of `-ln p`, p the probability that the true class was given, floored at 1e-15, so at most 34.5.

use super::finite;
use super::tally::Tally;
use crate::maths;

/// The least probability that it sees.
const FLOOR: f64 = 1e-15;

/// Of one event.
pub(super) fn of(p_true: f64) -> f64 {
    -maths::ln(if p_true > FLOOR { p_true.min(1.0) } else { FLOOR })
}

pub(super) fn mean(tally: &Tally) -> Option<f64> {
    finite(tally.log_loss / tally.events)
}
