//! The journal's entries: what is not a fact of the log.

use features::{NextOffset, PartitionId, Record};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{FoldConfig, Position};

/// The records of one partition in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which partition.
    pub from: PartitionId,
    /// The first offset not folded before.
    pub first: NextOffset,
    /// The first offset not folded with it.
    pub next: NextOffset,
    /// How many records lie between (offsets have holes).
    pub records: u32,
}

/// Something decided from outside; folding it counts as one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// A partition is read from here on.
    AddPartition {
        /// Which.
        from: PartitionId,
        /// The first offset to fold.
        start: NextOffset,
    },
    /// A learner becomes champion, by hand.
    Promote {
        /// Its name, as in [`crate::Standing`].
        learner: String,
    },
    /// A kept version is served from now on; learning goes on beside it.
    Pin {
        /// Which.
        version: u64,
    },
    /// The champion is served again.
    Follow,
    /// Another configuration from here on; one that [`FoldConfig::check_change`] lets through.
    Configure {
        /// The whole of it.
        config: Box<FoldConfig>,
    },
    /// Records that the log no longer holds are left out.
    AcceptGap {
        /// Which partition.
        from: PartitionId,
        /// The first record that is gone.
        first: NextOffset,
        /// The first one that is not.
        next: NextOffset,
        /// The version whose state is gone on from: the entries behind it that need those records are folded no more.
        since: u64,
    },
    /// The state of an older release is gone on from: what is folded behind it is folded by this one's rules.
    Carry {
        /// Those of this release.
        fold_version: u32,
        /// The version whose state was taken over; 0: genesis.
        since: u64,
    },
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// What everything begins with. Not a version of its own.
    Genesis {
        /// The layout and behaviour of the fold.
        fold_version: u32,
        /// What decides the fold.
        config: Box<FoldConfig>,
        /// Where each partition known at the beginning is read from.
        start: Position,
    },
    /// A batch of records, folded in the order of [`crate::merge`].
    Records {
        /// One run a partition, in the order of partitions.
        runs: Vec<Run>,
        /// [`digest`] of the records in the order they are folded.
        digest: [u8; 16],
    },
    /// A decision.
    Decided {
        /// What.
        decision: Decision,
        /// Who.
        actor: String,
        /// Why.
        evidence: String,
    },
}

/// An entry that cannot be read.
#[derive(Debug, Error)]
#[error("journal entry: {0}")]
pub struct EntryError(String);

/// The first byte of every entry: the layout of what follows.
const LAYOUT: u8 = 1;

impl Entry {
    /// How many versions folding it makes.
    pub fn versions(&self) -> u64 {
        match self {
            Self::Genesis { .. } => 0,
            Self::Records { runs, .. } => runs.iter().map(|run| u64::from(run.records)).sum(),
            Self::Decided { .. } => 1,
        }
    }

    /// The saved form.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![LAYOUT]).expect("plain data has a postcard form")
    }

    /// Reads what [`Entry::encode`] wrote.
    ///
    /// # Errors
    /// An unknown layout or unreadable bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        match bytes.split_first() {
            Some((&LAYOUT, rest)) => postcard::from_bytes(rest).map_err(|e| EntryError(e.to_string())),
            Some((layout, _)) => Err(EntryError(format!("layout {layout}, this release reads {LAYOUT}"))),
            None => Err(EntryError("empty".into())),
        }
    }
}

/// The runs of a batch, given where each partition stood before it. The first run of a partition begins where the last
/// one ended, whatever holes the offsets have.
pub fn runs_of(records: &[Record], position: &Position) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for record in records {
        let next = NextOffset(record.offset + 1);
        match runs.iter_mut().find(|run| run.from == record.from) {
            Some(run) => {
                run.next = next;
                run.records += 1;
            }
            None => {
                let first = position.get(&record.from).copied().unwrap_or(NextOffset(record.offset));
                runs.push(Run { from: record.from, first, next, records: 1 });
            }
        }
    }
    runs.sort_by_key(|run| run.from);
    runs
}

/// A hash of the records' raw bytes, places and times, in the order given (blake3, 16 bytes).
pub fn digest(records: &[Record]) -> [u8; 16] {
    // One long input: blake3 hashes its chunks side by side.
    let length = |part: &Option<_>| part.as_deref().map_or(0, <[u8]>::len);
    let total = records.iter().map(|r| 38 + length(&r.key) + length(&r.payload)).sum();
    let mut bytes = Vec::with_capacity(total);
    for record in records {
        bytes.extend_from_slice(&record.from.topic.0.to_le_bytes());
        bytes.extend_from_slice(&record.from.partition.to_le_bytes());
        bytes.extend_from_slice(&record.offset.to_le_bytes());
        bytes.extend_from_slice(&record.timestamp.0.to_le_bytes());
        for part in [&record.key, &record.payload] {
            // Absent is not empty.
            bytes.extend_from_slice(&part.as_ref().map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
        }
        bytes.extend_from_slice(record.key.as_deref().unwrap_or_default());
        bytes.extend_from_slice(record.payload.as_deref().unwrap_or_default());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
    short
}
