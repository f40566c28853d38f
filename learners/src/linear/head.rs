//! From a linear model's scores to an answer, and from the label to the gradient.

use features::{ClassId, Target, Task};
use serde::{Deserialize, Serialize};

use super::moments::Moments;
use crate::Prediction;

/// Softmax over the classes, whose class 0 always scores 0 (two classes: one logistic regression); or one number in
/// units of the target's own running deviation, answered within the range of the labels seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    task: Task,
    classes: usize,
    target: Moments,
    low: f64,
    high: f64,
}

impl Head {
    /// Nothing seen yet.
    pub fn new(task: Task) -> Self {
        Self { task, classes: 0, target: Moments::default(), low: f64::INFINITY, high: f64::NEG_INFINITY }
    }

    /// How many scores it takes.
    pub fn outputs(&self) -> usize {
        match self.task {
            Task::Classification => self.classes.saturating_sub(1),
            Task::Regression => 1,
        }
    }

    /// Whether there is one class more than scores, which always scores 0.
    pub fn has_fixed_class(&self) -> bool {
        self.task == Task::Classification
    }

    /// How many scores it would take once this label is known.
    pub fn outputs_with(&self, target: Target) -> usize {
        match target {
            Target::Class(ClassId(class)) => self.outputs().max(class as usize),
            Target::Value(_) => 1,
        }
    }

    /// The greatest curvature of the loss over a score.
    pub fn curvature(&self) -> f64 {
        match self.task {
            Task::Classification => 0.25,
            Task::Regression => 1.0,
        }
    }

    /// Makes room for the label's class.
    pub fn admit(&mut self, target: Target) {
        if let Target::Class(ClassId(class)) = target {
            self.classes = self.classes.max(class as usize + 1);
        }
    }

    /// The answer to these scores.
    pub fn answer(&self, scores: &[f64], out: &mut Prediction) {
        out.clear();
        match self.task {
            Task::Regression if self.low <= self.high => {
                out.value = self.target.restore(scores[0]).max(self.low).min(self.high);
            }
            Task::Regression => {}
            Task::Classification if self.classes == 0 => {}
            Task::Classification => {
                let top = scores.iter().fold(0.0_f64, |top, &s| top.max(s));
                let share = |s: f64| if s == top { 1.0 } else { libm::exp(s - top) };
                out.probabilities.push(share(0.0));
                out.probabilities.extend(scores.iter().map(|&s| share(s)));
                out.normalise();
            }
        }
    }

    /// The loss's gradient over score `output`, given the answer to the scores.
    pub fn gradient(&self, output: usize, scores: &[f64], answer: &Prediction, target: Target) -> f64 {
        match target {
            Target::Value(y) => scores[output] - self.target.standardise(y),
            Target::Class(ClassId(class)) => {
                answer.probabilities[output + 1] - f64::from(u8::from(class as usize == output + 1))
            }
        }
    }

    /// Learns the label's range and spread.
    pub fn learn(&mut self, target: Target) {
        if let Target::Value(y) = target {
            self.target.update(y);
            self.low = self.low.min(y);
            self.high = self.high.max(y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_are_a_logistic_regression() {
        let mut head = Head::new(Task::Classification);
        let mut out = Prediction::default();
        head.answer(&[], &mut out);
        assert_eq!(out.class(), None);
        head.admit(Target::Class(ClassId(0)));
        head.answer(&[], &mut out);
        assert_eq!(out.probabilities, [1.0]);
        head.admit(Target::Class(ClassId(1)));
        for s in [-800.0, -1.3, 0.0, 0.7, 800.0] {
            head.answer(&[s], &mut out);
            assert!((out.probabilities[1] - 1.0 / (1.0 + libm::exp(-s))).abs() < 1e-15);
        }
        let hit = head.gradient(0, &[800.0], &out, Target::Class(ClassId(1)));
        let miss = head.gradient(0, &[800.0], &out, Target::Class(ClassId(0)));
        assert_eq!((hit, miss), (0.0, 1.0));
    }

    #[test]
    fn a_number_is_answered_within_the_range_seen() {
        let mut head = Head::new(Task::Regression);
        let mut out = Prediction::default();
        head.answer(&[3.0], &mut out);
        assert_eq!(out.value, 0.0);
        [1.0, 2.0, 3.0].iter().for_each(|&y| head.learn(Target::Value(y)));
        head.answer(&[0.0], &mut out);
        assert!((out.value - 2.0).abs() < 1e-12);
        head.answer(&[1e9], &mut out);
        assert_eq!(out.value, 3.0);
    }
}
