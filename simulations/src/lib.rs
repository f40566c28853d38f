//! Worlds with known truth: seeded streams of JSON events in which it is known when, and how, the world changes.
//!
//! A scenario is a TOML text ([`Scenario::read`], docs/simulations.md): a concept (how events come about), its
//! parameters, when they change, and what goes wrong on the way.
//!
//! The same scenario, seed and number of events give the same bytes on every machine: one pinned generator of random
//! numbers, maths from the crate `libm`, no clock. The truth (where drifts are, which records were broken) never stands
//! in the events; it comes beside them.

mod concepts;
mod drift;
mod event;
mod faults;
mod random;
mod read;
mod scenario;
mod schedule;
mod timeline;

pub use drift::{Drift, DriftKind};
pub use event::Event;
pub use faults::poison::Broken;
pub use faults::{Delivery, Fault};
pub use read::ScenarioError;
pub use scenario::{Events, Scenario};
