//! Records on their way through the fold: decoded, not yet learned.

use features::{Kind, Reject, Rows};
use learners::Outcome;

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

/// The rows of a batch between [`crate::Fold::decode`] and [`crate::Fold::train`]; the memory is used again.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Version and events before the batch.
    pub(crate) began: (u64, u64),
    segments: Vec<Segment>,
    used: usize,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) learned: Vec<usize>,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Chunk {
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.rejected.clear();
        self.learned.clear();
        self.outcomes.clear();
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

    /// Places in the batch of the records learned from, in order.
    pub fn learned(&self) -> &[usize] {
        &self.learned
    }

    /// After training: what the champion had said about each of them.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}
