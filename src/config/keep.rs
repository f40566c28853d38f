//! `keep` of a model: which checkpoints stay, and how much of the journal.

use checkpoints::Keep;

use super::walk::{Key, key, set};

pub(super) const DEFAULT: Keep = Keep { last: 3, hourly: 24, daily: 30, compact: false };

pub(super) const KEYS: &[Key<Keep>] = &[
    key("last", |c, n| set(&mut c.last, n.whole(Keep::LEAST as u64..=10_000).map(|x| x as usize))),
    key("hourly", |c, n| set(&mut c.hourly, n.whole(0..=10_000).map(|x| x as usize))),
    key("daily", |c, n| set(&mut c.daily, n.whole(0..=10_000).map(|x| x as usize))),
    key("journal", |c, n| set(&mut c.compact, n.one_of(&[("whole", false), ("compact", true)]))),
];
