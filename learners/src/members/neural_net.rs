//! A small net on the inputs, plain or with label inputs: [`Net`] with a softmax.
//!
//! Cost: about 6·(32 + K)·D operations an event, 8·(32 + K)·D bytes. Missing values: the mean, and an input of their own.

use serde::{Deserialize, Serialize};

use super::{MOST_LINEAR, Member, Work, errors, softmax};
use crate::inputs::{Encoded, Shape};
use crate::net::{HIDDEN, Net};

/// The net and what it looks at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NeuralNet {
    labels: bool,
    net: Net,
}

impl NeuralNet {
    /// `rate` > 0; `labels` adds what is known of the labels to the inputs.
    pub(crate) fn new(rate: f64, labels: bool, seed: u64) -> Self {
        Self { labels, net: Net::new(rate, rate / 2.0, seed) }
    }

    fn inputs(&self, shape: &Shape) -> usize {
        if self.labels { shape.labelled } else { shape.plain }
    }

    fn x<'a>(&self, x: &'a Encoded) -> &'a [f32] {
        if self.labels { &x.labelled32 } else { &x.plain32 }
    }
}

impl Member for NeuralNet {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        if (HIDDEN + self.inputs(shape)) * shape.classes > MOST_LINEAR {
            return None;
        }
        self.net.fit(self.inputs(shape), shape.classes, room)
    }

    fn operations(&self, shape: &Shape) -> usize {
        Net::operations(self.inputs(shape), shape.classes)
    }

    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        work.scores.clear();
        work.scores.resize(said.len(), 0.0);
        self.net.forward(self.x(x), &mut work.hidden, &mut work.scores);
        said.iter_mut().zip(&work.scores).for_each(|(p, score)| *p = f64::from(*score));
        softmax(said);
    }

    fn learn(&mut self, x: &Encoded, work: &mut Work, said: &[f64], class: usize, weight: f64) {
        errors(said, class, weight, &mut work.errors);
        self.net.backward(self.x(x), &work.hidden, &work.errors);
    }

    fn bytes(&self) -> usize {
        self.net.bytes()
    }

    fn served(&mut self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.net.is_sound(self.inputs(shape), shape.classes)
    }
}
