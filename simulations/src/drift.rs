//! A change of the world: the truth that never stands in the events.

use serde::{Deserialize, Serialize};

/// How the world changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// From one event to the next.
    Abrupt,
    /// For a while events of the old and the new world come mixed, ever more of the new one.
    Gradual,
    /// The old world turns into the new one step by step.
    Incremental,
    /// From one event to the next, back to a world that was there before.
    Recurring,
}

/// A change of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The `id` of the first event that may be of the new world.
    pub at_event: u64,
    /// For a gradual or incremental change: the first event that is wholly of the new world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<u64>,
    /// How it changes.
    pub kind: DriftKind,
    /// What holds from then on.
    pub concept: String,
}
