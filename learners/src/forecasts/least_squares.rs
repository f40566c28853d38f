//! Recursive least squares on the target, or on its change since the last value known.
//!
//! w += e · gain of x under λ ([`Gain`]), the prior a unit matrix. Inputs stand on a scale that is fixed after 500 events,
//! with what is known of the targets among them; `pairs` adds all products of the first 16. An error counts as at most
//! ten times the fading mean of errors, so that a wild target does not move the weights far. Cost: about 2·D² operations
//! an event, 4·D² bytes. Missing values: the mean, and an input of their own. Plackett 1950.

use serde::{Deserialize, Serialize};

use super::{Aim, Forecast};
use crate::gain::Gain;
use crate::inputs::{Encoded, Shape, pairs};
use crate::lanes::{add_scaled, dot, padded};
use crate::members::Work;

/// Inputs looked at.
const MOST_INPUTS: usize = 144;
const MOST_TRACE: f64 = 10.0;
/// An error counts as at most so many times the fading mean of errors.
const FAR: f64 = 10.0;
const RATE: f64 = 0.01;
/// Errors until then count whatever they are.
const FIRST: u32 = 50;

/// Weights and the matrix of their steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LeastSquares {
    aim: Aim,
    pairs: bool,
    inputs: usize,
    gain: Gain,
    weights: Vec<f64>,
    error: f64,
    count: u32,
}

impl LeastSquares {
    /// `keep` is λ: what is kept of the past from event to event.
    pub(crate) fn new(aim: Aim, keep: f64, pairs: bool) -> Self {
        let gain = Gain::new(keep, 1.0, MOST_TRACE);
        Self { aim, pairs, inputs: 0, gain, weights: vec![], error: 0.0, count: 0 }
    }

    fn size(&self) -> usize {
        if self.pairs { pairs::size(self.inputs) } else { self.inputs }
    }

    fn write(&self, x: &Encoded, basis: &mut Vec<f64>) {
        basis.clear();
        if self.pairs {
            pairs::write(&x.steady, self.inputs, basis);
        } else {
            basis.extend_from_slice(&x.steady[..self.inputs]);
        }
        basis.resize(self.weights.len(), 0.0);
    }
}

impl Forecast for LeastSquares {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        let before = std::mem::replace(&mut self.inputs, shape.labelled.min(MOST_INPUTS));
        let size = self.size();
        let bytes = Gain::bytes_of(size) + padded(size) * size_of::<f64>();
        if bytes > room {
            self.inputs = before;
            return None;
        }
        self.gain.grow(size);
        self.weights.resize(padded(size), 0.0);
        Some(bytes)
    }

    fn operations(&self, shape: &Shape) -> usize {
        let inputs = shape.labelled.min(MOST_INPUTS);
        100 + Gain::operations(if self.pairs { pairs::size(inputs) } else { inputs })
    }

    fn predict(&self, x: &Encoded, work: &mut Work) -> f64 {
        self.write(x, &mut work.basis);
        self.aim.base(x) + dot(&self.weights, &work.basis)
    }

    fn learn(&mut self, x: &Encoded, work: &mut Work, y: f64, weight: f64) {
        let mut error = y - self.aim.base(x) - dot(&self.weights, &work.basis);
        if self.count > FIRST {
            error = error.clamp(-FAR * self.error, FAR * self.error);
        }
        if !error.is_finite() {
            *self = Self { inputs: self.inputs, ..Self::new(self.aim, self.gain.keep(), self.pairs) };
            self.gain.grow(self.size());
            self.weights.resize(padded(self.gain.size()), 0.0);
            return;
        }
        self.count = self.count.saturating_add(1);
        self.error += RATE.max(1.0 / f64::from(self.count)) * (error.abs() - self.error);
        self.gain.step(&work.basis, 1.0 / weight, &mut work.gain);
        add_scaled(&mut self.weights, error, &work.gain);
    }

    fn bytes(&self) -> usize {
        self.gain.bytes() + size_of_val(&*self.weights)
    }

    fn served(&self) -> Self {
        Self { gain: self.gain.stripped(), weights: self.weights.clone(), ..*self }
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        let size = self.size();
        self.inputs == shape.labelled.min(MOST_INPUTS)
            && self.gain.is_sound()
            && self.gain.size() == size
            && self.weights.len() == padded(size)
    }
}
