//! `keep` of a model: which checkpoints stay.

use super::walk::{Key, key, set};

/// Which checkpoints are kept; a checkpoint stays that any of these asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The newest ones, at least 3.
    pub last: u32,
    /// The newest of each of so many hours.
    pub hourly: u32,
    /// The newest of each of so many days.
    pub daily: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { last: 3, hourly: 24, daily: 30 }
    }
}

pub(super) const KEYS: &[Key<Keep>] = &[
    key("last", |c, n| set(&mut c.last, n.whole(3..=10_000).map(|x| x as u32))),
    key("hourly", |c, n| set(&mut c.hourly, n.whole(0..=10_000).map(|x| x as u32))),
    key("daily", |c, n| set(&mut c.daily, n.whole(0..=10_000).map(|x| x as u32))),
];
