//! How fast the journal grows: what docs/reliability.md says is measured here.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use features::{EventTime, NextOffset, PartitionId, Record, TopicId};
use fold::{Entry, Position, digest, runs_of};

/// Bytes around the payload of an entry, see `checkpoints/src/segment.rs`.
const FRAME: usize = 28;

/// Journal bytes of a million records of so many partitions, in entries of so many records.
fn bytes(partitions: i32, batch: usize) -> usize {
    let mut position: Position =
        (0..partitions).map(|partition| (PartitionId { topic: TopicId(0), partition }, NextOffset(0))).collect();
    let (mut bytes, mut n) = (0, 0);
    while n < 1_000_000 {
        let record = |i: usize| {
            let partition = (i % partitions as usize) as i32;
            let offset = (i / partitions as usize) as i64;
            let from = PartitionId { topic: TopicId(0), partition };
            Record { from, offset, timestamp: EventTime(0), payload: Some(vec![1].into()), ..Record::default() }
        };
        let records: Vec<Record> = (n..n + batch).map(record).collect();
        let runs = runs_of(&records, &position);
        position.extend(runs.iter().map(|run| (run.from, run.next)));
        bytes += FRAME + Entry::Records { runs, digest: digest(&records) }.encode().len();
        n += batch;
    }
    bytes
}

#[test]
fn a_million_records_take_little_of_the_journal() {
    for (partitions, batch, most) in [(1, 1_000, 70_000), (3, 1_000, 90_000), (1, 100, 700_000), (1, 1, 70_000_000)] {
        let bytes = bytes(partitions, batch);
        println!("{partitions} partitions, {batch} records an entry: {bytes} bytes a million records");
        assert!(bytes <= most, "{partitions} {batch}: {bytes}");
    }
}
