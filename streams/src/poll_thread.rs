//! The thread that reads from Kafka: it polls without end, obeys commands, and is held back when nobody takes its records.
//!
//! Held back it takes no more messages, and librdkafka fetches no more than `queued.max.messages.kbytes` ahead. Partitions
//! are not paused: one that is paused at its end loses the record that comes next (docs/adr/0008-partitions-are-not-paused.md).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TryRecvError};
use features::{NextOffset, PartitionId, TopicId};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::batch::{Batch, Room};
use crate::batch_consumer::BatchConsumer;
use crate::client::Context;
use crate::discovery::Discovery;
use crate::kafka_source::KafkaConfig;
use crate::{SourceError, SourceEvent};

/// The longest single wait; commands are heard this often, so a start takes no longer.
const WAIT: Duration = Duration::from_millis(20);
/// How long a question to a broker may take.
pub(crate) const ASK: Duration = Duration::from_secs(2);
/// How long a round of questions may take before records and commands get their turn again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How long to leave what failed alone before it is tried again.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// What the pipeline wants.
pub(crate) enum Command {
    Assign { generation: u64, partitions: Vec<(PartitionId, NextOffset)> },
    Stop(PartitionId),
    Committed(Vec<(PartitionId, NextOffset)>),
}

/// An event, and how many assignments the reader had heard of.
pub(crate) struct Told {
    pub(crate) generation: u64,
    pub(crate) event: SourceEvent,
}

/// Why the thread ends.
enum Stop {
    Dropped,
    Broken(String),
}

struct Progress {
    next: i64,
    at_end: bool,
    room: Room,
}

pub(crate) struct Reader {
    client: BatchConsumer,
    topics: Vec<String>,
    discovery: Discovery,
    commands: Receiver<Command>,
    out: Sender<Result<Told, SourceError>>,
    generation: u64,
    /// Being read, and from where on.
    reading: BTreeMap<PartitionId, Progress>,
    /// To be compared with what the log holds before they are read.
    unchecked: VecDeque<(PartitionId, i64)>,
    check_at: Instant,
    pending: VecDeque<Told>,
    batch: Batch,
}

impl Reader {
    pub(crate) fn new(
        consumer: BaseConsumer<Context>,
        config: &KafkaConfig,
        commands: Receiver<Command>,
        out: Sender<Result<Told, SourceError>>,
    ) -> Self {
        Self {
            client: BatchConsumer::new(consumer),
            topics: config.topics.clone(),
            discovery: Discovery::new(config),
            commands,
            out,
            generation: 0,
            reading: BTreeMap::new(),
            unchecked: VecDeque::new(),
            check_at: Instant::now(),
            pending: VecDeque::new(),
            batch: Batch::default(),
        }
    }

    /// Reads until the source is dropped or the client is beyond repair.
    pub(crate) fn run(mut self) {
        if let Err(Stop::Broken(reason)) = self.read() {
            // What was read before stays in front; nobody listens only if the source is gone.
            for told in self.pending.drain(..) {
                let _ = self.out.send(Ok(told));
            }
            let _ = self.out.send(Err(SourceError::Kafka(reason)));
        }
    }

    fn read(&mut self) -> Result<(), Stop> {
        loop {
            self.obey()?;
            if self.discovery.is_due() {
                for event in self.discovery.look(self.client.consumer()) {
                    self.tell(event);
                }
            }
            if !self.unchecked.is_empty() && self.check_at <= Instant::now() {
                self.check()?;
            }
            self.serve()?;
            if self.hand_over()? {
                self.fill()?;
            }
        }
    }

    fn consumer(&self) -> &BaseConsumer<Context> {
        self.client.consumer()
    }

    fn tell(&mut self, event: SourceEvent) {
        self.pending.push_back(Told { generation: self.generation, event });
    }

    fn obey(&mut self) -> Result<(), Stop> {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Assign { generation, partitions }) => {
                    self.generation = generation;
                    for (from, next) in partitions {
                        self.reading.remove(&from);
                        self.unchecked.retain(|(other, _)| *other != from);
                        self.unchecked.push_back((from, next.0));
                    }
                    self.check_at = Instant::now();
                }
                Ok(Command::Stop(partition)) => {
                    self.unchecked.retain(|(other, _)| *other != partition);
                    if self.reading.remove(&partition).is_some() {
                        self.read_on()?;
                    }
                }
                Ok(Command::Committed(positions)) => {
                    let offsets = self.list(positions.iter().map(|&(from, next)| (from, next.0)))?;
                    if let Err(e) = self.consumer().commit(&offsets, CommitMode::Async) {
                        self.consumer().context().warn(&format!("offsets for lag tools were not committed: {e}"));
                    }
                }
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(Stop::Dropped),
            }
        }
    }

    /// Begins to read those unchecked partitions whose next offset the log holds (or will hold next).
    fn check(&mut self) -> Result<(), Stop> {
        let until = Instant::now() + PATIENCE;
        for _ in 0..self.unchecked.len() {
            let Some((from, next)) = self.unchecked.pop_front() else { break };
            let topic = &self.topics[usize::from(from.topic.0)];
            match self.consumer().fetch_watermarks(topic, from.partition, ASK) {
                Ok((low, high)) if next < low || next > high => {
                    self.tell(SourceEvent::Gap { from, wanted: NextOffset(next), low, high });
                }
                Ok(_) => {
                    self.reading.insert(from, Progress { next, at_end: false, room: Room::default() });
                }
                Err(e) => {
                    self.consumer().context().warn(&format!("{topic}/{} cannot be read: {e}", from.partition));
                    self.unchecked.push_back((from, next));
                }
            }
            if Instant::now() >= until {
                break;
            }
        }
        self.check_at = Instant::now() + RETRY;
        self.read_on()
    }

    /// Reads those partitions that are to be read, and no others, from where each was.
    fn read_on(&mut self) -> Result<(), Stop> {
        let topics = &self.topics;
        let name = |from: &PartitionId| topics[usize::from(from.topic.0)].as_str();
        self.client.gather(self.reading.keys().map(|from| (name(from), from.partition)));
        let assignment = self.list(self.reading.iter().map(|(&from, progress)| (from, progress.next)))?;
        self.consumer().assign(&assignment).map_err(broken)
    }

    fn list(&self, positions: impl Iterator<Item = (PartitionId, i64)>) -> Result<TopicPartitionList, Stop> {
        let mut list = TopicPartitionList::new();
        for (from, next) in positions {
            let topic = &self.topics[usize::from(from.topic.0)];
            list.add_partition_offset(topic, from.partition, Offset::Offset(next)).map_err(broken)?;
        }
        Ok(list)
    }

    /// Hands over what is pending; waits a moment if nobody takes it. True if all is gone.
    fn hand_over(&mut self) -> Result<bool, Stop> {
        while let Some(told) = self.pending.pop_front() {
            match self.out.send_timeout(Ok(told), WAIT) {
                Ok(()) => {}
                Err(SendTimeoutError::Timeout(told)) => {
                    self.pending.push_front(told.expect("it was sent as Ok"));
                    return Ok(false);
                }
                Err(SendTimeoutError::Disconnected(_)) => return Err(Stop::Dropped),
            }
        }
        Ok(true)
    }

    /// Statistics, logs and errors that concern no partition.
    fn serve(&self) -> Result<(), Stop> {
        while let Some(told) = self.consumer().poll(Duration::ZERO) {
            match told {
                Ok(_) => return Err(Stop::Broken("a message of a partition that is not gathered".into())),
                Err(error) => self.consumer().context().warn(&error.to_string()),
            }
        }
        if self.consumer().context().is_fatal() {
            return Err(Stop::Broken("fatal error of the client".into()));
        }
        Ok(())
    }

    /// Takes what is there, in batches.
    fn fill(&mut self) -> Result<(), Stop> {
        for message in self.client.take(WAIT) {
            // Asking a message for its topic costs more than reading it.
            let topic = match self.topics.len() {
                1 => 0,
                _ => self.topics.iter().position(|topic| topic == message.topic()).expect("we assigned it"),
            };
            let from = PartitionId { topic: TopicId(topic as u16), partition: message.partition() };
            if let Some(error) = message.error() {
                self.close_batch();
                self.failed(from, error, message.offset())?;
            } else if let Some(progress) = self.reading.get_mut(&from)
                && message.offset() >= progress.next
            {
                (progress.next, progress.at_end) = (message.offset() + 1, false);
                self.batch.push(from, &message, &mut progress.room);
                if self.batch.is_full() {
                    self.close_batch();
                }
            }
        }
        self.close_batch();
        Ok(())
    }

    fn close_batch(&mut self) {
        let records = self.batch.take();
        if !records.is_empty() {
            self.tell(SourceEvent::Records(records));
        }
    }

    fn failed(&mut self, from: PartitionId, error: RDKafkaErrorCode, offset: i64) -> Result<(), Stop> {
        use RDKafkaErrorCode::{
            AutoOffsetReset, BadCompression, BadMessage, Fatal, InvalidMessage, MessageSizeTooLarge, NotImplemented,
            OffsetOutOfRange, PartitionEOF,
        };
        let told = || format!("{}/{}: {error}", self.topics[usize::from(from.topic.0)], from.partition);
        match error {
            PartitionEOF => {
                // Behind the last record may stand what a transaction gave up: the end is behind that.
                if let Some(progress) = self.reading.get_mut(&from)
                    && (!progress.at_end || offset > progress.next)
                {
                    (progress.next, progress.at_end) = (progress.next.max(offset), true);
                    let next = NextOffset(progress.next);
                    self.tell(SourceEvent::CaughtUp { from, next });
                }
            }
            // It is compared with the log and read on from where it was.
            AutoOffsetReset | OffsetOutOfRange => {
                let progress = self.reading.remove(&from);
                self.unchecked.extend(progress.map(|progress| (from, progress.next)));
            }
            // librdkafka goes on behind records it cannot read; a new client reads them again.
            BadMessage | BadCompression | InvalidMessage | MessageSizeTooLarge | NotImplemented | Fatal => {
                return Err(Stop::Broken(told()));
            }
            _ => self.consumer().context().warn(&told()),
        }
        Ok(())
    }
}

fn broken(error: impl ToString) -> Stop {
    Stop::Broken(error.to_string())
}
