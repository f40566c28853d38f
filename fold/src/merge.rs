//! The order in which the records of a batch are folded.

use std::collections::{BTreeMap, VecDeque};

use features::{PartitionId, Record};

/// Puts the records of a batch in the order they are folded in: those of one partition stay in offset order; among the
/// next ones of each partition the smallest (timestamp, topic, partition) goes first. Depends on the records alone, not
/// on the order they are given in (as long as each partition's are in order).
pub fn merge(records: Vec<Record>) -> Vec<Record> {
    let mut queues: BTreeMap<PartitionId, VecDeque<Record>> = BTreeMap::new();
    let total = records.len();
    for record in records {
        queues.entry(record.from).or_default().push_back(record);
    }
    if queues.len() == 1 {
        return queues.into_values().flatten().collect();
    }
    let mut merged = Vec::with_capacity(total);
    while let Some(queue) = queues.values_mut().filter(|q| !q.is_empty()).min_by_key(|q| (q[0].timestamp, q[0].from)) {
        merged.extend(queue.pop_front());
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::{EventTime, TopicId};
    use proptest::prelude::*;

    fn record(partition: i32, offset: i64, timestamp: i64) -> Record {
        let from = PartitionId { topic: TopicId(0), partition };
        Record { from, offset, timestamp: EventTime(timestamp), ..Record::default() }
    }

    proptest! {
        #[test]
        fn any_prefix_and_any_arrival_gives_the_same_order(
            times in prop::collection::vec((0..3_i32, 0..20_i64), 1..40),
            cut in 0..40_usize,
            rotate in 0..3_i32,
        ) {
            let mut offsets = [0; 3];
            let records: Vec<_> = times.iter().map(|&(partition, at)| {
                offsets[partition as usize] += 1;
                record(partition, offsets[partition as usize], at)
            }).collect();
            let merged = merge(records.clone());
            let mut regrouped = records;
            regrouped.sort_by_key(|r| (r.from.partition + rotate) % 3);
            prop_assert_eq!(&merge(regrouped), &merged);
            let prefix = merged[..cut.min(merged.len())].to_vec();
            prop_assert_eq!(merge(prefix.clone()), prefix);
            for partition in 0..3 {
                let of: Vec<_> = merged.iter().filter(|r| r.from.partition == partition).map(|r| r.offset).collect();
                prop_assert!(of.is_sorted());
            }
        }
    }

    #[test]
    fn the_older_head_goes_first() {
        let merged = merge(vec![record(1, 0, 5), record(1, 1, 1), record(0, 0, 5), record(0, 1, 6)]);
        let order: Vec<_> = merged.iter().map(|r| (r.from.partition, r.offset)).collect();
        assert_eq!(order, [(0, 0), (1, 0), (1, 1), (0, 1)]);
    }
}
