//! SEA concepts: three numbers in 0..10, of which the third says nothing; the class is `high` where the first two sum
//! to more than `threshold`. A share `noise` of the labels is wrong.
//!
//! Street and Kim, A streaming ensemble algorithm (SEA) for large-scale classification, 2001: thresholds 8, 9, 7, 9.5.
//! Their `<= threshold` is the class `low` here.

use super::{Concept, Param, real};
use crate::event::{Event, Line};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[real("threshold", 8.0, 0.0, 20.0), real("noise", 0.1, 0.0, 0.5)];

struct Sea {
    random: Random,
}

pub(super) fn start(_: &[f64], seed: u64) -> Box<dyn Concept> {
    Box::new(Sea { random: Random::new(seed) })
}

impl Concept for Sea {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[threshold, noise] = p else { unreachable!("as many as there are parameters") };
        let xs: [f64; 3] = std::array::from_fn(|_| crate::event::round(10.0 * self.random.uniform(), 4));
        let high = (xs[0] + xs[1] > threshold) != self.random.chance(noise);
        line.numbers(&xs).text("target", if high { "high" } else { "low" }).end("")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{events, number, share};

    #[test]
    fn the_concept_holds_for_nine_labels_in_ten() {
        for threshold in [7.0, 9.5] {
            let events = events("sea", &[("threshold", threshold)], 1, 10_000);
            let right = share(&events, |e| (number(e, "x1") + number(e, "x2") > threshold) == (e["target"] == "high"));
            assert!((right - 0.9).abs() < 0.01, "{right}");
        }
    }
}
