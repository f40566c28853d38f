//! `[models.M.dead_letters]`: where records go that cannot be learned from.

use super::walk::{Key, key, set, walk};

/// Where dead letters go, and when there are too many.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetters {
    /// The topic; made compacted if it does not exist. `<model>-dead-letters` if not named.
    pub topic: String,
    /// When a partition counts as garbage.
    pub stop_partition_at: StopAt,
}

/// A partition is stopped when this share of its last records could not be learned from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopAt {
    /// Above 0, up to 1.
    pub share: f64,
    /// Of so many records.
    pub of_last: u32,
}

impl DeadLetters {
    pub(super) fn of(model: &str) -> Self {
        Self { topic: format!("{model}-dead-letters"), stop_partition_at: StopAt { share: 0.5, of_last: 1_000 } }
    }
}

pub(super) const KEYS: &[Key<DeadLetters>] = &[
    key("topic", |c, n| set(&mut c.topic, n.topic())),
    key("stop_partition_at", |c, n| walk(STOP_AT, &mut c.stop_partition_at, n)),
];

const STOP_AT: &[Key<StopAt>] = &[
    key("share", |c, n| set(&mut c.share, n.share(0.0, 1.0))),
    key("of_last", |c, n| set(&mut c.of_last, n.whole(1..=1_000_000).map(|x| x as u32))),
];
