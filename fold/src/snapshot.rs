//! The model as it was at one version, for serving: immutable, and whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use features::{EventTime, NextOffset, PartitionId, Row, Schema};
use learners::{Evidence, Incident, InputShare, Member, Prediction, Scratch, Signal};
use serde::{Deserialize, Serialize};

use crate::{Happening, LateReport};

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
    /// Its name: its specification as text, with `#2` and so on behind it if an earlier learner had the same.
    pub learner: String,
    /// What it is.
    pub role: Role,
    /// Events learned from when it was born.
    pub since: u64,
    /// Its scores.
    #[serde(flatten)]
    pub report: LateReport,
    /// Whether its loss has drifted.
    pub verdict: Signal,
    /// How often it has drifted.
    pub drifts: u64,
    /// Its latest drift.
    pub incident: Option<Incident>,
    /// What speaks for promoting it, if it is a challenger; enough is `evidence_needed`.
    pub evidence: Option<Evidence>,
    /// The `log_e` at which it is promoted.
    pub evidence_needed: Option<f64>,
    /// Bytes it holds.
    pub bytes: usize,
    /// What each member of an ensemble counts for; empty for others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// The inputs that its linear parts go by most, the first ones; empty where nothing is linear.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputShare>,
}

/// Inputs that are told of a learner.
pub(crate) const INPUTS: usize = 20;

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

/// What became of labels that come later than their events, and of the rows that wait for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCounts {
    /// Rows waiting now.
    pub waiting: u64,
    /// Labels that found their row.
    pub joined: u64,
    /// Rows that waited too long, or for which there was no room.
    pub expired: u64,
    /// Labels that came before their event and wait for it now.
    pub early: u64,
    /// Labels that came after their row had expired: not learned.
    pub late: u64,
    /// Labels that repeat what was learned: passed over.
    pub duplicate: u64,
    /// Labels for a row already learned that say something else: passed over, the first one counts.
    pub changed: u64,
    /// Labels that never met an event: forgotten after as long, or as many, as a row would wait.
    pub orphan: u64,
    /// Events whose id was seen before: neither predicted nor learned, the first one counts.
    pub repeated: u64,
}

/// Which model is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Live {
    /// The champion.
    #[default]
    Follow,
    /// The model as it was at this version.
    Pinned(u64),
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
    /// The latest happenings, the oldest first.
    pub happenings: Arc<[Happening]>,
    /// Which model is to be served: this one, or a pinned one.
    pub live: Live,
    /// What became of labels that come later.
    pub labels: LabelCounts,
    /// How well what was served to requests with an id did, where that is scored.
    pub served: Option<LateReport>,
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
