//! A block of rows as they were when their events passed, and what each learner said about them.

use std::collections::BTreeMap;

use features::{EntityId, EventTime, Row, Target};
use serde::{Deserialize, Serialize};

use super::Id;
use super::blocks::Content;

/// What is known of a row beside its values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) at: EventTime,
    pub(super) entity: EntityId,
    /// The newest event time when the row came.
    pub(super) since: EventTime,
    /// Its name, where labels come on a topic.
    pub(super) id: Option<Id>,
    /// Its own label, where that is held back.
    pub(super) own: Option<Target>,
    /// Bytes that it counts for.
    pub(super) bytes: u32,
    /// Where its values end among those of the block.
    end: u32,
}

/// Rows one after the other.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Rows {
    heads: Vec<Head>,
    values: Vec<f64>,
    /// By learner.
    answers: BTreeMap<u32, Answers>,
}

/// What one learner said about the rows it was asked about.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answers {
    rows: Vec<u16>,
    /// Where the numbers of each answer end: the value, or the probabilities.
    ends: Vec<u32>,
    numbers: Vec<f64>,
}

impl Content for Rows {
    fn len(&self) -> usize {
        self.heads.len()
    }
}

impl Rows {
    pub(super) fn push(&mut self, values: &[f64], mut head: Head) {
        // One spelling of missing, whatever made it.
        self.values.extend(values.iter().map(|x| if x.is_nan() { f64::NAN } else { *x }));
        head.end = self.values.len() as u32;
        self.heads.push(head);
    }

    pub(super) fn head(&self, i: usize) -> &Head {
        &self.heads[i]
    }

    pub(super) fn row(&self, i: usize) -> Row<'_> {
        let from = i.checked_sub(1).map_or(0, |before| self.heads[before].end as usize);
        let head = &self.heads[i];
        Row { values: &self.values[from..head.end as usize], at: head.at, entity: head.entity }
    }

    /// Notes what a learner said about row `i`; each learner speaks about one row after the other.
    pub(super) fn answer(&mut self, i: usize, learner: u32, numbers: &[f64]) {
        let answers = self.answers.entry(learner).or_default();
        debug_assert!(answers.rows.last().is_none_or(|last| usize::from(*last) < i), "row after row");
        answers.rows.push(i as u16);
        answers.numbers.extend_from_slice(numbers);
        answers.ends.push(answers.numbers.len() as u32);
    }

    /// What a learner said about row `i`.
    pub(super) fn answered(&self, i: usize, learner: u32) -> Option<&[f64]> {
        let answers = self.answers.get(&learner)?;
        let place = answers.rows.binary_search(&(i as u16)).ok()?;
        let from = place.checked_sub(1).map_or(0, |before| answers.ends[before] as usize);
        Some(&answers.numbers[from..answers.ends[place] as usize])
    }
}

impl Head {
    pub(super) fn new(row: &Row<'_>, since: EventTime, id: Option<Id>, own: Option<Target>, bytes: u32) -> Self {
        Self { at: row.at, entity: row.entity, since, id, own, bytes, end: 0 }
    }
}
