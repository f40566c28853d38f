//! Kafka's messages copied into records, some hundreds at a time.

use bytes::{Bytes, BytesMut};
use features::{EventTime, PartitionId, Record};

use crate::batch_consumer::Fetched;

/// A batch is handed over when it has this many records …
const RECORDS: usize = 1_000;
/// … or this many bytes.
const BYTES: usize = 1 << 20;

/// Memory that the records of one partition share, piece after piece. Records of a partition are done with in their order,
/// so that no more than a piece outlives them.
#[derive(Default)]
pub(crate) struct Room(BytesMut);

impl Room {
    const PIECE: usize = 64 << 10;

    fn copy(&mut self, bytes: &[u8]) -> Bytes {
        if self.0.capacity() < bytes.len() {
            self.0 = BytesMut::with_capacity(bytes.len().max(Self::PIECE));
        }
        self.0.extend_from_slice(bytes);
        self.0.split().freeze()
    }
}

/// Records on their way to the pipeline.
#[derive(Default)]
pub(crate) struct Batch {
    records: Vec<Record>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn is_full(&self) -> bool {
        self.records.len() >= RECORDS || self.bytes >= BYTES
    }

    pub(crate) fn push(&mut self, from: PartitionId, message: &Fetched, room: &mut Room) {
        let record = Record {
            from,
            offset: message.offset(),
            timestamp: EventTime(message.timestamp().unwrap_or(0)),
            key: message.key().map(|key| room.copy(key)),
            payload: message.payload().map(|payload| room.copy(payload)),
        };
        let length = |part: &Option<Bytes>| part.as_ref().map_or(0, Bytes::len);
        self.bytes += length(&record.key) + length(&record.payload);
        self.records.push(record);
    }

    pub(crate) fn take(&mut self) -> Vec<Record> {
        let room = Vec::with_capacity(self.records.len());
        std::mem::replace(self, Self { records: room, bytes: 0 }).records
    }
}
