//! Kappa-M: kappa against predicting the most frequent label so far, which does well where classes are unbalanced.
//!
//! Bifet et al., Efficient online evaluation of big data stream classifiers, 2015.

use super::tally::Tally;
use super::{accuracy, kappa};

pub(super) fn of(tally: &Tally) -> Option<f64> {
    kappa::above(accuracy::of(tally)?, tally.common / tally.events)
}
