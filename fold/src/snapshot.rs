//! The model as it was at one version, for serving: immutable, and whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use features::{EventTime, NextOffset, PartitionId, Row, Schema};
use learners::{Prediction, Report, Scratch, Signal};
use serde::{Deserialize, Serialize};

/// How far each partition has been folded.
pub type Position = BTreeMap<PartitionId, NextOffset>;

/// What a learner is in its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It serves.
    Champion,
    /// It learns beside.
    Challenger,
    /// It is what any model must beat.
    Baseline,
}

/// How one learner stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Its specification as text.
    pub learner: String,
    /// What it is.
    pub role: Role,
    /// Its scores.
    #[serde(flatten)]
    pub report: Report,
    /// Whether its loss has drifted.
    pub verdict: Signal,
    /// How often it has drifted.
    pub drifts: u64,
    /// Bytes it holds.
    pub bytes: usize,
}

/// What became of the records folded so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events learned from.
    pub events: u64,
    /// Records sent to the dead letters.
    pub rejected: u64,
    /// Records without a payload.
    pub tombstones: u64,
    /// Values that counted as missing: of another kind than their field's, or beyond a limit.
    pub unusable_values: u64,
}

/// The model at one version.
#[derive(Clone, Debug)]
pub struct ModelSnapshot {
    /// Records and decisions folded.
    pub version: u64,
    /// The serving learner's specification as text.
    pub learner: String,
    /// Its columns and classes.
    pub schema: Arc<Schema>,
    /// The serving learner.
    pub model: learners::Snapshot,
    /// Every learner's standing, the champion's first.
    pub standings: Vec<Standing>,
    /// How far the log was folded.
    pub position: Position,
    /// What became of the records.
    pub counts: Counts,
    /// The newest event's time.
    pub last_event: EventTime,
}

impl ModelSnapshot {
    /// Predicts as the model did at its version.
    pub fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        self.model.predict_into(row, scratch, out);
    }
}
