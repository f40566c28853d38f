//! The nearest of the newest rows, for regression: the mean of their targets, or of their changes, by nearness.
//!
//! As `knn` for classification; with changes, what is known of the targets is part of the distance.

use serde::{Deserialize, Serialize};

use super::{Aim, Forecast};
use crate::inputs::{Encoded, Shape};
use crate::members::Work;
use crate::members::knn::{MOST_WORK, coordinates, dimensions, weights};
use crate::neighbours::Neighbours;

/// The window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NearRows {
    aim: Aim,
    neighbours: usize,
    points: Neighbours,
}

impl NearRows {
    /// `neighbours` count, of the newest `window` rows.
    pub(crate) fn new(aim: Aim, neighbours: usize, window: usize) -> Self {
        Self { aim, neighbours, points: Neighbours::new(window) }
    }

    fn dimensions(&self, shape: &Shape) -> usize {
        dimensions(if self.aim == Aim::Change { shape.labelled } else { shape.plain })
    }

    fn x<'a>(&self, x: &'a Encoded) -> &'a [f32] {
        coordinates(if self.aim == Aim::Change { &x.labelled32 } else { &x.plain32 })
    }
}

impl Forecast for NearRows {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        self.points.fit(self.dimensions(shape), room, MOST_WORK)
    }

    fn operations(&self, shape: &Shape) -> usize {
        self.points.operations(self.dimensions(shape), MOST_WORK)
    }

    fn predict(&self, x: &Encoded, work: &mut Work) -> f64 {
        self.points.nearest(self.x(x), self.neighbours, &mut work.found);
        let (mut sum, mut total) = (0.0, 0.0);
        for (weight, target) in weights(&work.found, self.points.dimensions()) {
            sum += weight * target;
            total += weight;
        }
        if total > 0.0 { self.aim.base(x) + sum / total } else { f64::NAN }
    }

    fn learn(&mut self, x: &Encoded, _work: &mut Work, y: f64, _weight: f64) {
        self.points.add(self.x(x), y - self.aim.base(x));
    }

    fn bytes(&self) -> usize {
        self.points.bytes()
    }

    fn served(&self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.neighbours > 0 && self.points.is_sound() && self.points.dimensions() == self.dimensions(shape)
    }
}
