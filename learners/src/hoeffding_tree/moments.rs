//! Weight, mean and sum of squared deviations of targets.

use serde::{Deserialize, Serialize};

/// What is known of a set of numbers. Numbers are tamed before, so that nothing overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    pub(super) weight: f64,
    pub(super) mean: f64,
    pub(super) m2: f64,
}

impl Moments {
    #[inline(always)]
    pub(super) fn add(&mut self, y: f64, weight: f64) {
        self.weight += weight;
        let d = y - self.mean;
        self.mean += d * (weight / self.weight);
        self.m2 += weight * d * (y - self.mean);
    }

    /// Both sets together (Chan et al. 1979).
    #[inline(always)]
    pub(super) fn with(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        if weight <= 0.0 {
            return self;
        }
        let d = other.mean - self.mean;
        let share = other.weight / weight;
        Self { weight, mean: self.mean + d * share, m2: self.m2 + other.m2 + d * d * (self.weight * share) }
    }

    /// Standard deviation of the set itself.
    #[inline(always)]
    pub(super) fn sd(self) -> f64 {
        if self.weight > 0.0 { (self.m2 / self.weight).max(0.0).sqrt() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    #[test]
    fn together_is_as_one_after_the_other() {
        let (mut a, mut b, mut both) = (Moments::default(), Moments::default(), Moments::default());
        for i in 0..50 {
            let y = f64::from(i * i % 17) + 1e6;
            if i % 3 == 0 { &mut a } else { &mut b }.add(y, 1.0 + f64::from(i % 2));
            both.add(y, 1.0 + f64::from(i % 2));
        }
        let sum = a.with(b);
        assert_eq!(sum.weight, both.weight);
        assert!((sum.mean - both.mean).abs() < 1e-9 && (sum.sd() - both.sd()).abs() < 1e-9);
        assert_eq!(a.with(Moments::default()), a);
    }
}
