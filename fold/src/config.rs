//! What decides the fold: the part of the configuration that is recorded in genesis.

use features::{EventSpec, Start};
use learners::LearnerSpec;
use serde::{Deserialize, Serialize};

/// Everything that decides what is learned. Two folds with equal configurations, journals and logs are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldConfig {
    /// The topics, in the order that numbers them.
    pub topics: Vec<String>,
    /// Where a new model begins in them.
    pub start: Start,
    /// How events are read.
    pub event: EventSpec,
    /// The learner that serves.
    pub learner: LearnerSpec,
    /// Learners that run beside it.
    pub challengers: Vec<LearnerSpec>,
    /// The seed of every learner that names none.
    pub seed: u64,
    /// The byte budget of every learner that names none.
    pub max_bytes: u64,
    /// The drift detector on each learner's loss.
    pub detector: String,
}
