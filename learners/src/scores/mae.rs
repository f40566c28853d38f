//! Mean absolute error, in units of the target.

use super::finite;
use super::totals::Totals;

pub(super) fn of(totals: &Totals) -> Option<f64> {
    finite(totals.absolute / totals.events)
}
