//! The k nearest of the newest rows: they vote by nearness.
//!
//! Distances are Euclidean over the first 128 plain inputs, as standardised when the row came. A neighbour at distance d
//! weighs (d₁ + ε)/(d + ε) with d₁ the nearest's and ε = .001·√inputs, and every class gets a share of .05. The window
//! shrinks where inputs are many, so that a search stays within 320,000 coordinates. Missing values: the mean, and an
//! input of their own. Cover & Hart, Nearest neighbor pattern classification, 1967.

use serde::{Deserialize, Serialize};

use super::{Member, Work};
use crate::inputs::{Encoded, Shape};
use crate::neighbours::{Found, Neighbours};

/// Inputs that distances are taken over.
pub(crate) const MOST_INPUTS: usize = 128;
/// Coordinates looked at in a search.
pub(crate) const MOST_WORK: usize = 320_000;
/// What the classes share whoever the neighbours are.
const SHARED: f64 = 0.05;

/// The window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Knn {
    neighbours: usize,
    points: Neighbours,
}

impl Knn {
    /// `neighbours` vote, of the newest `window` rows.
    pub(crate) fn new(neighbours: usize, window: usize) -> Self {
        Self { neighbours, points: Neighbours::new(window) }
    }
}

/// The inputs that distances are taken over: not the bias.
pub(crate) fn coordinates(plain32: &[f32]) -> &[f32] {
    &plain32[1..]
}

/// How many they are.
pub(crate) fn dimensions(plain: usize) -> usize {
    (plain - 1).clamp(1, MOST_INPUTS)
}

/// Each neighbour's weight relative to the nearest: (d₁ + ε)/(d + ε).
pub(crate) fn weights(found: &[Found], dimensions: usize) -> impl Iterator<Item = (f64, f64)> {
    let near = 0.001 * (dimensions as f64).sqrt();
    let distance = move |squared: f32| f64::from(squared).sqrt() + near;
    let first = found.first().map_or(1.0, |(d, _)| distance(*d));
    found.iter().map(move |(d, label)| (first / distance(*d), *label))
}

impl Member for Knn {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        self.points.fit(dimensions(shape.plain), room, MOST_WORK)
    }

    fn operations(&self, shape: &Shape) -> usize {
        self.points.operations(dimensions(shape.plain), MOST_WORK)
    }

    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        self.points.nearest(coordinates(&x.plain32), self.neighbours, &mut work.found);
        let share = SHARED / said.len() as f64;
        said.fill(share);
        let mut sum = SHARED;
        for (weight, class) in weights(&work.found, self.points.dimensions()) {
            said[class as usize] += weight;
            sum += weight;
        }
        said.iter_mut().for_each(|p| *p /= sum);
    }

    fn learn(&mut self, x: &Encoded, _work: &mut Work, _said: &[f64], class: usize, _weight: f64) {
        self.points.add(coordinates(&x.plain32), class as f64);
    }

    fn bytes(&self) -> usize {
        self.points.bytes()
    }

    fn served(&mut self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        let known = |label: &f64| (0.0..shape.classes as f64).contains(label) || *label == 0.0;
        self.neighbours > 0
            && self.points.is_sound()
            && self.points.labels().all(known)
            && self.points.dimensions() == dimensions(shape.plain)
    }
}
