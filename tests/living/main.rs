//! The living model as a user runs it, the built binary on real topics: labels that come later, and what it decides, or
//! is told, when the world changes.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod crash;
mod later;
mod send;
mod state;
#[path = "../support/mod.rs"]
mod support;
mod worlds;
