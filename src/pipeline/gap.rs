//! Records that the log no longer holds: which they are, told for all partitions at once.

use std::time::{Duration, Instant};

use features::{NextOffset, PartitionId};

/// After the first gap so long is waited for others: a start compares every partition with the log.
const GATHER: Duration = Duration::from_secs(1);

/// A partition whose next record is not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which.
    pub from: PartitionId,
    /// What was to be read next.
    pub wanted: NextOffset,
    /// The oldest offset kept.
    pub low: i64,
    /// The offset the next record will get.
    pub high: i64,
}

impl Gap {
    /// Whether reading can go on behind it. A log that ends before what was read is another log.
    pub fn can_be_passed(&self) -> bool {
        self.wanted.0 < self.low
    }

    /// Which records of `topic` are gone, and what can be done.
    pub fn describe(&self, topic: &str) -> String {
        let Self { from: PartitionId { partition, .. }, wanted: NextOffset(wanted), low, high } = self;
        if self.can_be_passed() {
            format!(
                "{topic}/{partition}: records {wanted}..{low} are gone, the log holds {low}..{high}; to go on without \
                 them: perennial run --accept-gap MODEL"
            )
        } else {
            format!(
                "{topic}/{partition}: record {wanted} is needed next, the log ends at {high}: it was made anew or cut; \
                 give the model a new name, or begin anew: perennial state reset"
            )
        }
    }
}

/// Gaps found, until all of them are.
#[derive(Debug, Default)]
pub struct Gaps {
    found: Vec<Gap>,
    since: Option<Instant>,
}

impl Gaps {
    /// Notes one; a later word about the same partition holds.
    pub fn push(&mut self, gap: Gap) {
        self.found.retain(|other| other.from != gap.from);
        self.found.push(gap);
        self.since.get_or_insert_with(Instant::now);
    }

    /// All of them, once there has been time for all.
    pub fn all(&mut self) -> Option<Vec<Gap>> {
        self.since.filter(|since| since.elapsed() >= GATHER)?;
        self.since = None;
        Some(std::mem::take(&mut self.found))
    }
}
