//! Linear scores whose weights learn with a step of their own each: G += g², w += rate · g/√G.
//!
//! Duchi et al., Adaptive subgradient methods, 2011. Single precision: twice as many at once, and no step needs more.

use serde::{Deserialize, Serialize};

use crate::lanes::{dot32, padded};

/// An error below this moves nothing.
const LEAST_ERROR: f32 = 1e-5;

/// One row of weights an output, all 0 at first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AdaGrad {
    stride: usize,
    outputs: usize,
    /// What every G begins with.
    start: f32,
    weights: Vec<f32>,
    squares: Vec<f32>,
}

impl AdaGrad {
    pub(crate) fn new(start: f32) -> Self {
        Self { stride: 0, outputs: 0, start, weights: vec![], squares: vec![] }
    }

    /// Room for so many inputs and outputs; both only grow.
    pub(crate) fn fit(&mut self, inputs: usize, outputs: usize) {
        let (stride, outputs) = (padded(inputs).max(self.stride), outputs.max(self.outputs));
        if (stride, outputs) == (self.stride, self.outputs) {
            return;
        }
        restride(&mut self.weights, self.stride, stride, outputs, 0.0);
        restride(&mut self.squares, self.stride, stride, outputs, self.start);
        (self.stride, self.outputs) = (stride, outputs);
    }

    /// Adds each output's score of `x` (as long as the inputs, padded to whole lanes) to `scores`.
    pub(crate) fn scores(&self, x: &[f32], scores: &mut [f32]) {
        for (score, weights) in scores.iter_mut().zip(self.weights.chunks_exact(self.stride.max(1))) {
            *score += dot32(weights, x);
        }
    }

    /// The weights of one output.
    pub(crate) fn row(&self, output: usize) -> &[f32] {
        &self.weights[output * self.stride..(output + 1) * self.stride]
    }

    /// Moves the weights against the errors (what is missing to the truth), one an output.
    pub(crate) fn step(&mut self, x: &[f32], errors: &[f32], rate: f32) {
        let rows =
            self.weights.chunks_exact_mut(self.stride.max(1)).zip(self.squares.chunks_exact_mut(self.stride.max(1)));
        for ((weights, squares), &error) in rows.zip(errors) {
            if error.abs() > LEAST_ERROR {
                step(weights, squares, x, error, rate);
            }
        }
    }

    /// Bytes of so many weights.
    pub(crate) fn bytes_of(inputs: usize, outputs: usize) -> usize {
        2 * padded(inputs) * outputs * size_of::<f32>()
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.weights) + size_of_val(&*self.squares)
    }

    /// Whether its parts fit together.
    pub(crate) fn is_sound(&self) -> bool {
        let numbers = self.stride.checked_mul(self.outputs);
        numbers == Some(self.weights.len()) && numbers == Some(self.squares.len())
    }
}

/// One row of weights: each takes its own step along `error · x`.
#[inline]
pub(crate) fn step(weights: &mut [f32], squares: &mut [f32], x: &[f32], error: f32, rate: f32) {
    for ((w, square), &x) in weights.iter_mut().zip(squares).zip(x) {
        let g = error * x;
        *square += g * g;
        *w += rate * g / square.sqrt();
    }
}

/// Rows of another length and number; what is new is `fill`.
pub(crate) fn restride<T: Copy>(rows: &mut Vec<T>, old: usize, new: usize, count: usize, fill: T) {
    if old != new {
        let mut longer = Vec::with_capacity(new * count);
        for row in rows.chunks_exact(old.max(1)) {
            longer.extend_from_slice(row);
            longer.resize(longer.len() + new - old, fill);
        }
        *rows = longer;
    }
    rows.resize(new * count, fill);
}
