//! From a budget of false alarms to a threshold.
//!
//! A budget is the number of losses in which one false alarm is allowed. Thresholds were found by simulation at 1e4 to
//! 1e7: independent 0/1 errors at rates of .02, .1, .2, .3 and .4, of which the worst counts, streams of 200,000, and
//! 10, 20, 60 and 100 million losses a rate and a budget. Between these budgets thresholds are interpolated over the
//! logarithm of the budget, beyond them the nearest one holds.

/// The threshold at `budget`, from `(budget, threshold)` in rising order of budgets: linear in the threshold, as fits
/// sums that false alarms leave exponentially rarely.
pub(super) fn linear(tuned: &[(f64, f64)], budget: f64) -> f64 {
    let above = tuned.iter().position(|(at, _)| budget <= *at).unwrap_or(tuned.len() - 1);
    let (high, y1) = tuned[above];
    let (low, y0) = tuned[above.saturating_sub(1)];
    if above == 0 || budget.is_nan() || budget >= high {
        return y1;
    }
    let share = (libm::log(budget) - libm::log(low)) / (libm::log(high) - libm::log(low));
    y0 + share * (y1 - y0)
}

/// The same, linear in the logarithm of the threshold, as fits chances.
pub(super) fn geometric<const N: usize>(tuned: [(f64, f64); N], budget: f64) -> f64 {
    libm::exp(linear(&tuned.map(|(at, chance)| (at, libm::log(chance))), budget))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUNED: [(f64, f64); 2] = [(1e4, 10.0), (1e6, 30.0)];

    #[test]
    fn thresholds_run_between_the_measured_budgets_and_stop_at_their_ends() {
        for (budget, threshold) in [(0.0, 10.0), (1e4, 10.0), (1e5, 20.0), (1e6, 30.0), (1e9, 30.0)] {
            assert!((linear(&TUNED, budget) - threshold).abs() < 1e-12, "{budget}");
        }
        assert!(linear(&TUNED, f64::NAN).is_finite());
        for (budget, threshold) in [(1.0, 1e-2), (1e5, 1e-3), (1e7, 1e-4)] {
            let tuned = geometric([(1e4, 1e-2), (1e6, 1e-4)], budget);
            assert!((tuned / threshold - 1.0).abs() < 1e-12, "{budget}");
        }
    }
}
