//! Worlds with known truth: seeded streams of JSON events in which it is known when, and how, the world changes.
//!
//! The same scenario, seed and number of events give the same bytes on every machine: one pinned generator of random
//! numbers, maths from the crate `libm`, no clock. The truth (where drifts are, which records were broken) never stands
//! in the events; it comes beside them.

mod electricity;
mod event;
mod poison;
mod random;
mod scenario;
mod sea;
mod sensors;

pub use event::{Drift, DriftKind, Event};
pub use poison::{Broken, Poison, Poisoned, poison};
pub use scenario::{Events, Scenario};
