//! SEA concepts: three numbers in 0..10, of which the third says nothing; the class is `high` where the first two sum
//! to more than a threshold. 10 % of the labels are wrong. The threshold changes abruptly: 8, 9, 7, 9.5, and again.
//!
//! Street and Kim, A streaming ensemble algorithm (SEA) for large-scale classification, 2001. Their `<= threshold` is
//! the class `low` here.

use crate::event::{Event, Line, round};
use crate::random::Random;

const THRESHOLDS: [f64; 4] = [8.0, 9.0, 7.0, 9.5];
const NOISE: f64 = 0.1;

#[derive(Clone, Debug)]
pub(crate) struct Sea {
    random: Random,
    drift_every: u64,
}

impl Sea {
    /// Events between drifts: a quarter of the stream, at most 15,000 as in the paper.
    pub(crate) fn drift_every(total: u64) -> u64 {
        (total / 4).clamp(1, 15_000)
    }

    pub(crate) fn new(seed: u64, total: u64) -> Self {
        Self { random: Random::new(seed), drift_every: Self::drift_every(total) }
    }

    pub(crate) fn event(&mut self, id: u64) -> Event {
        let [x1, x2, x3] = std::array::from_fn(|_| round(10.0 * self.random.uniform(), 4));
        let concept = (id / self.drift_every) as usize % THRESHOLDS.len();
        let high = (x1 + x2 > THRESHOLDS[concept]) != self.random.chance(NOISE);
        Line::new(id, 1_000)
            .number("x1", x1)
            .number("x2", x2)
            .number("x3", x3)
            .text("target", if high { "high" } else { "low" })
            .end("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::tests::field;

    #[test]
    fn the_concept_holds_for_nine_labels_in_ten() {
        let mut sea = Sea::new(1, 40_000);
        let mut wrong = [0; 4];
        for id in 0..40_000 {
            let json = sea.event(id).json;
            let concept = (id / 10_000) as usize;
            let high = field(&json, "x1") + field(&json, "x2") > THRESHOLDS[concept];
            wrong[concept] += u32::from(json.contains("high") != high);
        }
        assert!(wrong.iter().all(|n| (900..1_100).contains(n)), "{wrong:?}");
    }
}
