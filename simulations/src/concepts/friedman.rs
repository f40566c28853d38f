//! Ten numbers in 0..1, of which five decide: y = 10 sin(π a b) + 20 (c − 0.5)² + 10 d + 5 e + `noise` · N(0, 1), where
//! a … e are the five fields from `x{shift + 1}` on.
//!
//! Friedman, Multivariate adaptive regression splines, 1991, has no drift; Ikonomovska, Gama and Džeroski, Learning
//! model trees from evolving data streams, 2011, change the roles of the fields in other ways than by a shift.

use std::f64::consts::PI;

use super::{Concept, Param, real, whole};
use crate::event::{Event, Line, round};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[whole("shift", 0.0, 0.0, 5.0), real("noise", 1.0, 0.0, 100.0)];

struct Friedman {
    random: Random,
}

pub(super) fn start(_: &[f64], seed: u64) -> Box<dyn Concept> {
    Box::new(Friedman { random: Random::new(seed) })
}

impl Concept for Friedman {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[shift, noise] = p else { unreachable!("as many as there are parameters") };
        let xs: [f64; 10] = std::array::from_fn(|_| round(self.random.uniform(), 4));
        let &[a, b, c, d, e] = &xs[shift as usize..][..5] else { unreachable!("a slice of five") };
        let y = 10.0 * libm::sin(PI * a * b) + 20.0 * (c - 0.5) * (c - 0.5) + 10.0 * d + 5.0 * e;
        line.numbers(&xs).number("target", round(y + noise * self.random.normal(), 4)).end("")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{events, number};

    #[test]
    fn the_five_fields_decide() {
        let exact = |shift: usize| {
            let events = events("friedman", &[("shift", shift as f64), ("noise", 0.0)], 1, 1_000);
            let x = |e, i: usize| number(e, &format!("x{}", i + shift));
            events.iter().all(|e| {
                let curve = 10.0 * libm::sin(std::f64::consts::PI * x(e, 1) * x(e, 2));
                let y = curve + 20.0 * (x(e, 3) - 0.5) * (x(e, 3) - 0.5) + 10.0 * x(e, 4) + 5.0 * x(e, 5);
                (y - number(e, "target")).abs() < 1e-4
            })
        };
        assert!(exact(0) && exact(5));
    }
}
