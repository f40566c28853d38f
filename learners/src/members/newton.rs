//! Softmax regression of second order: an online Newton step, shared by the classes.
//!
//! With curvature h = max((1 - Σp²)/2, .02) and the gain g of x under λ ([`Gain`]): W_k += (1[y=k] - p_k)/h · g. Looks at
//! the first 144 inputs; with `pairs` at the products of the first 16 too, while there are at most 32 inputs. Cost: about 2·D² operations an event, 4·D² + 8·K·D bytes. Missing values: the mean, and an input
//! of their own. Hazan et al., Logarithmic regret algorithms for online convex optimization, 2007.

use serde::{Deserialize, Serialize};

use super::{MOST_LINEAR, Member, Work, softmax};
use crate::adagrad::restride;
use crate::gain::Gain;
use crate::inputs::{Encoded, Shape, pairs};
use crate::lanes::{add_scaled, dot, padded};

/// Inputs looked at, and with pairs.
const MOST_INPUTS: usize = 144;
const MOST_WITH_PAIRS: usize = 32;
const LEAST_CURVATURE: f64 = 0.02;
/// The trace a dimension beyond which the matrix is scaled back.
const MOST_TRACE: f64 = 10.0;

/// Weights and the matrix of their steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Newton {
    pairs: bool,
    inputs: usize,
    gain: Gain,
    stride: usize,
    classes: usize,
    weights: Vec<f64>,
}

impl Newton {
    /// `keep` is λ: what is kept of the past from event to event.
    pub(crate) fn new(keep: f64, pairs: bool) -> Self {
        let gain = Gain::new(keep, 1.0, MOST_TRACE);
        Self { pairs, inputs: 0, gain, stride: 0, classes: 0, weights: vec![] }
    }

    fn size(&self, shape: &Shape) -> usize {
        if self.pairs { pairs::size(shape.plain) } else { shape.plain.min(MOST_INPUTS) }
    }

    /// Room for so many inputs and classes, and the bytes it takes; `None` if these are more than `room`.
    pub(super) fn fit_to(&mut self, inputs: usize, classes: usize, room: usize) -> Option<usize> {
        let bytes = Self::bytes_of(inputs, classes);
        if bytes > room || inputs * classes > MOST_LINEAR {
            return None;
        }
        let stride = padded(inputs);
        restride(&mut self.weights, self.stride, stride, classes, 0.0);
        (self.stride, self.classes) = (stride, classes);
        self.gain.grow(inputs);
        Some(bytes)
    }

    /// Operations with so many inputs.
    pub(super) fn operations_of(inputs: usize, classes: usize) -> usize {
        100 + Gain::operations(inputs) + classes * (20 + 3 * inputs)
    }

    fn bytes_of(inputs: usize, classes: usize) -> usize {
        Gain::bytes_of(inputs) + padded(inputs) * classes * size_of::<f64>()
    }

    pub(super) fn predict_from(&self, x: &[f64], said: &mut [f64]) {
        for (score, weights) in said.iter_mut().zip(self.weights.chunks_exact(self.stride.max(1))) {
            *score = dot(weights, x);
        }
        softmax(said);
    }

    pub(super) fn learn_from(&mut self, x: &[f64], gain: &mut Vec<f64>, said: &[f64], class: usize, weight: f64) {
        let certain: f64 = said.iter().map(|p| p * p).sum();
        let curvature = weight * ((1.0 - certain) / 2.0).max(LEAST_CURVATURE);
        self.gain.step(x, 1.0 / curvature, gain);
        for (k, (weights, p)) in self.weights.chunks_exact_mut(self.stride.max(1)).zip(said).enumerate() {
            let error = weight * (f64::from(u8::from(k == class)) - p);
            add_scaled(weights, error / curvature, gain);
        }
    }

    pub(super) fn is_sound_for(&self, inputs: usize, classes: usize) -> bool {
        (self.gain.size() == inputs || self.gain.size() == 0)
            && self.gain.is_sound()
            && (self.stride, self.classes) == (padded(inputs), classes)
            && Some(self.weights.len()) == self.stride.checked_mul(self.classes)
    }
}

impl Member for Newton {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        if self.pairs && shape.plain > MOST_WITH_PAIRS {
            return None;
        }
        self.inputs = shape.plain;
        self.fit_to(self.size(shape), shape.classes, room)
    }

    fn operations(&self, shape: &Shape) -> usize {
        Self::operations_of(self.size(shape), shape.classes)
    }

    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        if self.pairs {
            work.basis.clear();
            pairs::write(&x.plain, self.inputs, &mut work.basis);
            work.basis.resize(self.stride, 0.0);
            self.predict_from(&work.basis, said);
        } else {
            self.predict_from(&x.plain[..x.plain.len().min(MOST_INPUTS)], said);
        }
    }

    fn learn(&mut self, x: &Encoded, work: &mut Work, said: &[f64], class: usize, weight: f64) {
        let x = if self.pairs { &work.basis } else { &x.plain[..x.plain.len().min(MOST_INPUTS)] };
        self.learn_from(x, &mut work.gain, said, class, weight);
    }

    fn bytes(&self) -> usize {
        self.gain.bytes() + size_of_val(&*self.weights)
    }

    fn served(&mut self) -> Self {
        Self { gain: self.gain.stripped(), weights: self.weights.clone(), ..*self }
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.inputs == shape.plain && self.is_sound_for(self.size(shape), shape.classes)
    }
}
