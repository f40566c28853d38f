//! Kafka as a source. One OS thread keeps polling; this side takes what it hands over through a bounded channel.
//!
//! The process assigns partitions itself and never joins a consumer group, so a restart reads on at once and no
//! rebalance can move a partition away. The group id only names the offsets that lag tools look at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use features::{NextOffset, PartitionId, Start};
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::client::{Context, client_config};
use crate::poll_thread::{Command, Reader, Told};
use crate::{Source, SourceError, SourceEvent};

/// Batches that may wait for the pipeline; the reader is held back beyond.
const BATCHES: usize = 16;
/// Commands that may wait for the reader.
const COMMANDS: usize = 64;
/// How long a dropped source waits for its client to say good-bye.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

const DEFAULTS: &[(&str, &str)] = &[
    ("statistics.interval.ms", "2000"),
    ("fetch.queue.backoff.ms", "50"),
    // An empty answer says that a partition is at its end, so it must not take long.
    ("fetch.wait.max.ms", "100"),
    ("queued.max.messages.kbytes", "32768"),
    ("socket.keepalive.enable", "true"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// What decides which records arrive, and that none is lost unseen.
const FIXED: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("check.crcs", "true"),
    ("allow.auto.create.topics", "false"),
    ("enable.partition.eof", "true"),
];

/// Where to read.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Options of librdkafka, handed on as they are.
    pub options: Vec<(String, String)>,
    /// Under which name progress is shown to lag tools.
    pub group_id: String,
    /// The topics; the place in this list is the [`features::TopicId`].
    pub topics: Vec<String>,
    /// Where partitions begin that exist when the source first sees their topic. Those that appear later begin at their
    /// oldest record if this is [`Start::Latest`]: every record of theirs is one to come.
    pub start: Start,
    /// How often to look for new partitions.
    pub look_every: Duration,
}

impl KafkaConfig {
    /// New partitions are looked for once a minute.
    pub const LOOK_EVERY: Duration = Duration::from_secs(60);
}

/// Reads topics of one Kafka cluster.
pub struct KafkaSource {
    topics: Vec<String>,
    context: Arc<Context>,
    /// Number of calls to `assign`; what the reader told before it heard of the last one carries a smaller number.
    generation: u64,
    /// For each assigned partition the generation of its assignment and the first offset not yet delivered.
    assigned: BTreeMap<PartitionId, (u64, i64)>,
    link: Option<Link>,
}

struct Link {
    commands: Sender<Command>,
    told: Receiver<Result<Told, SourceError>>,
    closed: Receiver<()>,
}

impl KafkaSource {
    /// Starts to look for partitions; the brokers need not be reachable yet.
    ///
    /// # Errors
    /// An option that librdkafka does not know, or one that would lose records.
    pub fn start(config: KafkaConfig) -> Result<Self, SourceError> {
        let mut client =
            client_config(&config.brokers, &config.options, DEFAULTS, FIXED).map_err(SourceError::Kafka)?;
        client.set("group.id", &config.group_id);
        let consumer: BaseConsumer<Context> =
            client.create_with_context(Context::default()).map_err(|e| SourceError::Kafka(e.to_string()))?;
        let context = Arc::clone(consumer.context());
        let topics = config.topics.clone();
        let (commands, to_obey) = bounded(COMMANDS);
        let (to_tell, told) = bounded(BATCHES);
        let (closing, closed) = bounded(0);
        let name = format!("kafka {}", config.group_id);
        thread::Builder::new()
            .name(name)
            .spawn(move || {
                Reader::new(consumer, &config, to_obey, to_tell).run();
                drop(closing);
            })
            .map_err(|e| SourceError::Kafka(format!("no thread to read in: {e}")))?;
        let link = Some(Link { commands, told, closed });
        Ok(Self { topics, context, generation: 0, assigned: BTreeMap::new(), link })
    }

    fn link(&self) -> &Link {
        self.link.as_ref().expect("taken by drop alone")
    }

    /// What is left of an event once everything from before a partition's last assignment is taken out.
    fn admit(&mut self, told: Told) -> Option<SourceEvent> {
        let Told { generation, mut event } = told;
        let latest = generation == self.generation;
        let current = |from: &PartitionId| {
            latest || self.assigned.get(from).is_some_and(|(assigned_at, _)| *assigned_at <= generation)
        };
        match &mut event {
            SourceEvent::Records(records) => {
                if !latest {
                    records.retain(|record| current(&record.from));
                }
                let last = records.last()?;
                let (mut from, mut next) = (last.from, last.offset + 1);
                for record in records.iter().rev() {
                    if record.from != from {
                        self.deliver(from, next);
                        (from, next) = (record.from, record.offset + 1);
                    }
                }
                self.deliver(from, next);
                Some(event)
            }
            SourceEvent::CaughtUp { from, next } => {
                let (from, next) = (*from, next.0);
                current(&from).then(|| self.deliver(from, next))?;
                Some(event)
            }
            SourceEvent::Gap { from, .. } => current(from).then_some(event),
            _ => Some(event),
        }
    }

    fn command(&self, command: Command) -> Result<(), SourceError> {
        // The reader empties this queue at least ten times a second, however full the other one is.
        self.link().commands.send_timeout(command, CLOSE_WITHIN).map_err(|_| SourceError::Stopped)
    }

    fn deliver(&mut self, from: PartitionId, next: i64) {
        if let Some((_, delivered)) = self.assigned.get_mut(&from) {
            *delivered = next.max(*delivered);
        }
    }
}

impl Source for KafkaSource {
    fn poll(&mut self, wait: Duration) -> Result<Option<SourceEvent>, SourceError> {
        let until = Instant::now() + wait;
        loop {
            match self.link().told.recv_deadline(until) {
                Ok(Ok(told)) => {
                    if let Some(event) = self.admit(told) {
                        return Ok(Some(event));
                    }
                }
                Ok(Err(broken)) => return Err(broken),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(SourceError::Stopped),
            }
        }
    }

    fn assign(&mut self, partitions: &[(PartitionId, NextOffset)]) -> Result<(), SourceError> {
        self.generation += 1;
        for &(from, next) in partitions {
            self.assigned.insert(from, (self.generation, next.0));
        }
        self.command(Command::Assign { generation: self.generation, partitions: partitions.to_vec() })
    }

    fn stop(&mut self, partition: PartitionId) -> Result<(), SourceError> {
        self.command(Command::Stop(partition))
    }

    fn committed(&mut self, positions: &[(PartitionId, NextOffset)]) {
        // A full queue is no loss: the next checkpoint tells more.
        let _ = self.link().commands.try_send(Command::Committed(positions.to_vec()));
    }

    fn lag(&self) -> Vec<(PartitionId, i64)> {
        let lag = |(&from, &(_, next)): (&PartitionId, &(u64, i64))| {
            let end = self.context.end_of(&self.topics[usize::from(from.topic.0)], from.partition)?;
            Some((from, (end - next).max(0)))
        };
        self.assigned.iter().filter_map(lag).collect()
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        if let Some(Link { commands, told, closed }) = self.link.take() {
            drop((commands, told));
            // Ends by disconnection once the client is closed; a client that cannot close is left behind.
            if closed.recv_timeout(CLOSE_WITHIN) == Err(RecvTimeoutError::Timeout) {
                tracing::warn!("the Kafka client does not close; it is left to itself");
            }
        }
    }
}
