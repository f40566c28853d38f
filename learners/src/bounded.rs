//! Losses without a bound brought into 0..1, which detectors ask for.
//!
//! `y = l / (l + m)`, where m is the median of the positive ones among the first 512 losses, fixed from then on. The
//! measure is free of units, and no single loss can outweigh the others. The first 512 are not watched.

use serde::{Deserialize, Serialize};

/// Losses that fix the scale.
const FIRST: usize = 512;

/// The map, or what it will be made of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Bounded {
    first: Vec<f64>,
    median: Option<f64>,
}

impl Bounded {
    /// A finite loss ≥ 0 in 0..1; `None` while the scale is not fixed.
    pub(crate) fn map(&mut self, loss: f64) -> Option<f64> {
        let Some(median) = self.median else {
            self.first.push(loss);
            if self.first.len() == FIRST {
                self.fix();
            }
            return None;
        };
        Some(scale(loss, median))
    }

    /// Another loss on the same scale; it has no say in it.
    pub(crate) fn scale(&self, loss: f64) -> Option<f64> {
        self.median.map(|median| scale(loss, median))
    }

    /// All losses zero: any positive one will be near 1.
    fn fix(&mut self) {
        let mut first = std::mem::take(&mut self.first);
        first.retain(|loss| *loss > 0.0);
        first.sort_by(f64::total_cmp);
        self.median = Some(first.get(first.len() / 2).copied().unwrap_or(f64::MIN_POSITIVE));
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.first)
    }
}

/// Not loss / (loss + median): the sum may overflow.
fn scale(loss: f64, median: f64) -> f64 {
    if loss > 0.0 { 1.0 / (1.0 + median / loss) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_becomes_a_half_whatever_the_unit() {
        for unit in [1e-300, 1.0, 1e300] {
            let mut bounded = Bounded::default();
            for i in 0..FIRST {
                // Half of them zero: 1..=256 are the positive ones.
                assert_eq!(bounded.map(i.saturating_sub(255) as f64 * unit), None);
            }
            assert_eq!(bounded.map(129.0 * unit), Some(0.5));
            assert_eq!(bounded.map(0.0), Some(0.0));
            assert!(bounded.map(f64::MAX).is_some_and(|y| y > 0.5 && y <= 1.0));
        }
    }

    #[test]
    fn errors_after_none_at_all_are_large() {
        let mut bounded = Bounded::default();
        (0..FIRST).for_each(|_| assert_eq!(bounded.map(0.0), None));
        assert_eq!((bounded.map(0.0), bounded.map(1e-9)), (Some(0.0), Some(1.0)));
    }
}
