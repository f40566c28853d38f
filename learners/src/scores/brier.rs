//! Brier score: mean over events of Σ over classes of `(p - 1[it is the label])²`, 0..=2; lower is better. With two classes
//! that is twice what some libraries call by this name.
//!
//! Brier, Verification of forecasts expressed in terms of probability, 1950.

use super::finite;
use super::tally::Tally;

pub(super) fn of(tally: &Tally) -> Option<f64> {
    finite(tally.brier / tally.events)
}
