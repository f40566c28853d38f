//! Small classifiers that share one stage of inputs: parts of `auto`, and learners of their own.

mod cosines;
mod forest;
mod hashed;
pub(crate) mod knn;
mod label_chain;
mod neural_net;
mod newton;
mod prior;
mod softmax;

use features::Kind;
use serde::{Deserialize, Serialize};

pub(crate) use self::cosines::Cosines;
pub(crate) use self::forest::Forest;
pub(crate) use self::hashed::{Hashed, Source};
pub(crate) use self::knn::Knn;
pub(crate) use self::label_chain::LabelChain;
pub(crate) use self::neural_net::NeuralNet;
pub(crate) use self::newton::Newton;
pub(crate) use self::prior::Prior;
pub(crate) use self::softmax::Softmax;
use crate::Prediction;
use crate::forest::ForestWork;
use crate::inputs::{Encoded, Shape};
use crate::maths;
use crate::neighbours::Found;

/// Weights of events count as within these.
pub(crate) const LEAST_WEIGHT: f64 = 1e-3;
pub(crate) const MOST_WEIGHT: f64 = 10.0;

/// Weights of a linear layer that are learned at every event, at most: beyond, inputs times classes are too many to pay.
pub(crate) const MOST_LINEAR: usize = 1 << 15;

/// Memory that a member works in. What `predict` leaves there, `learn` may use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    pub(crate) basis: Vec<f64>,
    pub(crate) gain: Vec<f64>,
    pub(crate) hidden: Vec<f32>,
    pub(crate) scores: Vec<f32>,
    pub(crate) errors: Vec<f32>,
    pub(crate) places: Vec<(u32, f32)>,
    pub(crate) found: Vec<Found>,
    /// For members that are learners.
    pub(crate) trees: ForestWork,
    pub(crate) answer: Prediction,
}

/// A classifier on shared inputs.
pub(crate) trait Member {
    /// Follows the inputs and classes and says how many bytes it holds from now on at most; `None` if that is more than
    /// `room` (and then it is not used any more).
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize>;

    /// Operations an event, to predict and to learn it, by the [`budget`](crate::budget)'s measure.
    fn operations(&self, shape: &Shape) -> usize;

    /// Whether there is anything for it to do.
    fn wanted(&self, _shape: &Shape) -> bool {
        true
    }

    /// The columns' kinds from now on, for those that look at rows as they are.
    fn grow(&mut self, _kinds: &[Kind]) {}

    /// Makes anew what is not saved.
    fn wake(&mut self) {}

    /// A probability for each class; there are at least two.
    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]);

    /// Learns a row that was just predicted: `said` and `work` are of that. `weight` lies within 0.001..=10.
    fn learn(&mut self, x: &Encoded, work: &mut Work, said: &[f64], class: usize, weight: f64);

    /// Predicts each row, of at least one, and then learns it. `said`: as many numbers a row as there are classes.
    fn study(&mut self, rows: &[Encoded], classes: &[usize], work: &mut Work, said: &mut [f64]) {
        let width = said.len() / classes.len().max(1);
        for ((x, &class), said) in rows.iter().zip(classes).zip(said.chunks_exact_mut(width)) {
            self.predict(x, work, said);
            self.learn(x, work, said, class, 1.0);
        }
    }

    /// Bytes held.
    fn bytes(&self) -> usize;

    /// What predicting needs of it.
    fn served(&mut self) -> Self;

    /// Whether its parts fit together and to the shape: what was read back may be anything.
    fn is_sound(&self, shape: &Shape) -> bool;
}

/// Turns scores into probabilities.
pub(crate) fn softmax(scores: &mut [f64]) {
    let top = scores.iter().fold(f64::NEG_INFINITY, |top, s| top.max(*s));
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        *s = maths::exp(*s - top);
        sum += *s;
    }
    // The greatest counts 1, so the sum is at least that, unless a score is no number.
    if sum.is_finite() && sum > 0.0 {
        scores.iter_mut().for_each(|s| *s /= sum);
    } else {
        let equal = 1.0 / scores.len() as f64;
        scores.fill(equal);
    }
}

/// What is missing of each probability to the truth.
pub(crate) fn errors(said: &[f64], class: usize, weight: f64, errors: &mut Vec<f32>) {
    errors.clear();
    errors.extend(said.iter().enumerate().map(|(k, p)| (weight * (f64::from(u8::from(k == class)) - p)) as f32));
}

/// Any of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum AnyMember {
    Prior(Prior),
    LabelChain(LabelChain),
    Softmax(Softmax),
    NeuralNet(NeuralNet),
    Newton(Newton),
    Cosines(Cosines),
    Knn(Knn),
    Hashed(Hashed),
    Forest(Box<Forest>),
}

macro_rules! each {
    ($self:expr, $member:ident => $call:expr) => {
        match $self {
            AnyMember::Prior($member) => $call,
            AnyMember::LabelChain($member) => $call,
            AnyMember::Softmax($member) => $call,
            AnyMember::NeuralNet($member) => $call,
            AnyMember::Newton($member) => $call,
            AnyMember::Cosines($member) => $call,
            AnyMember::Knn($member) => $call,
            AnyMember::Hashed($member) => $call,
            AnyMember::Forest($member) => $call,
        }
    };
}

impl AnyMember {
    /// Whether both are of the same kind.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// A copy with what predicting needs.
    pub(crate) fn served(&mut self) -> Self {
        match self {
            Self::Prior(m) => Self::Prior(m.served()),
            Self::LabelChain(m) => Self::LabelChain(m.served()),
            Self::Softmax(m) => Self::Softmax(m.served()),
            Self::NeuralNet(m) => Self::NeuralNet(m.served()),
            Self::Newton(m) => Self::Newton(m.served()),
            Self::Cosines(m) => Self::Cosines(m.served()),
            Self::Knn(m) => Self::Knn(m.served()),
            Self::Hashed(m) => Self::Hashed(m.served()),
            Self::Forest(m) => Self::Forest(Box::new(m.served())),
        }
    }

    pub(crate) fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        each!(self, m => m.fit(shape, room))
    }

    pub(crate) fn operations(&self, shape: &Shape) -> usize {
        each!(self, m => m.operations(shape))
    }

    pub(crate) fn grow(&mut self, kinds: &[Kind]) {
        each!(self, m => m.grow(kinds))
    }

    pub(crate) fn wake(&mut self) {
        each!(self, m => m.wake())
    }

    pub(crate) fn wanted(&self, shape: &Shape) -> bool {
        each!(self, m => m.wanted(shape))
    }

    pub(crate) fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        each!(self, m => m.predict(x, work, said))
    }

    pub(crate) fn learn(&mut self, x: &Encoded, work: &mut Work, said: &[f64], class: usize, weight: f64) {
        each!(self, m => m.learn(x, work, said, class, weight))
    }

    pub(crate) fn study(&mut self, rows: &[Encoded], classes: &[usize], work: &mut Work, said: &mut [f64]) {
        each!(self, m => m.study(rows, classes, work, said))
    }

    pub(crate) fn bytes(&self) -> usize {
        each!(self, m => m.bytes())
    }

    pub(crate) fn is_sound(&self, shape: &Shape) -> bool {
        each!(self, m => m.is_sound(shape))
    }
}
