//! Records on their way through the fold: decoded, not yet learned.

use std::sync::Arc;

use features::{EventTime, Kind, Reject, Rows, Schema};
use learners::Outcome;

use crate::happening::Moment;
use crate::told::{Asked, Told};
use crate::waiting::Ready;

/// A record that could not be learned from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the batch.
    pub index: usize,
    /// Why.
    pub reason: Reject,
}

/// Rows of one width: the schema grew before the first of them, or not at all.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) grown: Option<Vec<Kind>>,
    pub(crate) rows: Rows,
}

/// What a learner does where labels come later, in order.
#[derive(Debug)]
pub(crate) enum Step {
    /// The columns' kinds from now on.
    Grow(Vec<Kind>),
    /// Predicts a row that begins to wait.
    Predict(u64),
    /// Is scored for a row, and learns from it.
    Learn(Ready),
}

/// The rows of a batch between [`crate::Fold::decode`] and [`crate::Fold::train`]; the memory is used again.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Version and events before the batch.
    pub(crate) began: (u64, u64),
    segments: Vec<Segment>,
    /// Only where labels come later; there are no segments then.
    pub(crate) steps: Vec<Step>,
    used: usize,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) learned: Vec<usize>,
    pub(crate) outcomes: Vec<Option<Outcome>>,
    /// The events that are to be told of, and the schema that names their classes.
    pub(crate) asked: Vec<Asked>,
    pub(crate) schema: Option<Arc<Schema>>,
    pub(crate) told: Told,
}

impl Chunk {
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.steps.clear();
        self.rejected.clear();
        self.learned.clear();
        self.outcomes.clear();
        self.asked.clear();
        self.schema = None;
        self.told.said.clear();
        self.told.scored.clear();
    }

    /// Rows to push to: a new segment if the schema grew (or for the first row).
    pub(crate) fn rows(&mut self, width: usize, grown: Option<Vec<Kind>>) -> &mut Rows {
        if self.used == 0 || grown.is_some() {
            if self.used == self.segments.len() {
                self.segments.push(Segment::default());
            }
            let segment = &mut self.segments[self.used];
            segment.grown = grown;
            segment.rows.reset(width);
            self.used += 1;
        }
        &mut self.segments[self.used - 1].rows
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments[..self.used]
    }

    /// Records that go to the dead letters.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Takes them out.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    /// Places in the batch of the records whose label was learned, in order; one record may bring several.
    pub fn learned(&self) -> &[usize] {
        &self.learned
    }

    /// The moment of the label that was learned at this place of the chunk.
    pub(crate) fn moment(&self, place: usize, at: EventTime) -> Moment {
        let (version, events) = self.began;
        Moment { version: version + self.learned[place] as u64 + 1, events: events + place as u64 + 1, at }
    }

    /// After training: what [`crate::Fold::tell`] asked for.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// The schema that names the classes of what is told; `None` if nothing is said.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        self.schema.as_ref()
    }

    /// After training: what the champion had said about each of them; `None`: it was not asked when the event passed.
    pub fn outcomes(&self) -> &[Option<Outcome>] {
        &self.outcomes
    }
}
