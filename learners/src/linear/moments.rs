//! Running centre and spread of one number, hard to upset by a wild value.

use serde::{Deserialize, Serialize};

/// Standard deviations beyond which a value counts as this far away: it neither sways a score nor the spread.
pub const LIMIT: f64 = 10.0;
/// Values seen before the limit holds for the spread itself.
const SETTLED: f64 = 20.0;
/// The least weight of a new value: after 100,000 values old ones fade, so that the centre can follow for ever.
const LEAST_SHARE: f64 = 1e-5;
/// Larger numbers count as this large, so that no square overflows.
const LARGEST: f64 = 1e100;

/// Mean and variance of the values so far. A constant has no spread and is 0 when standardised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
    /// 1 / standard deviation, 0 while there is no spread.
    scale: f64,
}

impl Moments {
    /// `x` in standard deviations from the mean, within ±[`LIMIT`]; missing (NaN) is 0, the mean.
    pub fn standardise(&self, x: f64) -> f64 {
        let z = (x - self.mean) * self.scale;
        if z.is_nan() { 0.0 } else { z.clamp(-LIMIT, LIMIT) }
    }

    /// The number that standardises to `z`.
    pub fn restore(&self, z: f64) -> f64 {
        self.mean + z * self.deviation()
    }

    fn deviation(&self) -> f64 {
        self.variance * self.scale
    }

    /// Takes in one value; a missing one changes nothing.
    pub fn update(&mut self, x: f64) {
        if x.is_nan() {
            return;
        }
        self.count += 1.0;
        let share = (1.0 / self.count).max(LEAST_SHARE);
        let mut away = x.clamp(-LARGEST, LARGEST) - self.mean;
        if self.count > SETTLED && self.scale > 0.0 {
            let furthest = LIMIT * self.deviation();
            away = away.max(-furthest).min(furthest);
        }
        self.mean += share * away;
        self.variance += share * ((1.0 - share) * away * away - self.variance);
        self.scale = if self.variance > 1e-200 { 1.0 / self.variance.sqrt() } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|&x| moments.update(x));
        moments
    }

    #[test]
    fn mean_and_variance_are_those_of_the_values() {
        let m = of(&[2.0, 4.0, f64::NAN, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert!((m.mean - 5.0).abs() < 1e-12 && (m.variance - 4.0).abs() < 1e-12);
        assert!((m.standardise(9.0) - 2.0).abs() < 1e-12);
        assert!((m.restore(-1.5) - 2.0).abs() < 1e-12);
        assert_eq!(m.standardise(f64::NAN), 0.0);
    }

    #[test]
    fn a_constant_has_no_spread() {
        let m = of(&[0.1; 1000]);
        assert_eq!((m.standardise(0.1), m.standardise(1e300), m.restore(3.0)), (0.0, 0.0, 0.1));
    }

    #[test]
    fn one_wild_value_does_little_and_a_new_scale_is_followed() {
        let calm: Vec<f64> = (0..1000).map(|i| f64::from(i % 10)).collect();
        let mut m = of(&calm);
        let before = m;
        m.update(1e308);
        assert!(m.mean - before.mean < 0.1 && m.variance < 1.2 * before.variance);
        (0..1000).for_each(|i| m.update(1e6 * f64::from(i % 10)));
        assert!((1e5..1e7).contains(&m.deviation()), "{}", m.deviation());
    }

    #[test]
    fn the_largest_numbers_stay_finite() {
        let m = of(&[f64::MAX, -f64::MAX, f64::MAX, 0.0, 1e-300]);
        assert!(m.mean.is_finite() && m.variance.is_finite());
        assert!(m.standardise(f64::MAX).is_finite() && m.standardise(-f64::MAX).is_finite());
    }
}
