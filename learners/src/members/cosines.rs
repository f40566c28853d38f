//! Second-order softmax regression on random cosines: close to a Gaussian kernel, at a bounded cost.
//!
//! Features cos(1.5 · w·z/√d + b) with w normal and b uniform, `count` of them, before the first 96 inputs
//! themselves. z are the first 128 plain inputs, within ±4. Everything random follows from the seed and an input's
//! place. Cost: count·d + 2·(count + d)² operations an event. Rahimi & Recht, Random features for large-scale kernel
//! machines, 2007.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::{Member, Newton, Work};
use crate::inputs::{Encoded, Shape, mix};
use crate::lanes::{add_scaled, padded};
use crate::maths;
use crate::net::normal;

/// Inputs that the cosines are taken of.
const MOST_INPUTS: usize = 128;
/// Inputs that stand beside the cosines.
const MOST_BESIDE: usize = 96;
const LIMIT: f64 = 4.0;
const WIDTH: f64 = 1.5;

/// The cosines and what is learned on them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cosines {
    seed: u64,
    count: usize,
    inputs: usize,
    model: Newton,
    /// One row an input; made anew from the seed.
    #[serde(skip)]
    directions: Vec<f64>,
}

impl Cosines {
    /// `count` cosines; `keep` is λ of the steps.
    pub(crate) fn new(count: usize, keep: f64, seed: u64) -> Self {
        Self { seed, count: padded(count), inputs: 0, model: Newton::new(keep, false), directions: vec![] }
    }

    /// The cosines come first: inputs are appended.
    fn features(&self) -> usize {
        self.count + padded(self.inputs.min(MOST_BESIDE))
    }

    /// Directions of the inputs that have none yet.
    fn draw(&mut self) {
        for input in self.directions.len() / self.count..self.inputs {
            let from = mix(self.seed ^ mix(input as u64));
            self.directions.extend((0..self.count as u64).map(|i| normal(from.wrapping_add(i))));
        }
    }

    fn write(&self, x: &Encoded, features: &mut Vec<f64>) {
        features.clear();
        features.resize(self.count, 0.0);
        features.extend_from_slice(&x.plain[..padded(self.inputs.min(MOST_BESIDE))]);
        let cosines = &mut features[..self.count];
        // Input 0 is the bias; its direction is where the cosines begin.
        let inputs = self.directions.chunks_exact(self.count).zip(&x.plain).skip(1);
        for (directions, z) in inputs {
            if *z != 0.0 {
                add_scaled(cosines, z.clamp(-LIMIT, LIMIT), directions);
            }
        }
        let width = WIDTH / libm::sqrt((self.inputs.max(2) - 1) as f64) / TAU;
        for (i, cosine) in cosines.iter_mut().enumerate() {
            *cosine = maths::cos_turns(*cosine * width + phase(self.seed, i as u64));
        }
    }
}

/// Where a cosine begins, in turns: a low-discrepancy sequence.
fn phase(seed: u64, i: u64) -> f64 {
    let step = 0x9E37_79B9_7F4A_7C15_u64;
    (mix(seed).wrapping_add(i.wrapping_mul(step)) >> 11) as f64 / (1_u64 << 53) as f64
}

impl Member for Cosines {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        let inputs = shape.plain.min(MOST_INPUTS);
        let directions = inputs * self.count * size_of::<f64>();
        self.inputs = inputs;
        let model = self.model.fit_to(self.features(), shape.classes, room.checked_sub(directions)?)?;
        self.draw();
        Some(directions + model)
    }

    fn wake(&mut self) {
        self.draw();
    }

    fn operations(&self, shape: &Shape) -> usize {
        let inputs = shape.plain.min(MOST_INPUTS);
        let features = self.count + padded(inputs.min(MOST_BESIDE));
        self.count * (inputs + 20) + Newton::operations_of(features, shape.classes)
    }

    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        self.write(x, &mut work.basis);
        self.model.predict_from(&work.basis, said);
    }

    fn learn(&mut self, _x: &Encoded, work: &mut Work, said: &[f64], class: usize, weight: f64) {
        self.model.learn_from(&work.basis, &mut work.gain, said, class, weight);
    }

    fn bytes(&self) -> usize {
        self.model.bytes() + size_of_val(&*self.directions)
    }

    fn served(&mut self) -> Self {
        Self { model: self.model.served(), directions: self.directions.clone(), ..*self }
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.inputs == shape.plain.min(MOST_INPUTS)
            && (1..1 << 16).contains(&self.count)
            && self.model.is_sound_for(self.features(), shape.classes)
    }
}
