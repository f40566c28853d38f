//! Notices a partition that holds little but garbage, so that it is stopped instead of drained into the dead letters.

use std::collections::{BTreeMap, VecDeque};

use features::PartitionId;

use crate::config::StopAt;

#[derive(Debug, Default)]
struct Recent {
    seen: u64,
    /// Which of the last ones were rejected, by number.
    rejected: VecDeque<u64>,
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
        recent.seen += 1;
        let of_last = u64::from(self.limit.of_last);
        if rejected {
            recent.rejected.push_back(recent.seen);
        }
        recent.rejected.pop_front_if(|number| *number + of_last <= recent.seen);
        recent.seen >= of_last && recent.rejected.len() as f64 >= self.limit.share * f64::from(self.limit.of_last)
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
