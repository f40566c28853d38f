//! Running standardisation of one column, the number at hand included.
//!
//! The first 32 values are kept: their median and deviations tell wild ones among them, which then count as ten
//! deviations away. Later a value counts as at most ten standard deviations away, so that no single one upsets the scale,
//! and a new unit is still followed, exponentially fast. After 100,000 values old ones fade.

use serde::{Deserialize, Serialize};

/// A standardised number further out counts as this far out.
const LIMIT: f64 = 5.0;
/// Standard deviations beyond which a value does not sway the scale any more.
const FAR: f64 = 10.0;
/// Values that are kept until wild ones among them can be told.
const FIRST: usize = 32;
/// Values after which the steady scale stays as it is, and how far out it reaches.
const SETTLED: f64 = 500.0;
const STEADY_LIMIT: f64 = 20.0;
const LEAST_SHARE: f64 = 1e-5;
/// Larger numbers count as this large, so that no square overflows.
const LARGEST: f64 = 1e100;

/// Centre and spread of the values so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Scale {
    count: f64,
    mean: f64,
    variance: f64,
    largest: f64,
    first: Vec<f64>,
    /// Mean and 1 / deviation as they were after [`SETTLED`] values.
    settled: Option<(f64, f64)>,
}

impl Scale {
    /// `x` in standard deviations from the mean, both taken with `x` among the values; 0 for a constant or missing (NaN).
    pub(crate) fn standardise(&self, x: f64) -> f64 {
        if x.is_nan() {
            return 0.0;
        }
        let x = x.clamp(-LARGEST, LARGEST);
        let (_, mean, variance) = self.with(x);
        ((x - mean) * per_deviation(mean, variance)).clamp(-LIMIT, LIMIT)
    }

    /// `x` on a scale that stays as it is after 500 values, within ±20: what least squares ask for, whose weights would be
    /// wrong on a scale that moves.
    pub(crate) fn steady(&self, x: f64) -> f64 {
        match self.settled {
            _ if x.is_nan() => 0.0,
            Some((mean, per)) => ((x.clamp(-LARGEST, LARGEST) - mean) * per).clamp(-STEADY_LIMIT, STEADY_LIMIT),
            None => self.standardise(x),
        }
    }

    /// `x` over the largest size so far, within -1..=1; missing is 0.
    pub(crate) fn relative(&self, x: f64) -> f64 {
        let largest = self.largest.max(x.abs());
        if largest > 0.0 { (x / largest).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// Count, mean and variance with one value more.
    fn with(&self, x: f64) -> (f64, f64, f64) {
        let count = self.count + 1.0;
        let share = (1.0 / count).max(LEAST_SHARE);
        let mut away = x - self.mean;
        if count > FIRST as f64 && self.variance > 0.0 {
            let furthest = FAR * self.variance.sqrt();
            away = away.clamp(-furthest, furthest);
        }
        (count, self.mean + share * away, self.variance + share * ((1.0 - share) * away * away - self.variance))
    }

    /// Takes in a value; a missing one changes nothing.
    pub(crate) fn update(&mut self, x: f64) {
        if x.is_nan() {
            return;
        }
        let x = x.clamp(-LARGEST, LARGEST);
        (self.count, self.mean, self.variance) = self.with(x);
        self.largest = self.largest.max(x.abs());
        if self.count == SETTLED {
            self.settled = Some((self.mean, per_deviation(self.mean, self.variance)));
        }
        if self.count <= FIRST as f64 {
            self.first.push(x);
            if self.first.len() == FIRST {
                self.begin();
            }
        }
    }

    /// Centre and spread of the first values, the wild ones among them drawn in.
    fn begin(&mut self) {
        let mut first = std::mem::take(&mut self.first);
        first.sort_by(f64::total_cmp);
        let median = first[FIRST / 2];
        let mut away: Vec<f64> = first.iter().map(|x| (x - median).abs()).collect();
        away.sort_by(f64::total_cmp);
        // Where most values are the same, the tenth that is furthest tells.
        let usual = if away[FIRST / 2] > 0.0 { 1.5 * away[FIRST / 2] } else { away[FIRST * 9 / 10] };
        if usual > 0.0 {
            first.iter_mut().for_each(|x| *x = x.clamp(median - FAR * usual, median + FAR * usual));
        }
        self.mean = first.iter().map(|x| x / FIRST as f64).sum();
        self.variance = first.iter().map(|x| (x - self.mean) * (x - self.mean) / FIRST as f64).sum();
    }

    /// Bytes held at most.
    pub(crate) const BYTES: usize = size_of::<Self>() + FIRST * size_of::<f64>();

    pub(crate) fn is_sound(&self) -> bool {
        self.first.len() < FIRST
    }
}

/// 1 over the standard deviation; 0 if that is nothing but rounding.
fn per_deviation(mean: f64, variance: f64) -> f64 {
    if variance > 1e-24 * mean * mean && variance > 1e-200 { 1.0 / variance.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Scale {
        let mut scale = Scale::default();
        values.into_iter().for_each(|x| scale.update(x));
        scale
    }

    impl Scale {
        fn deviation(&self) -> f64 {
            if per_deviation(self.mean, self.variance) > 0.0 { self.variance.sqrt() } else { 0.0 }
        }
    }

    #[test]
    fn the_steady_scale_stays() {
        let mut scale = of((0..500).map(|i| (i % 10) as f64));
        let before = scale.steady(7.0);
        (0..1_000).for_each(|i| scale.update((i % 100) as f64));
        assert!(scale.steady(7.0) == before && (before - 2.5 / scale_of_ten()).abs() < 1e-12, "{before}");
        assert_eq!((scale.steady(1e9), scale.steady(f64::NAN)), (STEADY_LIMIT, 0.0));
    }

    /// Standard deviation of 0 to 9.
    fn scale_of_ten() -> f64 {
        8.25_f64.sqrt()
    }

    #[test]
    fn the_value_at_hand_is_one_of_them() {
        let scale = of([2.0, 4.0, f64::NAN, 4.0, 4.0, 5.0, 5.0, 7.0]);
        // With 9: mean 5, deviation 2.
        assert!((scale.standardise(9.0) - 2.0).abs() < 1e-12);
        assert_eq!(scale.standardise(f64::NAN), 0.0);
    }

    #[test]
    fn a_constant_is_nothing() {
        for constant in [0.0, 0.1, 1e90, -1e-9] {
            let scale = of([constant; 1_000]);
            assert_eq!((scale.standardise(constant), scale.deviation()), (0.0, 0.0), "{constant}");
        }
    }

    #[test]
    fn wild_values_do_little_at_the_beginning_and_later() {
        let calm = |i: usize| (i % 10) as f64;
        for wild in [3, 20, 500] {
            let scale = of((0..1_000).map(|i| if i == wild { 1e12 } else { calm(i) }));
            assert!((2.0..4.0).contains(&scale.deviation()), "wild at {wild}: {}", scale.deviation());
            assert!(scale.standardise(f64::MAX) == LIMIT);
        }
    }

    #[test]
    fn a_new_unit_is_followed() {
        let scale = of((0..4_000).map(|i| (i % 10) as f64 * if i < 1_000 { 1.0 } else { 1e6 }));
        assert!((1e5..1e7).contains(&scale.deviation()), "{}", scale.deviation());
    }
}
