//! How much more a mean of successive numbers varies than one of independent numbers.
//!
//! Means of blocks of b numbers: for independent numbers, the differences of successive means have the variance
//! `2 var / b`. The ratio of what is seen to that is the factor by which autocorrelation inflates sums.

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
