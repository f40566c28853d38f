//! Mean absolute scaled error: mean absolute error / that of the last target again over the same events. Below 1 the
//! learner beats it.
//!
//! Hyndman & Koehler, Another look at measures of forecast accuracy, 2006; theirs scales by the training sample.

use super::finite;
use super::totals::Totals;

pub(super) fn of(totals: &Totals) -> Option<f64> {
    finite(totals.absolute / totals.naive)
}
