//! Each class by its share of the labels so far: what noise is best predicted by.

use serde::{Deserialize, Serialize};

use super::{Member, Work};
use crate::inputs::{Encoded, Shape};

/// Counts, each class beginning with a half.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Prior {
    weights: Vec<f64>,
    sum: f64,
}

impl Member for Prior {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        self.weights.resize(shape.classes, 0.5);
        Some(self.bytes()).filter(|bytes| *bytes <= room)
    }

    fn operations(&self, shape: &Shape) -> usize {
        2 * shape.classes
    }

    fn predict(&self, _x: &Encoded, _work: &mut Work, said: &mut [f64]) {
        let sum = self.sum + 0.5 * self.weights.len() as f64;
        for (p, weight) in said.iter_mut().zip(&self.weights) {
            *p = weight / sum;
        }
    }

    fn learn(&mut self, _x: &Encoded, _work: &mut Work, _said: &[f64], class: usize, weight: f64) {
        self.weights[class] += weight;
        self.sum += weight;
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.weights)
    }

    fn served(&mut self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.weights.len() == shape.classes
    }
}
