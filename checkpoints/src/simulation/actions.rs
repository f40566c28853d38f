//! What may happen in a simulated life. Every action brings its own chance, so that leaving one away changes no other.

use crate::worst_disk::Random;

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Records become readable.
    Arrive,
    /// A batch is handed to the journal and folded.
    Fold,
    /// Something is decided from outside.
    Decide,
    /// The group is made durable; what came of it leaves.
    Sync,
    /// A checkpoint.
    Checkpoint,
    /// The newest checkpoint is kept for ever, or none any more.
    Pin,
    /// Writes and syncs fail now and then, from here on, or no more.
    Faults(Option<u64>),
    /// The process dies after so many operations of the disk; with it the machine, perhaps.
    Die { after: u64, power_cut: bool },
    /// The process stops as it should, and another one starts.
    Restart,
    /// As before, and the index is lost in between.
    LoseIndex,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) kind: Kind,
    pub(super) seed: u64,
}

/// The actions of a seed.
pub(super) fn actions(seed: u64) -> Vec<Action> {
    let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let count = 10 + random.below(60);
    let mut one = || {
        let kind = match random.below(32) {
            0..4 => Kind::Arrive,
            4..12 => Kind::Fold,
            12 => Kind::Decide,
            13..18 => Kind::Sync,
            18..24 => Kind::Checkpoint,
            24 => Kind::Pin,
            25 => Kind::Faults(Some(3 + random.below(20))),
            26 => Kind::Faults(None),
            27..30 => Kind::Die { after: 1 + random.below(30), power_cut: random.one_in(2) },
            30 => Kind::Restart,
            _ => Kind::LoseIndex,
        };
        Action { kind, seed: random.next() }
    };
    (0..count).map(|_| one()).collect()
}
