//! The baselines that any model must beat: the last label again, the most frequent label, the mean.

use features::{ClassId, Kind, Row, Target};
use serde::{Deserialize, Serialize};

use crate::{Learner, Prediction, RestoreError, Scratch, Section};

/// Predicts the last label (class or value) again. Kappa-T measures against it.
///
/// Žliobaitė et al., Evaluation methods and decision theory for classification of streaming data, 2015.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoChange {
    last: Option<Target>,
}

impl Learner for NoChange {
    fn grow(&mut self, _kinds: &[Kind]) {}

    fn learn(&mut self, _row: &Row<'_>, target: Target, _weight: f64) {
        self.last = Some(target);
    }

    fn predict_into(&self, _row: &Row<'_>, _scratch: &mut Scratch, out: &mut Prediction) {
        out.clear();
        match self.last {
            None => {}
            Some(Target::Value(x)) => out.value = x,
            Some(Target::Class(ClassId(class))) => {
                out.probabilities.resize(class as usize + 1, 0.0);
                out.probabilities[class as usize] = 1.0;
            }
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("last", 1, self));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        *self = Section::read(sections, "last", 1)?;
        Ok(())
    }
}

/// Predicts each class by its share of the labels so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Majority {
    weights: Vec<f64>,
}

impl Learner for Majority {
    fn grow(&mut self, _kinds: &[Kind]) {}

    fn learn(&mut self, _row: &Row<'_>, target: Target, weight: f64) {
        let Target::Class(ClassId(class)) = target else { return };
        let class = class as usize;
        if self.weights.len() <= class {
            self.weights.resize(class + 1, 0.0);
        }
        self.weights[class] += weight;
    }

    fn predict_into(&self, _row: &Row<'_>, _scratch: &mut Scratch, out: &mut Prediction) {
        out.clear();
        if !self.weights.is_empty() {
            out.probabilities.extend_from_slice(&self.weights);
            out.normalise();
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.weights)
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("weights", 1, self));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        *self = Section::read(sections, "weights", 1)?;
        Ok(())
    }
}

/// Predicts the mean of the values so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Mean {
    weight: f64,
    mean: f64,
}

impl Learner for Mean {
    fn grow(&mut self, _kinds: &[Kind]) {}

    fn learn(&mut self, _row: &Row<'_>, target: Target, weight: f64) {
        let Target::Value(x) = target else { return };
        self.weight += weight;
        let share = weight / self.weight;
        // Not mean + share * (x - mean): the difference of two huge numbers may overflow.
        self.mean = self.mean * (1.0 - share) + x * share;
    }

    fn predict_into(&self, _row: &Row<'_>, _scratch: &mut Scratch, out: &mut Prediction) {
        out.clear();
        out.value = self.mean;
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("mean", 1, self));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        *self = Section::read(sections, "mean", 1)?;
        Ok(())
    }
}
