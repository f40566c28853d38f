//! Random radial basis functions with moving centres: each of `centres` points in the unit cube of `features`
//! dimensions has one of `classes` classes, a weight and a spread; an event is a point around one of them.
//!
//! Every centre goes its own straight way and turns at the walls of the cube: `moved` says how far all of them have
//! gone. Let `moved` drift incrementally and the centres move (MOA's `RandomRBFGeneratorDrift` has a speed instead, and
//! no end).

use super::{Concept, Param, fixed, real};
use crate::event::{Event, Line};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[
    fixed("features", 10.0, 1.0, 100.0),
    fixed("classes", 2.0, 2.0, 20.0),
    fixed("centres", 50.0, 2.0, 1_000.0),
    real("moved", 0.0, 0.0, 1_000.0),
];

struct Centre {
    at: Vec<f64>,
    way: Vec<f64>,
    class: usize,
    spread: f64,
    /// The weights of all centres up to this one.
    weights: f64,
}

struct Rbf {
    random: Random,
    centres: Vec<Centre>,
}

/// A direction in so many dimensions.
fn unit(random: &mut Random, dimensions: usize) -> Vec<f64> {
    let way: Vec<f64> = (0..dimensions).map(|_| random.normal()).collect();
    let length = way.iter().map(|x| x * x).sum::<f64>().sqrt();
    way.iter().map(|x| x / length).collect()
}

pub(super) fn start(p: &[f64], seed: u64) -> Box<dyn Concept> {
    let mut random = Random::new(seed);
    let (features, classes) = (p[0] as usize, p[1] as usize);
    let mut weights = 0.0;
    let centres = (0..p[2] as usize).map(|i| {
        weights += random.uniform();
        let at = (0..features).map(|_| random.uniform()).collect();
        // Each class has a centre; beyond that, chance decides.
        let class = if i < classes { i } else { random.below(classes) };
        Centre { at, way: unit(&mut random, features), class, spread: random.uniform(), weights }
    });
    let centres = centres.collect();
    Box::new(Rbf { random, centres })
}

/// A place on a line, folded into 0..1 as if by mirrors at both ends.
fn fold(x: f64) -> f64 {
    let x = x.rem_euclid(2.0);
    if x > 1.0 { 2.0 - x } else { x }
}

impl Concept for Rbf {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let moved = p[3];
        let all = self.centres.last().expect("there are two at least").weights;
        let pick = self.random.uniform() * all;
        let which = self.centres.partition_point(|c| c.weights <= pick).min(self.centres.len() - 1);
        let centre = &self.centres[which];
        let off = unit(&mut self.random, centre.at.len());
        let far = centre.spread * self.random.normal();
        let place = centre.at.iter().zip(&centre.way).map(|(at, way)| fold(at + moved * way));
        let xs: Vec<f64> = place.zip(&off).map(|(at, off)| at + far * off).collect();
        line.numbers(&xs).text("target", &format!("c{}", centre.class)).end("")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{events, number};
    use super::*;

    fn mean(events: &[Value], name: &str) -> f64 {
        events.iter().map(|e| number(e, name)).sum::<f64>() / events.len() as f64
    }

    #[test]
    fn centres_move_and_come_back() {
        let at = |moved| {
            let events = events("rbf", &[("centres", 2.0), ("features", 2.0), ("moved", moved)], 1, 5_000);
            let one: Vec<_> = events.into_iter().filter(|e| e["target"] == "c0").collect();
            [mean(&one, "x1"), mean(&one, "x2")]
        };
        let far = |a: [f64; 2], b: [f64; 2]| ((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1])).sqrt();
        let (home, away) = (at(0.0), at(0.1));
        assert!((far(home, away) - 0.1).abs() < 0.02, "{home:?} {away:?}");
        assert_eq!([fold(1.25), fold(-0.25), fold(2.5), fold(1.0)], [0.75, 0.25, 0.5, 1.0]);
    }
}
