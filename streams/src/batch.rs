//! Kafka's messages copied into records, some hundreds at a time.

use features::{EventTime, PartitionId, Record};
use rdkafka::message::{BorrowedMessage, Message};

/// A batch is handed over when it has this many records …
const RECORDS: usize = 1_000;
/// … or this many bytes.
const BYTES: usize = 1 << 20;

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

    pub(crate) fn push(&mut self, from: PartitionId, message: &BorrowedMessage<'_>) {
        let record = Record {
            from,
            offset: message.offset(),
            timestamp: EventTime(message.timestamp().to_millis().unwrap_or(0)),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
        };
        self.bytes += length(&record.payload) + length(&record.key);
        self.records.push(record);
    }

    pub(crate) fn take(&mut self) -> Vec<Record> {
        std::mem::take(self).records
    }
}

fn length(bytes: &Option<Vec<u8>>) -> usize {
    bytes.as_ref().map_or(0, Vec::len)
}
