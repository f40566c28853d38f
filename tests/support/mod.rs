//! What the end-to-end tests share: a real Kafka, the built binary as a user starts it, a producer that is not ours.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod kafka;
pub mod service;
