//! Accuracy: the share of events whose predicted class was right, 0..=1. No prediction is a wrong one.

use super::finite;
use super::tally::Tally;

pub(super) fn of(tally: &Tally) -> Option<f64> {
    finite(tally.right / tally.events)
}
