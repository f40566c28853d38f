//! How the errors of a regression are spread: the ends of an interval around its predictions that holds 9 of 10 targets,
//! whatever the learner.
//!
//! Errors are measured from their centre in units of their size (both are medians, followed by steps of a twentieth of
//! the unit and of 1 %, which no outlier moves further, and which follow a change within some hundred events). Of these
//! measures each end follows a quantile by gradient steps on the pinball loss: up by `0.95 r` when one lies above the
//! upper end, down by `0.05 r` when not (the lower end likewise), so that over time 1 error in 20 lies beyond either end,
//! however the errors change. The rate r is 1/√n at first and 1/20 from the 400th error on.
//!
//! Gibbs & Candès, Adaptive conformal inference under distribution shift, 2021; Angelopoulos, Candès & Tibshirani,
//! Conformal PID control for time series prediction, 2023. Both take one score of fixed scale; here are two ends.

use serde::{Deserialize, Serialize};

/// The share of errors beyond each end.
pub(super) const TAIL: f64 = 0.05;
/// Events after which the interval is told.
const SETTLED: f64 = 100.0;
/// The least rates: of the ends, and the centre; of the unit.
const RATE: f64 = 0.05;
const UNIT_RATE: f64 = 0.01;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spread {
    events: f64,
    centre: f64,
    /// About the median distance from the centre; 0 until there is one.
    unit: f64,
    /// In units from the centre.
    low: f64,
    high: f64,
}

impl Spread {
    /// The ends, as what to add to a prediction; the lower one first.
    pub fn ends(&self) -> [f64; 2] {
        let end = |x: f64| held(self.centre + held(self.unit * x));
        [end(self.low.min(self.high)), end(self.low.max(self.high))]
    }

    /// The same, once enough errors have been seen.
    pub fn known(&self) -> Option<[f64; 2]> {
        (self.events >= SETTLED).then(|| self.ends())
    }

    /// Takes in the next error: target less prediction.
    pub fn learn(&mut self, error: f64) {
        self.events += 1.0;
        let young = 1.0 / self.events;
        let rate = young.sqrt().max(RATE);
        let distance = held(error - self.centre);
        if self.unit == 0.0 {
            self.unit = distance.abs();
            return;
        }
        let measure = distance / self.unit;
        self.high += rate * if measure > self.high { 1.0 - TAIL } else { -TAIL };
        self.low -= rate * if measure < self.low { 1.0 - TAIL } else { -TAIL };
        self.centre = held(self.centre + rate * self.unit * distance.signum());
        let factor = 1.0 + young.max(UNIT_RATE);
        self.unit = if measure.abs() > 1.0 { (self.unit * factor).min(f64::MAX) } else { self.unit / factor };
    }
}

fn held(x: f64) -> f64 {
    x.clamp(-f64::MAX, f64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::mix;

    fn uniform(i: u64) -> f64 {
        (mix(i) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The share of errors within the interval, of events `from` on, the worst of blocks of 2,000.
    fn coverage(errors: impl Fn(u64) -> f64, from: u64) -> (f64, f64) {
        let mut spread = Spread::default();
        let (mut all, mut block, mut worst) = (0.0, 0.0, 1.0_f64);
        for i in 0..20_000 {
            let ([low, high], error) = (spread.ends(), errors(i));
            let inside = f64::from(u8::from(low <= error && error <= high));
            if i >= from {
                all += inside;
            }
            block += inside;
            if i % 2_000 == 1_999 {
                worst = worst.min(if i > from { block / 2_000.0 } else { 1.0 });
                block = 0.0;
            }
            spread.learn(error);
        }
        (all / (20_000 - from) as f64, worst)
    }

    #[test]
    fn nine_of_ten_lie_within_whatever_the_errors_are() {
        let bell = |i: u64| (0..12).map(|j| uniform(i * 12 + j)).sum::<f64>() - 6.0;
        let skewed = |i: u64| -libm::log(1.0 - uniform(i)) * 1e-6;
        let heavy = |i: u64| 1e9 * libm::tan(3.0 * (uniform(i) - 0.5));
        let biased = |i: u64| 100.0 + bell(i);
        let wilder = |i: u64| bell(i) * (1.0 + i as f64 / 100.0);
        let jumps = |i: u64| bell(i) * if (i / 5_000).is_multiple_of(2) { 1.0 } else { 50.0 };
        let outliers = |i: u64| if i % 500 == 7 { 1e12 } else { bell(i) };
        let all: [(&str, &dyn Fn(u64) -> f64); 7] = [
            ("bell", &bell),
            ("skewed", &skewed),
            ("heavy", &heavy),
            ("biased", &biased),
            ("wilder", &wilder),
            ("jumps", &jumps),
            ("outliers", &outliers),
        ];
        for (name, errors) in all {
            let (share, worst) = coverage(errors, 1_000);
            assert!((0.885..0.915).contains(&share), "{name}: {share}");
            assert!(worst > 0.8, "{name}: {worst} of a block");
        }
    }

    #[test]
    fn it_is_told_after_a_hundred_errors_and_is_narrow_where_they_are_small() {
        let mut spread = Spread::default();
        for i in 0..99 {
            spread.learn(uniform(i) - 0.5);
        }
        assert_eq!(spread.known(), None);
        for i in 99..3_000 {
            spread.learn(uniform(i) - 0.5);
        }
        let [low, high] = spread.known().expect("enough errors");
        assert!((low + 0.45).abs() < 0.05 && (high - 0.45).abs() < 0.05, "{low} {high}");
        (0..100_000).for_each(|_| spread.learn(0.0));
        let [low, high] = spread.ends();
        assert!(high - low < 1e-3, "{low} {high}");
    }
}
