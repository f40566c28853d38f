//! What every model can do.

use features::{Kind, Row, Rows, Target};

use crate::{AnyLearner, Outcome, Prediction, RestoreError, Scratch, Section};

/// An incremental model. It cannot fail: rows and targets were checked at the edge.
///
/// Everything it does is a function of what it learned, in order. The schema may grow between calls; a row may be
/// shorter than the schema (the rest is missing) and hold missing values (NaN), unseen categories and huge numbers.
/// A learner gets targets of its own task only.
pub trait Learner: Clone + Send + Sync {
    /// The columns' kinds from now on. Only ever appended to, but for `Unknown`, which becomes a kind once.
    fn grow(&mut self, kinds: &[Kind]);

    /// Learns one labelled row with a weight > 0.
    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64);

    /// Predicts. Pure: the same state and row give the same bits. No allocation once `scratch` and `out` are warm.
    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction);

    /// Predicts a row whose label comes later, and appends to `memory` what is to be kept with it until then: what was
    /// known when it was predicted, which is what it must be learned with. Most learners need nothing.
    fn remember(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction, memory: &mut Vec<f64>) {
        let _ = memory;
        self.predict_into(row, scratch, out);
    }

    /// Learns a row with what [`Learner::remember`] kept.
    fn learn_remembered(&mut self, row: &Row<'_>, memory: &[f64], target: Target, weight: f64) {
        let _ = memory;
        self.learn(row, target, weight);
    }

    /// How many numbers `remember` appends at most: so many, and so many more a class.
    fn memory(&self) -> (usize, usize) {
        (0, 0)
    }

    /// Predicts a row into `out`, then learns it: the same bits as the two calls. A learner overrides it where both can
    /// share work.
    fn predict_then_learn(
        &mut self,
        row: &Row<'_>,
        target: Target,
        weight: f64,
        scratch: &mut Scratch,
        out: &mut Prediction,
    ) {
        self.predict_into(row, scratch, out);
        self.learn(row, target, weight);
    }

    /// For each row: predicts, notes the outcome, learns. The same bits as calling the two one after the other; a
    /// learner overrides it where both can share work.
    fn test_then_train(&mut self, rows: &Rows, scratch: &mut Scratch, outcomes: &mut Vec<Outcome>) {
        let mut prediction = std::mem::take(&mut scratch.prediction);
        for (row, target) in rows.iter() {
            self.predict_then_learn(&row, target, 1.0, scratch, &mut prediction);
            outcomes.push(Outcome::of(&prediction, target));
        }
        scratch.prediction = prediction;
    }

    /// Bytes held, counted from lengths (never from capacities or the allocator).
    fn bytes(&self) -> usize;

    /// Appends the saved form: sections whose names are unique within this learner.
    fn save(&self, out: &mut Vec<Section>);

    /// Takes over the state that [`Learner::save`] wrote; `self` is freshly built from the same specification.
    ///
    /// # Errors
    /// A section that is missing, of an unknown version, or unreadable.
    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError>;
}

/// An immutable copy of a learner as it was at one moment, for serving: predicts the same bits, learns nothing.
#[derive(Clone, Debug)]
pub struct Snapshot(AnyLearner);

impl Snapshot {
    pub(crate) fn new(learner: AnyLearner) -> Self {
        Self(learner)
    }

    /// Predicts as the learner did at that moment.
    pub fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        self.0.predict_into(row, scratch, out);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }
}
