//! What is told of a batch beside the state that it makes: what the champion said about each event as it passed, and how
//! every learner stands after fixed numbers of events. None of it is state: who asks for it changes nothing that is learned.

use std::sync::Arc;

use features::{ClassId, EventTime, Target};
use learners::{Outcome, Prediction};

use crate::Standing;

/// What is to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tell {
    /// What the champion said about each event.
    pub predictions: bool,
    /// How every learner stands, each time so many more events have been learned from.
    pub scores_every: Option<u64>,
}

/// An answer, reduced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// The most probable class, if one is known yet, and its probability.
    Class(Option<ClassId>, f64),
    /// The predicted number.
    Value(f64),
}

impl Answer {
    /// The reduced form of a prediction.
    pub(crate) fn of(prediction: &Prediction, is_class: bool) -> Self {
        if !is_class {
            return Self::Value(prediction.value);
        }
        let class = prediction.class();
        let p = class.and_then(|class| prediction.probabilities.get(class.0 as usize));
        Self::Class(class, p.copied().unwrap_or_default())
    }
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Class { predicted, confidence, .. } => Self::Class(predicted, confidence),
            Outcome::Value(value) => Self::Value(value),
        }
    }
}

/// What the champion said about an event before anything of it was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The event's id; `topic/partition/offset` if it brings none.
    pub id: String,
    /// The version of its record.
    pub version: u64,
    /// Its time.
    pub at: EventTime,
    /// The champion's name.
    pub learner: Arc<str>,
    /// What it said; `None`: the row had to leave before it was asked.
    pub answer: Option<Answer>,
    /// The event's label, if it came with it.
    pub label: Option<Target>,
}

/// How the learners stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The version of the record whose label was learned last.
    pub version: u64,
    /// Events learned from.
    pub events: u64,
    /// The time of the row that was learned last.
    pub at: EventTime,
    /// Each learner, the champion first. Their bytes are those at the end of the batch.
    pub standings: Vec<Standing>,
}

/// What is told of one batch, in order.
#[derive(Debug, Default)]
pub struct Told {
    /// What was said.
    pub said: Vec<Said>,
    /// How things stood.
    pub scored: Vec<Scored>,
}

/// An event that is to be told of, between reading and learning.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its place in the batch.
    pub(crate) index: usize,
    pub(crate) id: String,
    pub(crate) at: EventTime,
    pub(crate) label: Option<Target>,
}

impl Asked {
    /// What was said about it, in a batch that began at `began`.
    pub(crate) fn said(&self, began: u64, learner: &Arc<str>, answer: Option<Answer>) -> Said {
        let Self { index, id, at, label } = self;
        let version = began + *index as u64 + 1;
        Said { id: id.clone(), version, at: *at, learner: Arc::clone(learner), answer, label: *label }
    }
}
