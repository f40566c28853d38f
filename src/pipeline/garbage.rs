//! Notices a partition that holds little but garbage, so that it is stopped instead of drained into the dead letters.

use std::collections::{BTreeMap, VecDeque};

use features::PartitionId;

use crate::config::StopAt;

#[derive(Debug, Default)]
struct Recent {
    rejected: VecDeque<bool>,
    count: usize,
}

/// What became of the last records of each partition, and the share of rejected ones at which it is stopped.
#[derive(Debug)]
pub struct Garbage {
    limit: StopAt,
    recent: BTreeMap<PartitionId, Recent>,
}

impl Garbage {
    /// Nothing seen yet.
    pub fn new(limit: StopAt) -> Self {
        Self { limit, recent: BTreeMap::new() }
    }

    /// Notes a record; true once the partition is to be stopped.
    pub fn note(&mut self, from: PartitionId, rejected: bool) -> bool {
        let recent = self.recent.entry(from).or_default();
        recent.rejected.push_back(rejected);
        recent.count += usize::from(rejected);
        let of_last = self.limit.of_last as usize;
        if recent.rejected.len() > of_last {
            recent.count -= usize::from(recent.rejected.pop_front() == Some(true));
        }
        recent.rejected.len() == of_last && recent.count as f64 >= self.limit.share * f64::from(self.limit.of_last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_stopped_at_the_share_over_a_full_window_only() {
        let mut garbage = Garbage::new(StopAt { share: 0.5, of_last: 4 });
        let (bad, good) = (PartitionId::default(), PartitionId { partition: 1, ..PartitionId::default() });
        assert!(!garbage.note(bad, true));
        assert!(!garbage.note(bad, true));
        assert!(!garbage.note(bad, false));
        assert!(!garbage.note(good, true));
        assert!(garbage.note(bad, false));
        assert!(!garbage.note(bad, false), "the first one has left the window");
    }
}
