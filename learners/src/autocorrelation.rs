//! How much more a mean of successive numbers varies than one of independent numbers.
//!
//! Means of blocks of b numbers: for independent numbers, the differences of successive means have the variance
//! `2 var / b`. The ratio of what is seen to that is the factor by which autocorrelation inflates sums. The correlation of
//! successive numbers tells it sooner, though of numbers alone that depend on the last one only.

use serde::{Deserialize, Serialize};

/// Count, sum and sum of squares.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    pub(crate) fn push(&mut self, x: f64) {
        self.count += 1.0;
        self.sum += x;
        self.squares += x * x;
    }

    /// Forgets: from `limit` numbers on, those so far count half.
    pub(crate) fn halve_at(&mut self, limit: f64) {
        if self.count >= limit {
            *self = Self { count: self.count / 2.0, sum: self.sum / 2.0, squares: self.squares / 2.0 };
        }
    }

    /// The mean; 0 of nothing.
    pub(crate) fn mean(&self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { 0.0 }
    }

    /// The variance (divided by n); 0 of nothing.
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.mean();
        if self.count > 0.0 { (self.squares / self.count - mean * mean).max(0.0) } else { 0.0 }
    }
}

/// Products of successive numbers.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Products {
    last: f64,
    sum: f64,
}

impl Products {
    pub(crate) fn push(&mut self, x: f64) {
        self.sum += x * self.last;
        self.last = x;
    }

    /// The inflation, at least 1, if numbers of these moments depend on the last one alone: `(1 + r) / (1 - r)`, r their
    /// correlation with it. 1 unless r is significant. Far fewer numbers tell it than blocks need.
    pub(crate) fn inflation(&self, moments: &Moments) -> f64 {
        let (mean, variance) = (moments.mean(), moments.variance());
        if variance <= 0.0 {
            return 1.0;
        }
        let r = ((self.sum / moments.count - mean * mean) / variance).min(0.99);
        if r > 2.0 / moments.count.sqrt() { (1.0 + r) / (1.0 - r) } else { 1.0 }
    }
}

/// Differences of the means of successive blocks of one size.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Blocks {
    size: u32,
    filled: u32,
    sum: f64,
    last: Option<f64>,
    /// Differences, and the sum of their squares.
    differences: f64,
    squares: f64,
}

impl Blocks {
    /// Blocks of `size` ≥ 1 numbers.
    pub(crate) fn new(size: u32) -> Self {
        Self { size, filled: 0, sum: 0.0, last: None, differences: 0.0, squares: 0.0 }
    }

    /// Takes in a number; whether it completed a block.
    pub(crate) fn push(&mut self, x: f64) -> bool {
        self.sum += x;
        self.filled += 1;
        if self.filled < self.size {
            return false;
        }
        let mean = self.sum / f64::from(self.size);
        if let Some(last) = self.last.replace(mean) {
            self.differences += 1.0;
            self.squares += (mean - last) * (mean - last);
        }
        (self.filled, self.sum) = (0, 0.0);
        true
    }

    /// Forgets: from `limit` differences on, those so far count half.
    pub(crate) fn halve_at(&mut self, limit: f64) {
        if self.differences >= limit {
            self.differences /= 2.0;
            self.squares /= 2.0;
        }
    }

    /// Differences seen.
    pub(crate) fn differences(&self) -> f64 {
        self.differences
    }

    /// The inflation, at least 1: 1 unless it is significant over numbers of this variance.
    pub(crate) fn inflation(&self, variance: f64) -> f64 {
        if self.differences < 1.0 || variance <= 0.0 {
            return 1.0;
        }
        let ratio = f64::from(self.size) * self.squares / (2.0 * self.differences) / variance;
        if ratio > 1.0 + 2.0 * (3.0 / self.differences).sqrt() { ratio } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inflation of numbers of which each is the last one again with chance `rho`.
    fn inflation(rho: f64, count: u32) -> f64 {
        let (mut state, mut last) = (1_u64, 0.0);
        let (mut moments, mut products) = (Moments::default(), Products::default());
        for _ in 0..count {
            let mut uniform = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1_u64 << 53) as f64
            };
            if uniform() >= rho {
                last = uniform();
            }
            moments.push(last);
            products.push(last);
        }
        products.inflation(&moments)
    }

    #[test]
    fn products_of_successive_numbers_tell_the_inflation() {
        assert_eq!(inflation(0.0, 10_000), 1.0);
        for (rho, known) in [(0.3, 1.3 / 0.7), (0.6, 4.0)] {
            let inflation = inflation(rho, 10_000);
            assert!((inflation / known - 1.0).abs() < 0.1, "{rho}: {inflation}");
        }
        assert_eq!(inflation(1.0, 100), 1.0, "equal numbers do not vary");
    }

    #[test]
    fn the_inflation_has_a_bound_however_long_the_runs() {
        let (mut moments, mut products) = (Moments::default(), Products::default());
        for i in 0..100_000 {
            let x = f64::from(u8::from(i >= 50_000));
            moments.push(x);
            products.push(x);
        }
        assert!((products.inflation(&moments) - 1.99 / 0.01).abs() < 1e-6);
    }
}
