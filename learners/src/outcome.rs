//! What a model had said about a row, held against its label.

use features::{ClassId, Target};

use crate::Prediction;

/// A prediction made before its label was seen, reduced to what scoring needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Classification.
    Class {
        /// The predicted class, if any was known.
        predicted: Option<ClassId>,
        /// Its probability.
        confidence: f64,
        /// The probability given to the true class.
        p_true: f64,
    },
    /// Regression: the predicted number.
    Value(f64),
}

impl Outcome {
    /// Holds `prediction` against `target`.
    pub fn of(prediction: &Prediction, target: Target) -> Self {
        match target {
            Target::Value(_) => Self::Value(prediction.value),
            Target::Class(truth) => {
                let p = |class: ClassId| prediction.probabilities.get(class.0 as usize).copied().unwrap_or(0.0);
                let predicted = prediction.class();
                Self::Class { predicted, confidence: predicted.map_or(0.0, p), p_true: p(truth) }
            }
        }
    }
}
