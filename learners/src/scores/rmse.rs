//! Root of the mean squared error, in units of the target: large errors count for more than in the mean absolute error.

use super::finite;
use super::totals::Totals;

pub(super) fn of(totals: &Totals) -> Option<f64> {
    finite((totals.squared / totals.events).sqrt())
}
