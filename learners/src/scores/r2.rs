//! R², the coefficient of determination: 1 - squared errors / squared deviations of the targets from their own mean. At
//! most 1; 0 is as good as that mean, which no learner can know beforehand; absent while the targets have not varied.

use super::finite;
use super::totals::Totals;

pub(super) fn of(totals: &Totals) -> Option<f64> {
    finite(1.0 - totals.squared / totals.deviation)
}
