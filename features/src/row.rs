//! Rows of numbers in contiguous storage: what learners read.

use serde::{Deserialize, Serialize};

use crate::EventTime;

/// The entity (sensor, ticker) that a row belongs to: a hash of its name; 0 = none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityId(pub u64);

/// The place of a class in the schema's dictionary of classes, in order of first sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClassId(pub u32);

/// What a row's label says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// Classification: one of the classes.
    Class(ClassId),
    /// Regression: a finite number.
    Value(f64),
}

/// One row. `values[i]` belongs to the schema's field `i`: a finite number, a category's index, or NaN = missing.
/// A row may be shorter than the schema (fields appended later are missing in it).
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// One number a field.
    pub values: &'a [f64],
    /// When the event happened.
    pub at: EventTime,
    /// Whose event it is.
    pub entity: EntityId,
}

/// Labelled rows of one width, stored one after the other.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    width: usize,
    values: Vec<f64>,
    at: Vec<EventTime>,
    entities: Vec<EntityId>,
    targets: Vec<Target>,
}

impl Rows {
    /// No rows yet, each to be `width` numbers wide.
    pub fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Forgets the rows, keeps the memory, and takes rows of `width` numbers from now on.
    pub fn reset(&mut self, width: usize) {
        self.width = width;
        self.values.clear();
        self.at.clear();
        self.entities.clear();
        self.targets.clear();
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Appends a row; `values` is padded with missing ones, or cut, to the width.
    pub fn push(&mut self, values: &[f64], at: EventTime, entity: EntityId, target: Target) {
        let end = self.values.len() + self.width;
        self.values.extend_from_slice(&values[..values.len().min(self.width)]);
        self.values.resize(end, f64::NAN);
        self.at.push(at);
        self.entities.push(entity);
        self.targets.push(target);
    }

    /// Row `i` and its label.
    pub fn get(&self, i: usize) -> (Row<'_>, Target) {
        let values = &self.values[i * self.width..(i + 1) * self.width];
        (Row { values, at: self.at[i], entity: self.entities[i] }, self.targets[i])
    }

    /// Row after row with its label.
    pub fn iter(&self) -> impl Iterator<Item = (Row<'_>, Target)> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// The labels, row after row.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}
