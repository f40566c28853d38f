//! What goes wrong between a world and its topic. Each fault is an iterator around another.

pub(crate) mod disorder;
pub(crate) mod labels;
pub(crate) mod poison;

use crate::event::Event;

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It comes behind events that happened after it.
    Late,
    /// It has come before.
    Duplicate,
    /// It is not what it was.
    Broken(poison::Broken),
}

/// A record on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The record.
    pub event: Event,
    /// It is the label of an event, `{"id","target","at"}`, and goes to the labels.
    pub label: bool,
    /// `None` = it comes whole and in order.
    pub fault: Option<Fault>,
}
