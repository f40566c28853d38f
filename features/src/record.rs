//! A record as a source delivered it: bytes, and where in the log they stand.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, by the event's own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventTime(pub i64);

/// The place of a topic in the model's configured list of topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TopicId(pub u16);

/// One partition of one of the model's topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId {
    /// Which of the model's topics.
    pub topic: TopicId,
    /// The partition's number.
    pub partition: i32,
}

/// The first offset not yet processed: the only convention for positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NextOffset(pub i64);

/// One record of a log; those read together share their memory. Without its headers: nothing is learned from them, and reading them costs as much as the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Which partition of which topic.
    pub from: PartitionId,
    /// The record's own offset (the next one to read is at least one more).
    pub offset: i64,
    /// The time the log gives the record.
    pub timestamp: EventTime,
    /// The record's key, if it has one.
    pub key: Option<Bytes>,
    /// The event; `None` is a tombstone.
    pub payload: Option<Bytes>,
}
