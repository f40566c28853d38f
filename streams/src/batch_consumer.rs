//! A consumer whose messages are taken many at a time. rdkafka hands them out one by one, each as an event of its own,
//! which costs a reader more than half of its time (docs/benchmarks.md, "Kafka → learned"); librdkafka's batch call is not
//! wrapped by it, so it is called here. This is the only unsafe code of the project.
#![allow(unsafe_code, reason = "rdkafka does not wrap librdkafka's batch consumption")]

use std::ffi::{CStr, CString};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use rdkafka::bindings::{
    rd_kafka_consume_batch_queue, rd_kafka_message_destroy, rd_kafka_message_t, rd_kafka_message_timestamp,
    rd_kafka_queue_destroy, rd_kafka_queue_forward, rd_kafka_queue_get_partition, rd_kafka_queue_new, rd_kafka_queue_t,
    rd_kafka_timestamp_type_t, rd_kafka_topic_name,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use crate::client::Context;

/// Messages taken by one call at most.
const MOST: usize = 1_000;

/// A consumer, and a queue of its own for the messages of its partitions: what else librdkafka has to tell stays in the
/// consumer's own queue, where [`BaseConsumer::poll`] serves it.
pub(crate) struct BatchConsumer {
    /// The queues of the partitions themselves. Fields are dropped in this order: the client last.
    gathered: Vec<Queue>,
    queue: Queue,
    consumer: BaseConsumer<Context>,
}

/// A handle of ours, to be dropped before the client it belongs to.
struct Queue(NonNull<rd_kafka_queue_t>);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not used any more.
        unsafe { rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}

// SAFETY: librdkafka's clients and queues may be used from any thread.
unsafe impl Send for BatchConsumer {}

impl BatchConsumer {
    pub(crate) fn new(consumer: BaseConsumer<Context>) -> Self {
        // SAFETY: the client is alive.
        let queue = unsafe { rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue = Queue(NonNull::new(queue).expect("librdkafka makes a queue or aborts"));
        Self { gathered: Vec::new(), queue, consumer }
    }

    /// The consumer, for everything but taking messages.
    pub(crate) fn consumer(&self) -> &BaseConsumer<Context> {
        &self.consumer
    }

    /// Has the messages of these partitions, and no others, come here; before they are assigned, so that none goes
    /// elsewhere.
    pub(crate) fn gather<'a>(&mut self, partitions: impl Iterator<Item = (&'a str, i32)>) {
        let client = self.consumer.client().native_ptr();
        let queue_of = |(topic, partition)| {
            let topic = CString::new(topic).ok()?;
            // SAFETY: the client is alive and copies the name; the handle got is ours.
            NonNull::new(unsafe { rd_kafka_queue_get_partition(client, topic.as_ptr(), partition) }).map(Queue)
        };
        self.gathered = partitions.filter_map(queue_of).collect();
        self.forward();
    }

    /// A partition that is assigned anew is stopped first, some time later, and what is forwarded is forgotten then: its
    /// messages wait in its own queue until this is said again.
    fn forward(&self) {
        for partition in &self.gathered {
            // SAFETY: both queues are alive.
            unsafe { rd_kafka_queue_forward(partition.0.as_ptr(), self.queue.0.as_ptr()) };
        }
    }

    /// Waits until a message is there, but at most so long; all that are there then, up to [`MOST`].
    pub(crate) fn take(&self, wait: Duration) -> Vec<Fetched> {
        self.forward();
        let mut taken = Vec::with_capacity(MOST);
        // The call waits until it has as many as it is asked for.
        self.fetch(wait, 1, &mut taken);
        if !taken.is_empty() {
            self.fetch(Duration::ZERO, MOST - 1, &mut taken);
        }
        taken.into_iter().map(Fetched).collect()
    }

    fn fetch(&self, wait: Duration, most: usize, taken: &mut Vec<*mut rd_kafka_message_t>) {
        let before = taken.len();
        taken.resize(before + most, ptr::null_mut());
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is alive, and there is room for `most` pointers behind the `before` ones.
        let count =
            unsafe { rd_kafka_consume_batch_queue(self.queue.0.as_ptr(), wait, taken[before..].as_mut_ptr(), most) };
        // Negative: there is no such queue, which cannot be.
        taken.truncate(before + usize::try_from(count).unwrap_or(0));
    }
}

/// A message, or what has become of a partition in a message's place.
pub(crate) struct Fetched(*mut rd_kafka_message_t);

impl Fetched {
    fn message(&self) -> &rd_kafka_message_t {
        // SAFETY: librdkafka gave it to us alone; it lives until this value is dropped.
        unsafe { &*self.0 }
    }

    /// Why there is no message; it has a topic and a partition nevertheless.
    pub(crate) fn error(&self) -> Option<RDKafkaErrorCode> {
        let code = RDKafkaErrorCode::from(self.message().err);
        (code != RDKafkaErrorCode::NoError).then_some(code)
    }

    pub(crate) fn topic(&self) -> &str {
        let topic = self.message().rkt;
        if topic.is_null() {
            return "";
        }
        // SAFETY: the message keeps its topic alive, whose name ends with a zero and does not change.
        unsafe { CStr::from_ptr(rd_kafka_topic_name(topic)) }.to_str().unwrap_or_default()
    }

    pub(crate) fn partition(&self) -> i32 {
        self.message().partition
    }

    pub(crate) fn offset(&self) -> i64 {
        self.message().offset
    }

    /// Milliseconds since 1970; `None` if the broker keeps none.
    pub(crate) fn timestamp(&self) -> Option<i64> {
        let mut kind = rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: both pointers are valid.
        let at = unsafe { rd_kafka_message_timestamp(self.0, &raw mut kind) };
        (at != -1).then_some(at)
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        // SAFETY: see `bytes`; these are the message's own pointer and length.
        unsafe { bytes(self.message().key.cast(), self.message().key_len) }
    }

    /// `None`: a tombstone.
    pub(crate) fn payload(&self) -> Option<&[u8]> {
        // SAFETY: see `bytes`; these are the message's own pointer and length.
        unsafe { bytes(self.message().payload.cast(), self.message().len) }
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // SAFETY: ours alone, and not looked at any more.
        unsafe { rd_kafka_message_destroy(self.0) };
    }
}

/// # Safety
/// `start` is null, or the start of `length` bytes that live and stay as they are as long as the message borrowed from.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as promised above.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start, length) })
}
