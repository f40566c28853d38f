//! Topics made and changed: dead letters need one, tests need many.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::SinkError;
use crate::client::{Context, Options, client_config};

/// How long the brokers may take for one request.
const WITHIN: Duration = Duration::from_secs(15);

/// A client that makes and changes topics.
pub struct Admin {
    client: AdminClient<Context>,
}

impl Admin {
    /// A client; the brokers need not be reachable yet.
    ///
    /// # Errors
    /// An option that librdkafka does not know.
    pub fn start(brokers: &str, options: &Options) -> Result<Self, SinkError> {
        let config = client_config(brokers, options, &[], &[]).map_err(SinkError::Kafka)?;
        Ok(Self { client: config.create_with_context(Context::default())? })
    }

    /// Whether a topic exists.
    ///
    /// # Errors
    /// No answer in 15 seconds, or no permission.
    pub fn topic_exists(&self, name: &str) -> Result<bool, SinkError> {
        let metadata = self.client.inner().fetch_metadata(Some(name), WITHIN)?;
        let found = metadata.topics().iter().find(|found| found.name() == name);
        match found.map(|found| (found.error(), found.partitions().len())) {
            None | Some((None, 0) | (Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), _)) => Ok(false),
            Some((None, _)) => Ok(true),
            Some((Some(error), _)) => Err(SinkError::Kafka(format!("{name}: {}", RDKafkaErrorCode::from(error)))),
        }
    }

    /// Makes a topic with the cluster's usual number of replicas; one that exists is left as it is.
    ///
    /// # Errors
    /// The brokers refuse, or do not answer in 15 seconds.
    pub fn create_topic(&self, name: &str, partitions: i32, config: &[(&str, &str)]) -> Result<(), SinkError> {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
        let topic = config.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        match first(wait_for(self.client.create_topics([&topic], &options()))?) {
            Err(SinkError::Kafka(_)) if self.topic_exists(name)? => Ok(()),
            result => result,
        }
    }

    /// Raises a topic's number of partitions to `total`.
    ///
    /// # Errors
    /// The brokers refuse, or do not answer in 15 seconds.
    pub fn add_partitions(&self, name: &str, total: usize) -> Result<(), SinkError> {
        first(wait_for(self.client.create_partitions([&NewPartitions::new(name, total)], &options()))?)
    }

    /// Deletes the records of a partition below an offset, as retention would.
    ///
    /// # Errors
    /// The brokers refuse, or do not answer in 15 seconds.
    pub fn delete_records(&self, name: &str, partition: i32, below: i64) -> Result<(), SinkError> {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(name, partition, Offset::Offset(below))?;
        let deleted = wait_for(self.client.delete_records(&offsets, &options()))?;
        Ok(deleted.elements().iter().try_for_each(|element| element.error())?)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(WITHIN)).request_timeout(Some(WITHIN))
}

fn first(results: Vec<TopicResult>) -> Result<(), SinkError> {
    match results.into_iter().next() {
        None => Err(SinkError::Kafka("no answer".into())),
        Some(Ok(_)) => Ok(()),
        Some(Err((name, code))) => Err(SinkError::Kafka(format!("{name}: {code}"))),
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for one of librdkafka's answers on this thread.
fn wait_for<T>(answer: impl Future<Output = KafkaResult<T>>) -> Result<T, SinkError> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut answer = pin!(answer);
    // The client itself gives up earlier.
    let until = Instant::now() + 2 * WITHIN;
    loop {
        if let Poll::Ready(result) = answer.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            return Ok(result?);
        }
        match until.checked_duration_since(Instant::now()) {
            Some(left) => thread::park_timeout(left),
            None => return Err(SinkError::Kafka("no answer".into())),
        }
    }
}
