//! STAGGER: things of a size, a colour and a shape; which of them are `yes` is said by one of three rules:
//! 1 small and red; 2 green or round; 3 medium or large. A share `noise` of the labels is wrong.
//!
//! Schlimmer and Granger, Incremental learning from noisy data, 1986.

use super::{Concept, Param, real, whole};
use crate::event::{Event, Line};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[whole("rule", 1.0, 1.0, 3.0), real("noise", 0.0, 0.0, 0.5)];

const SIZES: [&str; 3] = ["small", "medium", "large"];
const COLOURS: [&str; 3] = ["red", "green", "blue"];
const SHAPES: [&str; 3] = ["round", "square", "triangle"];

struct Stagger {
    random: Random,
}

pub(super) fn start(_: &[f64], seed: u64) -> Box<dyn Concept> {
    Box::new(Stagger { random: Random::new(seed) })
}

impl Concept for Stagger {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[rule, noise] = p else { unreachable!("as many as there are parameters") };
        let [size, colour, shape] = std::array::from_fn(|_| self.random.below(3));
        let holds = match rule as u32 {
            1 => size == 0 && colour == 0,
            2 => colour == 1 || shape == 0,
            _ => size > 0,
        };
        let yes = holds != self.random.chance(noise);
        line.text("size", SIZES[size])
            .text("colour", COLOURS[colour])
            .text("shape", SHAPES[shape])
            .text("target", if yes { "yes" } else { "no" })
            .end("")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{events, share};

    #[test]
    fn each_rule_takes_its_share_of_the_27_things() {
        for (rule, takes) in [(1.0, 3.0 / 27.0), (2.0, 15.0 / 27.0), (3.0, 18.0 / 27.0)] {
            let events = events("stagger", &[("rule", rule)], 1, 20_000);
            let yes = share(&events, |e| e["target"] == "yes");
            assert!((yes - takes).abs() < 0.015, "rule {rule}: {yes}");
        }
        let first = events("stagger", &[], 1, 5_000);
        assert!(first.iter().all(|e| (e["target"] == "yes") == (e["size"] == "small" && e["colour"] == "red")));
    }
}
