//! The sum of the last items of a stream.
//!
//! Nothing is ever subtracted, so rounding does not build up and a huge number leaves no trace once it is out. The
//! window is cut into laps: `prefix` is the sum of this lap; each slot that this lap has not reached yet holds the sum
//! of the last lap's items from there on (made in one backward pass when a lap ends: one addition an event).

use serde::{Deserialize, Serialize};

/// What can be summed up.
pub(crate) trait Sum: Copy {
    /// The sum of nothing.
    const NONE: Self;
    /// Both together.
    fn plus(&self, other: &Self) -> Self;
}

impl Sum for f64 {
    const NONE: Self = 0.0;

    fn plus(&self, other: &Self) -> Self {
        self + other
    }
}

/// The last `size` items, as far as their sum needs them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rolling<T = f64> {
    size: usize,
    /// Before `next`: this lap's items. From there on: sums to the end of the last lap.
    slots: Vec<T>,
    next: usize,
    prefix: T,
    full: bool,
}

impl<T: Sum> Rolling<T> {
    /// Of `size` ≥ 1 items, none yet.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, slots: vec![T::NONE; size], next: 0, prefix: T::NONE, full: false }
    }

    /// Takes in the next item; the oldest of a full window leaves.
    pub(crate) fn push(&mut self, x: T) {
        self.slots[self.next] = x;
        self.prefix = self.prefix.plus(&x);
        self.next += 1;
        if self.next == self.size {
            self.turn();
        }
    }

    #[cold]
    fn turn(&mut self) {
        let mut sum = T::NONE;
        for slot in self.slots.iter_mut().rev() {
            sum = sum.plus(slot);
            *slot = sum;
        }
        (self.next, self.prefix, self.full) = (0, T::NONE, true);
    }

    /// The sum of the window.
    pub(crate) fn sum(&self) -> T {
        self.prefix.plus(&self.slots[self.next])
    }

    /// The sum of one part of the items, once as many as fit have come.
    pub(crate) fn full_sum(&self, part: impl Fn(&T) -> f64) -> Option<f64> {
        self.full.then(|| part(&self.prefix) + part(&self.slots[self.next]))
    }

    /// Whether as many items as fit have come.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.slots)
    }
}

impl Rolling {
    /// The mean of the window, if it has a number and the sum is finite.
    pub(crate) fn mean(&self) -> Option<f64> {
        let count = if self.full { self.size } else { self.next };
        let mean = self.sum() / count as f64;
        mean.is_finite().then_some(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_mean_is_that_of_the_last_numbers(numbers in prop::collection::vec(0..1_000_u32, 1..60), size in 1..20_usize) {
            let mut rolling = Rolling::new(size);
            for (i, x) in numbers.iter().enumerate() {
                rolling.push(f64::from(*x));
                let window = &numbers[(i + 1).saturating_sub(size)..=i];
                let sum: u32 = window.iter().sum();
                prop_assert_eq!(rolling.mean(), Some(f64::from(sum) / window.len() as f64));
                prop_assert_eq!(rolling.is_full(), i + 1 >= size);
            }
        }
    }

    #[test]
    fn a_huge_number_leaves_no_trace() {
        let mut rolling = Rolling::new(3);
        assert_eq!(rolling.mean(), None);
        for (x, mean) in [(1.0, Some(1.0)), (f64::MAX, Some(f64::MAX / 2.0)), (f64::MAX, None), (1.0, None)] {
            rolling.push(x);
            assert_eq!(rolling.mean(), mean);
        }
        rolling.push(1.0);
        rolling.push(1.0);
        assert_eq!(rolling.mean(), Some(1.0));
    }
}
