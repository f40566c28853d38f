//! Softmax regression whose weights learn with a step of their own each (AdaGrad), plain or with label inputs.
//!
//! p = softmax(W x), W += rate · (1[y] - p) xᵀ / √G. Cost: about 3·K·D operations an event, 8·K·D bytes, D inputs and K
//! classes. Missing values: the mean, and an input of their own. Duchi et al., Adaptive subgradient methods, 2011.

use serde::{Deserialize, Serialize};

use super::{MOST_LINEAR, Member, Work, errors, softmax};
use crate::adagrad::AdaGrad;
use crate::explain::Sizes;
use crate::inputs::{Encoded, Inputs, Shape};

/// What every G begins with.
const START: f32 = 1e-8;

/// The weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Softmax {
    rate: f32,
    labels: bool,
    weights: AdaGrad,
}

impl Softmax {
    /// `rate` > 0; `labels` adds what is known of the labels to the inputs.
    pub(crate) fn new(rate: f64, labels: bool) -> Self {
        Self { rate: rate as f32, labels, weights: AdaGrad::new(START) }
    }

    fn inputs(&self, shape: &Shape) -> usize {
        if self.labels { shape.labelled } else { shape.plain }
    }

    /// How much its weights say about each column.
    pub(crate) fn sizes(&self, inputs: &Inputs) -> Sizes {
        let rows: Vec<&[f32]> = (0..inputs.classes()).map(|class| self.weights.row(class)).collect();
        let mean = |i: usize| rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / rows.len() as f64;
        let size = if self.labels { inputs.shape().labelled } else { inputs.shape().plain };
        let means: Vec<f64> = (0..size).map(mean).collect();
        let mut sizes = Sizes::new(inputs.columns());
        for row in &rows {
            let weights: Vec<f64> = means.iter().zip(*row).map(|(mean, w)| f64::from(*w) - mean).collect();
            inputs.measure(&weights, self.labels, &mut sizes);
        }
        sizes
    }

    fn x<'a>(&self, x: &'a Encoded) -> &'a [f32] {
        if self.labels { &x.labelled32 } else { &x.plain32 }
    }
}

impl Member for Softmax {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        if self.inputs(shape) * shape.classes > MOST_LINEAR {
            return None;
        }
        let bytes = AdaGrad::bytes_of(self.inputs(shape), shape.classes);
        (bytes <= room).then(|| self.weights.fit(self.inputs(shape), shape.classes))?;
        Some(bytes)
    }

    fn operations(&self, shape: &Shape) -> usize {
        100 + shape.classes * (20 + 6 * self.inputs(shape))
    }

    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        work.scores.clear();
        work.scores.resize(said.len(), 0.0);
        self.weights.scores(self.x(x), &mut work.scores);
        said.iter_mut().zip(&work.scores).for_each(|(p, score)| *p = f64::from(*score));
        softmax(said);
    }

    fn learn(&mut self, x: &Encoded, work: &mut Work, said: &[f64], class: usize, weight: f64) {
        errors(said, class, weight, &mut work.errors);
        self.weights.step(self.x(x), &work.errors, self.rate);
    }

    fn bytes(&self) -> usize {
        self.weights.bytes()
    }

    fn served(&mut self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.weights.is_sound() && self.weights.bytes() == AdaGrad::bytes_of(self.inputs(shape), shape.classes)
    }
}
