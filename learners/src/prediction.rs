//! What a model says about a row.

use features::ClassId;

/// One answer. Classification fills `probabilities`, regression `value`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// One probability a class, summing to 1; classes beyond the end have 0; empty = the model knows no class yet.
    pub probabilities: Vec<f64>,
    /// The predicted number; 0 before the first label.
    pub value: f64,
}

impl Prediction {
    /// Forgets the answer, keeps the memory.
    pub fn clear(&mut self) {
        self.probabilities.clear();
        self.value = 0.0;
    }

    /// Takes over another answer, keeps the memory.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.probabilities.clone_from(&other.probabilities);
        self.value = other.value;
    }

    /// The most probable class; the lowest among equals; `None` if no class is known.
    pub fn class(&self) -> Option<ClassId> {
        let mut best = 0;
        for (i, p) in self.probabilities.iter().enumerate() {
            if *p > self.probabilities[best] {
                best = i;
            }
        }
        (!self.probabilities.is_empty()).then_some(ClassId(best as u32))
    }

    /// Turns non-negative scores (one a class) into probabilities. All zero or not finite: equal ones.
    pub fn normalise(&mut self) {
        normalise(&mut self.probabilities);
    }
}

/// Brings shares to the sum 1.
pub(crate) fn normalise(shares: &mut [f64]) {
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 && sum.is_finite() {
        shares.iter_mut().for_each(|p| *p /= sum);
    } else {
        shares.fill(1.0 / shares.len() as f64);
    }
}

/// Memory that predictions use again and again; one a thread. Its content means nothing between calls.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// Threads that a learner of many members may spread a batch over; none and one are the same.
    pub threads: usize,
    /// Numbers.
    pub numbers: Vec<f64>,
    /// More numbers.
    pub more: Vec<f64>,
    pub(crate) prediction: Prediction,
    pub(crate) committee: Box<crate::committee::Room>,
    pub(crate) committee_batch: crate::committee::batch::Batch,
    pub(crate) visit: crate::hoeffding_tree::Visit,
    pub(crate) forest: crate::forest::ForestWork,
    pub(crate) ensemble: crate::ensemble::Room,
    pub(crate) forecaster: Box<crate::forecaster::Room>,
    pub(crate) forecaster_batch: crate::forecaster::batch::Batch,
}
