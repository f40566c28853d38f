//! A plane through the middle of the unit cube of `features` dimensions; the class says on which side a point lies.
//! `angle` (degrees) turns the plane in a fixed plane of the space: let it drift incrementally and the boundary
//! rotates. A share `noise` of the labels is wrong.
//!
//! Hulten, Spencer and Domingos, Mining time-changing data streams, 2001; there, and in MOA, single weights walk.

use super::{Concept, Param, fixed, real};
use crate::event::{Event, Line};
use crate::random::Random;

pub(super) const PARAMS: &[Param] =
    &[fixed("features", 10.0, 2.0, 100.0), real("angle", 0.0, -3_600.0, 3_600.0), real("noise", 0.05, 0.0, 0.5)];

struct Hyperplane {
    random: Random,
    /// Two directions at right angles, both of length 1.
    normal: [Vec<f64>; 2],
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn start(p: &[f64], seed: u64) -> Box<dyn Concept> {
    let mut random = Random::new(seed);
    let mut draw = || -> Vec<f64> { (0..p[0] as usize).map(|_| random.normal()).collect() };
    let scale = |v: &[f64]| -> Vec<f64> { v.iter().map(|x| x / dot(v, v).sqrt()).collect() };
    let first = scale(&draw());
    let second = draw();
    let along = dot(&first, &second);
    let across: Vec<f64> = second.iter().zip(&first).map(|(s, f)| s - along * f).collect();
    let normal = [first, scale(&across)];
    Box::new(Hyperplane { random, normal })
}

impl Concept for Hyperplane {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[_, angle, noise] = p else { unreachable!("as many as there are parameters") };
        let (sin, cos) = libm::sincos(angle.to_radians());
        let xs: Vec<f64> = self.normal[0].iter().map(|_| self.random.uniform()).collect();
        let centred: Vec<f64> = xs.iter().map(|x| x - 0.5).collect();
        let side = cos * dot(&self.normal[0], &centred) + sin * dot(&self.normal[1], &centred);
        let above = (side > 0.0) != self.random.chance(noise);
        line.numbers(&xs).text("target", if above { "above" } else { "below" }).end("")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::events;

    #[test]
    fn an_angle_changes_its_share_of_the_labels() {
        let at = |angle| events("hyperplane", &[("angle", angle), ("noise", 0.0)], 1, 10_000);
        let before = at(0.0);
        for (angle, share) in [(30.0, 1.0 / 6.0), (90.0, 0.5), (180.0, 1.0)] {
            let differ = before.iter().zip(at(angle)).filter(|(a, b)| a["target"] != b["target"]).count();
            assert!((differ as f64 / 1e4 - share).abs() < 0.03, "{differ} at {angle}");
        }
    }
}
