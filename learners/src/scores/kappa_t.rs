//! Kappa-T, the temporal one: kappa against predicting the last label again. Below 0 the learner does worse than that.
//!
//! Žliobaitė et al., Evaluation methods and decision theory for classification of streaming data with temporal dependence,
//! 2015.

use super::tally::Tally;
use super::{accuracy, kappa};

pub(super) fn of(tally: &Tally) -> Option<f64> {
    kappa::above(accuracy::of(tally)?, tally.same / tally.events)
}
