//! Records out to one topic: idempotent, acknowledged by all replicas, bounded, and nothing forgotten that failed.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header as KafkaHeader, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use thiserror::Error;

use crate::client::{Context, Options, client_config};

/// So many failed records are kept to be sent again; beyond, nothing new is taken.
const FAILED: usize = 1_000;
/// How often a full queue is tried again.
const PAUSE: Duration = Duration::from_millis(2);

const DEFAULTS: &[(&str, &str)] = &[
    ("linger.ms", "5"),
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    // The broker decides what is too large.
    ("message.max.bytes", "100000000"),
    // A broker that is away comes back: what was taken is kept, and the bounded queue holds the sender back.
    ("message.timeout.ms", "0"),
    // A key goes to the partition that Java's producer would choose.
    ("partitioner", "murmur2_random"),
];
const FIXED: &[(&str, &str)] = &[("enable.idempotence", "true"), ("acks", "all")];

/// A header of a record: its name and, unless null, its bytes.
pub type Header = (String, Option<Vec<u8>>);

/// Why records did not get out.
#[derive(Debug, Error)]
pub enum SinkError {
    /// The brokers or the client library.
    #[error("kafka: {0}")]
    Kafka(String),
    /// As many records as may wait are waiting, and it did not change in the time given.
    #[error("the queue to {topic} is full")]
    Full {
        /// The topic.
        topic: String,
    },
    /// A single record is larger than the client or the topic allows.
    #[error("a record of {bytes} bytes is too large for {topic}")]
    TooLarge {
        /// The topic.
        topic: String,
        /// Bytes of its value.
        bytes: usize,
    },
    /// Sent, but not (yet) acknowledged; they are kept, and the next flush sends again what failed.
    #[error("{records} records to {topic} are not acknowledged{}", first.as_ref().map_or(String::new(), |e| format!(": {e}")))]
    NotAcknowledged {
        /// The topic.
        topic: String,
        /// How many.
        records: usize,
        /// What the first failure was; `None` if there was just no answer in time.
        first: Option<String>,
    },
}

impl From<KafkaError> for SinkError {
    fn from(e: KafkaError) -> Self {
        Self::Kafka(e.to_string())
    }
}

/// A record to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to; the key decides if there is none.
    pub partition: Option<i32>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Epoch milliseconds; now if there is none.
    pub timestamp: Option<i64>,
    /// Headers, in order.
    pub headers: Vec<Header>,
}

/// Sends records to one topic, from any thread.
pub struct Producer {
    topic: String,
    config: ClientConfig,
    failed: Arc<Mutex<Vec<Failed>>>,
    /// Replaced when it is beyond repair.
    client: RwLock<ThreadedProducer<Deliveries>>,
}

/// A record that was refused, and why.
pub(crate) struct Failed {
    pub(crate) outgoing: Outgoing,
    pub(crate) code: Option<RDKafkaErrorCode>,
    reason: String,
}

impl Producer {
    /// A client; the brokers need not be reachable yet.
    ///
    /// # Errors
    /// An option that librdkafka does not know, or one that would lose or repeat records.
    pub fn start(brokers: &str, options: &Options, topic: &str) -> Result<Self, SinkError> {
        let config = client_config(brokers, options, DEFAULTS, FIXED).map_err(SinkError::Kafka)?;
        let failed = Arc::default();
        let client = RwLock::new(connect(&config, &failed)?);
        Ok(Self { topic: topic.to_owned(), config, failed, client })
    }

    /// Puts a record into the queue; waits at most `wait` for room.
    ///
    /// # Errors
    /// [`SinkError::Full`], [`SinkError::TooLarge`]; or the client is beyond repair, which the next flush mends.
    pub fn send(&self, outgoing: &Outgoing, wait: Duration) -> Result<(), SinkError> {
        let until = Instant::now() + wait;
        let full = || SinkError::Full { topic: self.topic.clone() };
        loop {
            if self.failed().len() < FAILED {
                let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
                let sent = client.send(record(&self.topic, outgoing)).map_err(|(error, _)| error);
                match sent.as_ref().map_err(KafkaError::rdkafka_error_code) {
                    Ok(()) => return Ok(()),
                    Err(Some(RDKafkaErrorCode::QueueFull)) => {}
                    Err(Some(RDKafkaErrorCode::MessageSizeTooLarge)) => {
                        let bytes = outgoing.payload.as_ref().map_or(0, Vec::len);
                        return Err(SinkError::TooLarge { topic: self.topic.clone(), bytes });
                    }
                    Err(_) => return Ok(sent?),
                }
            }
            if Instant::now() >= until {
                return Err(full());
            }
            thread::sleep(PAUSE);
        }
    }

    /// Sends again what failed, and waits at most `wait` until everything sent is acknowledged.
    ///
    /// # Errors
    /// [`SinkError::NotAcknowledged`]: nothing is forgotten, the next flush goes on.
    pub fn flush(&self, wait: Duration) -> Result<(), SinkError> {
        let until = Instant::now() + wait;
        self.send_again(|failed| failed.outgoing, until)?;
        self.acknowledged(until)
    }

    /// Sends what failed, as `mend` makes it.
    pub(crate) fn send_again(&self, mend: impl Fn(Failed) -> Outgoing, until: Instant) -> Result<(), SinkError> {
        self.renew()?;
        let failed = std::mem::take(&mut *self.failed());
        let mut again = failed.into_iter().map(mend);
        while let Some(outgoing) = again.next() {
            if let Err(e) = self.send(&outgoing, until.saturating_duration_since(Instant::now())) {
                let reason = e.to_string();
                let keep = |outgoing| Failed { outgoing, code: None, reason: reason.clone() };
                self.failed().extend(std::iter::once(outgoing).chain(again).map(keep));
                return Err(e);
            }
        }
        Ok(())
    }

    /// Waits until everything sent is acknowledged.
    pub(crate) fn acknowledged(&self, until: Instant) -> Result<(), SinkError> {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
        // What is not acknowledged in time is counted below.
        let _ = client.flush(until.saturating_duration_since(Instant::now()));
        let in_flight = client.in_flight_count().max(0) as usize;
        let failed = self.failed();
        match in_flight + failed.len() {
            0 => Ok(()),
            records => {
                let first = failed.first().map(|failed| failed.reason.clone());
                Err(SinkError::NotAcknowledged { topic: self.topic.clone(), records, first })
            }
        }
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, Vec<Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idempotent producer that met a fatal error sends nothing any more: a new one takes over what it had.
    fn renew(&self) -> Result<(), SinkError> {
        let fatal = |client: &ThreadedProducer<Deliveries>| client.client().fatal_error().is_some();
        if fatal(&self.client.read().unwrap_or_else(PoisonError::into_inner)) {
            let mut client = self.client.write().unwrap_or_else(PoisonError::into_inner);
            if fatal(&client) {
                // Dropping the old one hands its records to `failed`.
                *client = connect(&self.config, &self.failed)?;
            }
        }
        Ok(())
    }
}

fn connect(config: &ClientConfig, failed: &Arc<Mutex<Vec<Failed>>>) -> Result<ThreadedProducer<Deliveries>, SinkError> {
    let context = Deliveries { context: Context::default(), failed: Arc::clone(failed) };
    Ok(config.create_with_context(context)?)
}

fn record<'a>(topic: &'a str, outgoing: &'a Outgoing) -> BaseRecord<'a, [u8], [u8]> {
    let mut record = BaseRecord::to(topic);
    record.partition = outgoing.partition;
    record.key = outgoing.key.as_deref();
    record.payload = outgoing.payload.as_deref();
    record.timestamp = outgoing.timestamp;
    if !outgoing.headers.is_empty() {
        let headers = OwnedHeaders::new_with_capacity(outgoing.headers.len());
        let insert =
            |headers: OwnedHeaders, (key, value): &Header| headers.insert(KafkaHeader { key, value: value.as_deref() });
        record.headers = Some(outgoing.headers.iter().fold(headers, insert));
    }
    record
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<Header> {
    message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    })
}

/// Keeps what was not delivered.
struct Deliveries {
    context: Context,
    failed: Arc<Mutex<Vec<Failed>>>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else { return };
        self.context.warn(&format!("a record to {} was not taken: {error}", message.topic()));
        let outgoing = Outgoing {
            // The key chooses again; without a key any partition will do.
            partition: None,
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            timestamp: message.timestamp().to_millis(),
            headers: headers(message),
        };
        let failed = Failed { outgoing, code: error.rdkafka_error_code(), reason: error.to_string() };
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).push(failed);
    }
}
