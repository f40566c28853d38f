//! `[models.M.limits]`: what a stream may make a model hold.

use features::Limits;

use super::walk::{Key, key, set};

pub(super) const KEYS: &[Key<Limits>] = &[
    key("record", |c, n| set(&mut c.record, n.size(1 << 10..=64 << 20).map(|x| x as usize))),
    key("features", |c, n| set(&mut c.features, n.whole(1..=100_000).map(|x| x as usize))),
    key("categories", |c, n| set(&mut c.categories, n.whole(1..=10_000_000).map(|x| x as usize))),
    key("classes", |c, n| set(&mut c.classes, n.whole(2..=65_536).map(|x| x as usize))),
    key("text", |c, n| set(&mut c.text, n.whole(16..=65_536).map(|x| x as usize))),
    // JSON deeper than 128 is not read at all.
    key("depth", |c, n| set(&mut c.depth, n.whole(1..=100).map(|x| x as usize))),
];
