//! Which checkpoints stay, and how much of the journal.

use std::collections::BTreeSet;

const HOUR_MS: i64 = 3_600_000;

/// How many checkpoints are kept: the newest `last` (at least 3), the newest of each of the latest `hourly` hours and
/// `daily` days (UTC) in which there are any, and every pinned one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Newest ones.
    pub last: usize,
    /// Hours.
    pub hourly: usize,
    /// Days.
    pub daily: usize,
    /// Whether the journal before the oldest of them goes; if not, it is kept whole, back to genesis.
    pub compact: bool,
}

impl Keep {
    /// One that is damaged leaves two to fall back to.
    pub const LEAST: usize = 3;
}

/// What is decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its version; unique.
    pub version: u64,
    /// Milliseconds since 1970 (UTC).
    pub created_at_ms: i64,
    /// Kept for ever.
    pub is_pinned: bool,
    /// Found not to verify: takes no good one's place, and stays only while there are too few good ones.
    pub is_damaged: bool,
}

/// The versions that stay. Pure: no clock, the order of `candidates` does not matter.
#[must_use]
pub fn retained(candidates: &[Candidate], keep: &Keep) -> BTreeSet<u64> {
    let mut good: Vec<&Candidate> = candidates.iter().filter(|c| !c.is_damaged).collect();
    good.sort_by_key(|c| std::cmp::Reverse(c.version));
    let last = keep.last.max(Keep::LEAST);
    let mut stay: BTreeSet<u64> = candidates.iter().filter(|c| c.is_pinned).map(|c| c.version).collect();
    stay.extend(good.iter().take(last).map(|c| c.version));
    stay.extend(newest_of_each(&good, HOUR_MS, keep.hourly));
    stay.extend(newest_of_each(&good, 24 * HOUR_MS, keep.daily));
    if good.len() < last {
        stay.extend(candidates.iter().map(|c| c.version));
    }
    stay
}

/// The newest version in each of the latest `count` spans of time; `good` comes newest version first.
fn newest_of_each(good: &[&Candidate], span_ms: i64, count: usize) -> Vec<u64> {
    let span = |c: &Candidate| c.created_at_ms.div_euclid(span_ms);
    let spans: BTreeSet<i64> = good.iter().map(|c| span(c)).collect();
    let latest = spans.iter().rev().take(count);
    latest.filter_map(|s| good.iter().find(|c| span(c) == *s).map(|c| c.version)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(version: u64, hours: f64) -> Candidate {
        Candidate { version, created_at_ms: (hours * 3.6e6) as i64, is_pinned: false, is_damaged: false }
    }

    fn versions(kept: BTreeSet<u64>) -> Vec<u64> {
        kept.into_iter().collect()
    }

    #[test]
    fn last_hours_and_days() {
        let mut all: Vec<_> = (1..=100).map(|v| at(v, v as f64 * 0.5)).collect();
        all[6].is_pinned = true;
        assert_eq!(versions(retained(&all, &Keep { last: 0, hourly: 0, daily: 0, compact: false })), [7, 98, 99, 100]);
        assert_eq!(
            versions(retained(&all, &Keep { last: 4, hourly: 0, daily: 0, compact: false })),
            [7, 97, 98, 99, 100]
        );
        // Hour 50 holds version 100 alone; hours 49, 48, 47 end with 99, 97, 95.
        assert_eq!(
            versions(retained(&all, &Keep { last: 1, hourly: 4, daily: 0, compact: false })),
            [7, 95, 97, 98, 99, 100]
        );
        // Days 0, 1, 2 end with versions 47, 95, 100.
        assert_eq!(
            versions(retained(&all, &Keep { last: 1, hourly: 0, daily: 9, compact: false })),
            [7, 47, 95, 98, 99, 100]
        );
    }

    #[test]
    fn damaged_ones_take_no_place_and_go_when_there_are_enough_good_ones() {
        let mut all: Vec<_> = (1..=5).map(|v| at(v, 1.0)).collect();
        for c in &mut all[2..] {
            c.is_damaged = true;
        }
        let keep = Keep { last: 3, hourly: 24, daily: 30, compact: false };
        assert_eq!(versions(retained(&all, &keep)), [1, 2, 3, 4, 5]);
        all.push(at(6, 1.0));
        assert_eq!(versions(retained(&all, &keep)), [1, 2, 6]);
    }

    proptest! {
        #[test]
        fn never_fewer_than_three_never_a_pinned_one_lost(
            list in prop::collection::btree_map(0u64..500, (0i64..200, any::<bool>(), any::<bool>()), 0..60),
            last in 0usize..6, hourly in 0usize..5, daily in 0usize..5,
        ) {
            let all: Vec<_> = list.iter().map(|(v, (h, p, d))| {
                Candidate { version: *v, created_at_ms: h * HOUR_MS / 3, is_pinned: *p, is_damaged: *d }
            }).collect();
            let keep = Keep { last, hourly, daily, compact: false };
            let kept = retained(&all, &keep);
            let good: Vec<_> = all.iter().filter(|c| !c.is_damaged).map(|c| c.version).collect();
            for v in good.iter().rev().take(3) {
                prop_assert!(kept.contains(v));
            }
            for c in &all {
                prop_assert!(!c.is_pinned || kept.contains(&c.version));
            }
            // Pruning twice is pruning once.
            let left: Vec<_> = all.iter().filter(|c| kept.contains(&c.version)).copied().collect();
            prop_assert_eq!(retained(&left, &keep), kept.clone());
            let pinned = all.iter().filter(|c| c.is_pinned).count();
            if good.len() >= last.max(3) {
                prop_assert!(kept.len() <= pinned + last.max(3) + hourly + daily);
            }
        }
    }
}
