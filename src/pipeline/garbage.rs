//! Notices a partition that holds little but garbage, so that it is stopped instead of drained into the dead letters.

use std::collections::{BTreeMap, VecDeque};

use features::PartitionId;

/// The share of rejected records, over the last so many of a partition, at which it is stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopPartitionAt {
    /// 0..1; above 1 = never.
    pub share: f64,
    /// Records.
    pub of_last: usize,
}

#[derive(Debug, Default)]
struct Recent {
    rejected: VecDeque<bool>,
    count: usize,
}

/// What became of the last records of each partition.
#[derive(Debug)]
pub struct Garbage {
    limit: StopPartitionAt,
    recent: BTreeMap<PartitionId, Recent>,
}

impl Garbage {
    /// Nothing seen yet.
    pub fn new(limit: StopPartitionAt) -> Self {
        Self { limit, recent: BTreeMap::new() }
    }

    /// Notes a record; true once the partition is to be stopped.
    pub fn note(&mut self, from: PartitionId, rejected: bool) -> bool {
        let recent = self.recent.entry(from).or_default();
        recent.rejected.push_back(rejected);
        recent.count += usize::from(rejected);
        if recent.rejected.len() > self.limit.of_last {
            recent.count -= usize::from(recent.rejected.pop_front() == Some(true));
        }
        recent.rejected.len() == self.limit.of_last && recent.count as f64 >= self.limit.share * self.limit.of_last as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_stopped_at_the_share_over_a_full_window_only() {
        let mut garbage = Garbage::new(StopPartitionAt { share: 0.5, of_last: 4 });
        let (bad, good) = (PartitionId::default(), PartitionId { partition: 1, ..PartitionId::default() });
        assert!(!garbage.note(bad, true));
        assert!(!garbage.note(bad, true));
        assert!(!garbage.note(bad, false));
        assert!(!garbage.note(good, true));
        assert!(garbage.note(bad, false));
        assert!(!garbage.note(bad, false), "the first one has left the window");
    }
}
