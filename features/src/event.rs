//! How a model's events are to be read: names and kinds; and why one cannot be.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Limits;

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of the classes.
    Classification,
    /// A number.
    Regression,
}

/// Where the label of an event's row comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSource {
    /// The event's target field, never a feature; an event without it is rejected.
    #[default]
    Event,
    /// The target field of a later event. The event's own, if it has one, labels earlier rows and is known when its own
    /// row is predicted: it is a feature too, unless `ignore` names it or `features` leaves it out.
    Later,
    /// A topic of labels. The event's own target field is neither label nor feature.
    Topic,
}

/// Where a new model begins in its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The oldest record kept.
    Earliest,
    /// Records to come.
    Latest,
    /// The first record at or after this time.
    Time(i64),
}

/// How events are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSpec {
    /// Classification or regression.
    pub task: Task,
    /// The field to predict.
    pub target: String,
    /// Where its value comes from.
    pub label: LabelSource,
    /// The field that holds the event's time (RFC 3339 text or epoch milliseconds); the record's own otherwise.
    pub time: Option<String>,
    /// The field that names the entity.
    pub entity: Option<String>,
    /// The field that names the event.
    pub id: Option<String>,
    /// The only fields to learn from, in this order; empty = every other scalar field.
    pub features: Vec<String>,
    /// Fields whose numbers are names.
    pub nominal: Vec<String>,
    /// Fields to leave out.
    pub ignore: Vec<String>,
    /// Bounds.
    pub limits: Limits,
}

impl EventSpec {
    /// Events with their label, of which every field but the target is learned from.
    pub fn new(task: Task, target: &str) -> Self {
        Self {
            task,
            target: target.to_owned(),
            label: LabelSource::Event,
            time: None,
            entity: None,
            id: None,
            features: Vec::new(),
            nominal: Vec::new(),
            ignore: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// Why a record cannot be learned from. It goes to the dead letters with this reason.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reject {
    /// More bytes than the limit.
    #[error("the record has {got} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Its size.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// Not a JSON object.
    #[error("not a JSON object: {0}")]
    Malformed(String),
    /// A number no model can use (infinite, beyond 64-bit floating point).
    #[error("field {field}: {got} is not a finite number")]
    ImpossibleNumber {
        /// Its name.
        field: String,
        /// What came.
        got: String,
    },
    /// The target is missing or null.
    #[error("field {0}: the target is missing")]
    NoTarget(String),
    /// The target is of the wrong kind.
    #[error("field {field}: expected {expected} as target, got {got}")]
    BadTarget {
        /// Its name.
        field: String,
        /// What the task needs.
        expected: String,
        /// What came.
        got: String,
    },
    /// The id of a label is missing, null or too long.
    #[error("field {field}: expected the id of an event (at most {limit} bytes), got {got}")]
    BadId {
        /// Its name.
        field: String,
        /// The limit of names.
        limit: usize,
        /// What came.
        got: String,
    },
    /// The time cannot be read.
    #[error("field {field}: expected RFC 3339 text or epoch milliseconds, got {got}")]
    BadTime {
        /// Its name.
        field: String,
        /// What came.
        got: String,
    },
}

impl Reject {
    /// A short stable name of the reason, for metrics and dead-letter headers.
    pub fn class(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Malformed(_) => "malformed",
            Self::ImpossibleNumber { .. } => "impossible_number",
            Self::NoTarget(_) => "no_target",
            Self::BadTarget { .. } => "bad_target",
            Self::BadId { .. } => "bad_id",
            Self::BadTime { .. } => "bad_time",
        }
    }
}
