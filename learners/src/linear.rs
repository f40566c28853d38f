//! Linear models: logistic regression (softmax for more than two classes) and least squares, learned step by step.
//!
//! Inputs are standardised as they come, so neither scale nor offset of a column matters; categories are one-hot. What
//! tells the members of the family apart is their update rule.

mod adaptive;
mod encoder;
mod head;
mod moments;
#[cfg(test)]
mod tests;
mod weights;

use std::fmt::Debug;

use features::{Kind, Row, Rows, Target, Task};

pub use self::adaptive::Adaptive;
use self::{encoder::Encoder, head::Head, weights::Weights};
use crate::explain::Sizes;
use crate::{Learner, Outcome, Params, Prediction, RestoreError, Scratch, Section, SpecError};

/// The layouts of the saved sections.
const ENCODER_VERSION: u16 = 1;
const HEAD_VERSION: u16 = 1;
const WEIGHTS_VERSION: u16 = 1;

/// A greater weight of an event counts as this.
const MOST_WEIGHT: f64 = 1e6;

/// How one output's weights move. `N` numbers are kept per weight, the first is the weight itself, all begin at 0.
pub trait Rule<const N: usize>: Clone + Debug + Send + Sync {
    /// Moves the numbers of one output, one per input. `gradient` is the loss's over the score, at most `curvature` its
    /// change per score; `steps` is memory to work in, as long as `inputs`.
    fn step(
        &self,
        inputs: &[f64],
        numbers: [&mut [f64]; N],
        steps: &mut [f64],
        gradient: f64,
        curvature: f64,
        weight: f64,
    );
}

/// Logistic and linear regression with adaptive, damped steps.
pub type Linear = LinearModel<Adaptive, 2>;

/// A linear model and its update rule.
///
/// Memory: about 100 bytes a column and 8 · `N` per weight; categories get weights while they fill at most half the
/// budget, classes and columns while they fit in it. What got none is not learned from.
#[derive(Clone, Debug)]
pub struct LinearModel<R, const N: usize> {
    rule: R,
    max_bytes: usize,
    encoder: Encoder,
    head: Head,
    weights: Weights<N>,
    work: Work,
}

/// Memory used again and again while learning; no part of the state.
#[derive(Clone, Debug, Default)]
struct Work {
    inputs: Vec<f64>,
    steps: Vec<f64>,
    scores: Vec<f64>,
    answer: Prediction,
}

impl Linear {
    pub(crate) fn build(params: &Params<'_>, task: Task) -> Result<Self, SpecError> {
        let usual = if task == Task::Classification { 0.5 } else { 0.2 };
        let rate = params.number("rate", usual, 1e-4, 100.0)?;
        let memory = params.number("memory", 5000.0, 10.0, 1e12)?;
        Ok(Self::new(Adaptive::new(rate, memory), task, params.max_bytes()?))
    }
}

impl<R: Rule<N>, const N: usize> LinearModel<R, N> {
    /// A model that has seen nothing and will hold at most `max_bytes`.
    pub fn new(rule: R, task: Task, max_bytes: usize) -> Self {
        let (encoder, head) = (Encoder::default(), Head::new(task));
        let weights = Weights::new(encoder.inputs(), head.outputs());
        Self { rule, max_bytes, encoder, head, weights, work: Work::default() }
    }

    fn bytes_with(&self, outputs: usize) -> usize {
        let (inputs, slots) = (self.encoder.inputs(), self.encoder.slots());
        size_of::<Self>()
            + self.encoder.bytes()
            + inputs * Self::WORK_BYTES
            + Weights::<N>::bytes_of(inputs, outputs, slots)
    }

    /// `Work` per input.
    const WORK_BYTES: usize = 2 * size_of::<f64>();

    /// How much its weights say about each column.
    pub(crate) fn sizes(&self) -> Sizes {
        let mut sizes = Sizes::new(self.encoder.inputs() - 1);
        self.weights.measure(&self.encoder, self.head.has_fixed_class(), &mut sizes);
        sizes
    }

    fn answer(&self, row: &Row<'_>, inputs: &mut Vec<f64>, scores: &mut Vec<f64>, answer: &mut Prediction) {
        self.encoder.encode(row, inputs);
        self.weights.scores(inputs, &self.encoder, row, scores);
        self.head.answer(scores, answer);
    }

    /// Learns a row that was just answered in `work`.
    fn learn_answered(&mut self, work: &mut Work, row: &Row<'_>, target: Target, weight: f64) {
        let outputs = self.head.outputs_with(target);
        if outputs > self.head.outputs() && self.bytes_with(outputs) > self.max_bytes {
            return;
        }
        self.head.admit(target);
        if outputs != work.scores.len() {
            self.fit();
            work.scores.resize(outputs, 0.0);
            self.head.answer(&work.scores, &mut work.answer);
        }
        for (input, _) in self.encoder.active(row) {
            work.inputs[input] = 1.0;
        }
        work.steps.resize(work.inputs.len(), 0.0);
        let (weight, curvature) = (weight.min(MOST_WEIGHT), self.head.curvature());
        for output in 0..outputs {
            let gradient = self.head.gradient(output, &work.scores, &work.answer, target);
            self.weights.update(output, &self.encoder, row, |numbers| {
                self.rule.step(&work.inputs, numbers, &mut work.steps, gradient, curvature, weight);
            });
        }
        let slots = self.encoder.slots();
        let room = (self.max_bytes / 2).saturating_sub(self.bytes());
        self.encoder.learn(row, room, N * size_of::<f64>() * outputs);
        if self.encoder.slots() != slots {
            self.fit();
        }
        self.head.learn(target);
    }

    fn fit(&mut self) {
        self.weights.fit(self.encoder.inputs(), self.head.outputs(), self.encoder.slots());
    }
}

impl<R: Rule<N>, const N: usize> Learner for LinearModel<R, N> {
    fn grow(&mut self, kinds: &[Kind]) {
        let column = Encoder::COLUMN_BYTES + Self::WORK_BYTES + Weights::<N>::bytes_of(1, self.head.outputs(), 0);
        let more = self.max_bytes.saturating_sub(self.bytes()) / column;
        self.encoder.grow(kinds, self.encoder.inputs() - 1 + more);
        self.fit();
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        let mut work = std::mem::take(&mut self.work);
        self.answer(row, &mut work.inputs, &mut work.scores, &mut work.answer);
        self.learn_answered(&mut work, row, target, weight);
        self.work = work;
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        self.answer(row, &mut scratch.numbers, &mut scratch.more, out);
    }

    fn test_then_train(&mut self, rows: &Rows, _scratch: &mut Scratch, outcomes: &mut Vec<Outcome>) {
        let mut work = std::mem::take(&mut self.work);
        for (row, target) in rows.iter() {
            self.answer(&row, &mut work.inputs, &mut work.scores, &mut work.answer);
            outcomes.push(Outcome::of(&work.answer, target));
            self.learn_answered(&mut work, &row, target, 1.0);
        }
        self.work = work;
    }

    fn bytes(&self) -> usize {
        self.bytes_with(self.head.outputs())
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("encoder", ENCODER_VERSION, &self.encoder));
        out.push(Section::of("head", HEAD_VERSION, &self.head));
        out.push(Section::of("weights", WEIGHTS_VERSION, &self.weights.save()));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let encoder: Encoder = Section::read(sections, "encoder", ENCODER_VERSION)?;
        let head: Head = Section::read(sections, "head", HEAD_VERSION)?;
        let saved = Section::read(sections, "weights", WEIGHTS_VERSION)?;
        let corrupt = |name: &str, message: &str| RestoreError::Corrupt { name: name.into(), message: message.into() };
        if !encoder.is_sound() {
            return Err(corrupt("encoder", "its columns do not fit together"));
        }
        self.weights = Weights::restore(saved, encoder.inputs(), head.outputs(), encoder.slots())
            .ok_or_else(|| corrupt("weights", "they do not fit columns and classes"))?;
        (self.encoder, self.head) = (encoder, head);
        Ok(())
    }
}
