//! Pinball loss of the ends of the 90 % interval, as quantiles of level 0.05 and 0.95, mean of both; in units of the
//! target. With u the target less the quantile it is `level · u` above and `(level - 1) · u` below: the loss that the true
//! quantile makes least.
//!
//! Koenker & Bassett, Regression quantiles, 1978.

use super::finite;
use super::spread::TAIL;
use super::totals::Totals;

/// Of one event: the error, and the ends as distances from the prediction.
pub(super) fn of(error: f64, [low, high]: [f64; 2]) -> f64 {
    let at = |level: f64, end: f64| {
        let u = error - end;
        if u > 0.0 { level * u } else { (level - 1.0) * u }
    };
    0.5 * at(TAIL, low) + 0.5 * at(1.0 - TAIL, high)
}

pub(super) fn mean(totals: &Totals) -> Option<f64> {
    finite(totals.pinball / totals.events)
}
