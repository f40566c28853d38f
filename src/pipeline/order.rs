//! The order of records: as the journal has it, or, beyond its end, merged by time.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use features::{NextOffset, PartitionId, Record};
use fold::Run;
use thiserror::Error;

/// The log no longer says what it said when the journal was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LogChanged {
    /// Records are gone.
    #[error("{from}: the journal needs records {first}..{next}, the log has {got} there", from = place(*.from))]
    Gone {
        /// Which partition.
        from: PartitionId,
        /// The first offset needed.
        first: i64,
        /// The end of the range needed.
        next: i64,
        /// What the log goes on with.
        got: i64,
    },
    /// Other bytes.
    #[error("the log changed at {}: the records there are not those that were learned from", places(.runs))]
    Differs {
        /// Where.
        runs: Vec<Run>,
    },
}

impl LogChanged {
    /// The message with the topics' names.
    pub fn describe(&self, topics: &[String]) -> String {
        let mut text = self.to_string();
        for (i, topic) in topics.iter().enumerate().rev() {
            text = text.replace(&format!("topic {i}/"), &format!("{topic}/"));
        }
        text
    }
}

fn place(from: PartitionId) -> String {
    format!("topic {}/{}", from.topic.0, from.partition)
}

fn places(runs: &[Run]) -> String {
    let each: Vec<_> = runs.iter().map(|r| format!("{} {}..{}", place(r.from), r.first.0, r.next.0)).collect();
    each.join(", ")
}

#[derive(Debug, Default)]
struct Queue {
    records: VecDeque<Record>,
    /// Nothing more to read for now: the end of the log as it was last seen.
    caught_up: Option<NextOffset>,
    stopped: bool,
}

/// Records that were read and not yet folded, partition by partition.
#[derive(Debug)]
pub struct Order {
    queues: BTreeMap<PartitionId, Queue>,
    records: usize,
    bytes: usize,
    waiting_since: Option<Instant>,
    patience: Duration,
}

impl Order {
    /// Records and bytes held at most: beyond either, no more is read until some are folded.
    const MOST_RECORDS: usize = 100_000;
    const MOST_BYTES: usize = 64 << 20;

    /// No records yet. A partition that has backlog but none here is waited for at most `patience`.
    pub fn new(patience: Duration) -> Self {
        Self { queues: BTreeMap::new(), records: 0, bytes: 0, waiting_since: None, patience }
    }

    /// Forgets the records read: the source is made anew and reads them again.
    pub fn clear(&mut self) {
        *self = Self::new(self.patience);
    }

    /// A partition is read from now on.
    pub fn add(&mut self, from: PartitionId) {
        self.queues.entry(from).or_default();
    }

    /// A partition is folded no more: what was read of it and still comes is dropped.
    pub fn stop(&mut self, from: PartitionId) {
        while self.pop(from).is_some() {}
        let queue = self.queues.entry(from).or_default();
        queue.stopped = true;
        queue.caught_up.get_or_insert(NextOffset(i64::MAX));
    }

    /// Takes in what was read.
    pub fn push(&mut self, records: Vec<Record>) {
        let mut records = records.into_iter().peekable();
        while let Some(from) = records.peek().map(|record| record.from) {
            let queue = self.queues.entry(from).or_default();
            while let Some(record) = records.next_if(|record| record.from == from) {
                if !queue.stopped {
                    self.records += 1;
                    self.bytes += size(&record);
                    queue.caught_up = None;
                    queue.records.push_back(record);
                }
            }
        }
    }

    /// A partition has nothing more to read for now.
    pub fn caught_up(&mut self, from: PartitionId, next: NextOffset) {
        self.queues.entry(from).or_default().caught_up = Some(next);
    }

    /// Whether there is room to read more.
    pub fn has_room(&self) -> bool {
        self.records < Self::MOST_RECORDS && self.bytes < Self::MOST_BYTES
    }

    /// The next records by time, at most `most`: none while a partition with backlog has delivered nothing, unless that
    /// has lasted too long or there is no room to wait.
    pub fn by_time(&mut self, most: usize, now: Instant) -> Vec<Record> {
        let mut batch = Vec::new();
        if self.records == 0 {
            self.waiting_since = None;
            return batch;
        }
        let hurry = !self.has_room() || self.waiting_since.is_some_and(|since| now - since >= self.patience);
        while batch.len() < most {
            if !hurry && self.queues.values().any(|q| q.records.is_empty() && q.caught_up.is_none()) {
                break;
            }
            let mut heads = self.queues.iter().filter_map(|(from, q)| Some((q.records.front()?.timestamp, *from)));
            let Some(mut first) = heads.next() else { break };
            let mut second = None;
            for head in heads {
                let later = if head < first { std::mem::replace(&mut first, head) } else { head };
                second = Some(second.map_or(later, |second| later.min(second)));
            }
            // The oldest head and those behind it that are older than any other head.
            let from = first.1;
            let queue = self.queues.get_mut(&from).expect("it has a head");
            while batch.len() < most
                && let Some(record) =
                    queue.records.pop_front_if(|next| second.is_none_or(|second| (next.timestamp, from) < second))
            {
                self.records -= 1;
                self.bytes -= size(&record);
                batch.push(record);
            }
        }
        if batch.is_empty() {
            self.waiting_since.get_or_insert(now);
        } else if !hurry {
            self.waiting_since = None;
        }
        batch
    }

    /// The records of journaled runs, once all of them are here.
    ///
    /// # Errors
    /// The log does not hold them any more.
    pub fn by_journal(&mut self, runs: &[Run]) -> Result<Option<Vec<Record>>, LogChanged> {
        for run in runs {
            let queue = self.queues.entry(run.from).or_default();
            let gone = |got: i64| LogChanged::Gone { from: run.from, first: run.first.0, next: run.next.0, got };
            match queue.records.get(run.records as usize - 1) {
                Some(last) if last.offset + 1 == run.next.0 => {}
                Some(_) => return Err(gone(queue.records.front().map_or(-1, |head| head.offset))),
                None => {
                    return match queue.caught_up {
                        Some(end) => Err(gone(end.0)),
                        None => Ok(None),
                    };
                }
            }
        }
        let mut batch = Vec::new();
        for run in runs {
            for _ in 0..run.records {
                batch.extend(self.pop(run.from));
            }
        }
        Ok(Some(fold::merge(batch)))
    }

    fn pop(&mut self, from: PartitionId) -> Option<Record> {
        let record = self.queues.get_mut(&from)?.records.pop_front()?;
        self.records -= 1;
        self.bytes -= size(&record);
        Some(record)
    }
}

fn size(record: &Record) -> usize {
    let bytes = |part: &Option<_>| part.as_deref().map_or(0, <[u8]>::len);
    size_of::<Record>() + bytes(&record.key) + bytes(&record.payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::{EventTime, TopicId};

    fn partition(partition: i32) -> PartitionId {
        PartitionId { topic: TopicId(0), partition }
    }

    fn record(of: i32, offset: i64, at: i64) -> Record {
        Record { from: partition(of), offset, timestamp: EventTime(at), ..Record::default() }
    }

    fn offsets(records: &[Record]) -> Vec<(i32, i64)> {
        records.iter().map(|r| (r.from.partition, r.offset)).collect()
    }

    /// Two partitions, the second one silent: nothing goes out until it has caught up, has spoken, or patience ends.
    #[test]
    fn a_partition_with_backlog_is_waited_for_but_not_for_ever() {
        let start = Instant::now();
        let mut order = Order::new(Duration::from_secs(1));
        order.add(partition(0));
        order.add(partition(1));
        order.push(vec![record(0, 0, 10), record(0, 1, 30)]);
        assert!(order.by_time(10, start).is_empty());
        order.push(vec![record(1, 0, 20)]);
        assert_eq!(offsets(&order.by_time(10, start)), [(0, 0), (1, 0)]);
        assert!(order.by_time(10, start).is_empty(), "partition 1 may have an older record than 30");
        order.caught_up(partition(1), NextOffset(1));
        assert_eq!(offsets(&order.by_time(10, start)), [(0, 1)]);

        order.push(vec![record(0, 2, 40), record(1, 1, 50)]);
        assert_eq!(offsets(&order.by_time(10, start)), [(0, 2)]);
        assert!(order.by_time(10, start).is_empty());
        assert_eq!(offsets(&order.by_time(10, start + Duration::from_secs(2))), [(1, 1)]);
    }

    #[test]
    fn the_oldest_of_any_number_of_partitions_comes_first() {
        let start = Instant::now();
        let mut order = Order::new(Duration::from_secs(1));
        order.push(vec![record(0, 0, 10), record(0, 1, 40), record(0, 2, 41)]);
        order.push(vec![record(1, 0, 20), record(1, 1, 21), record(1, 2, 60)]);
        order.push(vec![record(2, 0, 50), record(2, 1, 20)]);
        let expected = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 2)];
        assert_eq!(offsets(&order.by_time(10, start)), expected, "then partition 0 may have an older one than 50");
    }

    #[test]
    fn a_stopped_partition_holds_nobody_up() {
        let start = Instant::now();
        let mut order = Order::new(Duration::from_secs(1));
        order.push(vec![record(0, 0, 1), record(1, 0, 2)]);
        order.stop(partition(0));
        order.push(vec![record(0, 1, 3)]);
        assert_eq!(offsets(&order.by_time(10, start)), [(1, 0)]);
        order.push(vec![record(1, 1, 4)]);
        assert_eq!(offsets(&order.by_time(10, start)), [(1, 1)]);
    }

    #[test]
    fn journaled_runs_come_whole_or_not_yet_or_never() {
        let mut order = Order::new(Duration::from_secs(1));
        let run = |of: i32, first: i64, next: i64, records: u32| Run {
            from: partition(of),
            first: NextOffset(first),
            next: NextOffset(next),
            records,
        };
        let runs = [run(0, 0, 3, 2), run(1, 0, 1, 1)];
        order.push(vec![record(0, 0, 5), record(0, 2, 9)]);
        assert_eq!(order.by_journal(&runs), Ok(None));
        order.push(vec![record(1, 0, 7), record(1, 1, 8)]);
        assert_eq!(offsets(&order.by_journal(&runs).unwrap().unwrap()), [(0, 0), (1, 0), (0, 2)]);
        assert!(order.by_journal(&[run(1, 1, 3, 1)]).is_err(), "the record ends at 2, not 3");
        order.caught_up(partition(0), NextOffset(3));
        assert!(order.by_journal(&[run(0, 3, 4, 1)]).is_err(), "the log ends before it");
    }
}
