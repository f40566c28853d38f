//! A seven-segment display: `a1` … `a7` are the segments of a digit, each shown wrongly with probability `noise`;
//! `a8` … `a24` are coin tosses. `swapped` segments change places with as many of the coin tosses: the first with `a8`,
//! the second with `a9` and so on.
//!
//! Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984; drift as in MOA's
//! `LEDGeneratorDrift`.

use super::{Concept, Param, real, whole};
use crate::event::{Event, Line};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[whole("swapped", 0.0, 0.0, 7.0), real("noise", 0.1, 0.0, 0.5)];

const SEGMENTS: usize = 7;
const FIELDS: usize = 24;

/// Top, upper left, upper right, middle, lower left, lower right, bottom.
const DIGITS: [&[u8; SEGMENTS]; 10] = [
    b"1110111", b"0010010", b"1011101", b"1011011", b"0111010", b"1101011", b"1101111", b"1010010", b"1111111",
    b"1111011",
];

struct Led {
    random: Random,
}

pub(super) fn start(_: &[f64], seed: u64) -> Box<dyn Concept> {
    Box::new(Led { random: Random::new(seed) })
}

impl Concept for Led {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[swapped, noise] = p else { unreachable!("as many as there are parameters") };
        let digit = self.random.below(10);
        let mut lit = [false; FIELDS];
        for (i, lit) in lit.iter_mut().enumerate() {
            *lit = match DIGITS[digit].get(i) {
                Some(segment) => (*segment == b'1') != self.random.chance(noise),
                None => self.random.chance(0.5),
            };
        }
        (0..swapped as usize).for_each(|i| lit.swap(i, SEGMENTS + i));
        let fields = lit.iter().enumerate();
        fields
            .fold(line, |line, (i, lit)| line.number(&format!("a{}", i + 1), f64::from(u8::from(*lit))))
            .text("digit", &digit.to_string())
            .end("")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{events, share};

    #[test]
    fn a_swapped_segment_is_a_coin_toss_and_the_coin_toss_tells() {
        for (swapped, top) in [(0.0, "a1"), (3.0, "a8")] {
            let events = events("led", &[("swapped", swapped)], 1, 20_000);
            let zeros: Vec<_> = events.into_iter().filter(|e| e["digit"] == "0").collect();
            let lit = |name: &str| share(&zeros, |e| e[name] == 1);
            assert!((lit(top) - 0.9).abs() < 0.03, "{}", lit(top));
            let other = if top == "a1" { "a8" } else { "a1" };
            assert!((lit(other) - 0.5).abs() < 0.04, "{}", lit(other));
        }
    }
}
