//! The name by which a label finds its event.

use serde::{Deserialize, Serialize};

/// The first 16 bytes of the blake3 hash of an event's id: names of any length take the same room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Id([u8; 16]);

impl Id {
    /// The id that is spelled so.
    pub fn of(name: &str) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..16]);
        Self(short)
    }
}
