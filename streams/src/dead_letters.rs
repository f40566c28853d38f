//! Where records go that cannot be learned from: a compacted topic, one letter an offset. A repeat after a crash has the
//! same bytes and compacts away, so the set of keys is the set of bad offsets.

use std::time::{Duration, Instant};

use features::Record;
use rdkafka::error::RDKafkaErrorCode;

use crate::admin::Admin;
use crate::client::Options;
use crate::producer::{Header, Outgoing, Producer, SinkError};

/// What is kept of a record that the topic finds too large.
const CUT_TO: usize = 64 << 10;
/// Characters of the reason's text that are kept.
const REASON: usize = 1_000;

/// A record and why it cannot be learned from.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// The record as it came.
    pub record: &'a Record,
    /// The name of its topic.
    pub topic: &'a str,
    /// The reason's short stable name.
    pub class: &'a str,
    /// The reason in words.
    pub reason: &'a str,
}

impl DeadLetter<'_> {
    /// Key `topic/partition/offset`, the original value, and as headers `perennial.reason`, `perennial.error`,
    /// `perennial.topic`, `perennial.partition`, `perennial.offset`, `perennial.timestamp` and, if it had one,
    /// `perennial.key`.
    fn outgoing(&self) -> Outgoing {
        let Record { from, offset, timestamp, key, payload } = self.record;
        let text = |name: &str, value: String| -> Header { (format!("perennial.{name}"), Some(value.into_bytes())) };
        let mut headers = vec![
            text("reason", self.class.to_owned()),
            text("error", self.reason.chars().take(REASON).collect()),
            text("topic", self.topic.to_owned()),
            text("partition", from.partition.to_string()),
            text("offset", offset.to_string()),
            text("timestamp", timestamp.0.to_string()),
        ];
        if let Some(key) = key {
            headers.push(("perennial.key".into(), Some(key.to_vec())));
        }
        Outgoing {
            partition: None,
            key: Some(format!("{}/{}/{offset}", self.topic, from.partition).into_bytes()),
            payload: payload.as_deref().map(<[u8]>::to_vec),
            // A broker may refuse times that are far from now.
            timestamp: None,
            headers,
        }
    }
}

/// Sends dead letters, from any thread.
pub struct DeadLetters {
    producer: Producer,
}

impl DeadLetters {
    /// Makes the topic, compacted and with one partition, if it does not exist.
    ///
    /// # Errors
    /// The brokers do not answer or refuse; or an option is wrong.
    pub fn start(brokers: &str, options: &Options, topic: &str) -> Result<Self, SinkError> {
        let admin = Admin::start(brokers, options)?;
        if !admin.topic_exists(topic)? {
            admin.create_topic(topic, 1, &[("cleanup.policy", "compact"), ("max.message.bytes", "16777216")])?;
        }
        Ok(Self { producer: Producer::start(brokers, options, topic)? })
    }

    /// Puts letters into the queue; waits at most `wait` for room.
    ///
    /// # Errors
    /// There is no room, or the client is beyond repair: all of `letters` are to be sent again after a flush.
    pub fn send(&self, letters: &[DeadLetter<'_>], wait: Duration) -> Result<(), SinkError> {
        let until = Instant::now() + wait;
        for letter in letters {
            let outgoing = letter.outgoing();
            let left = || until.saturating_duration_since(Instant::now());
            match self.producer.send(&outgoing, left()) {
                Err(SinkError::TooLarge { .. }) => self.producer.send(&cut(outgoing), left())?,
                sent => sent?,
            }
        }
        Ok(())
    }

    /// Waits at most `wait` until every letter sent is acknowledged by all replicas; what failed is sent again first.
    ///
    /// # Errors
    /// Letters are not acknowledged: no checkpoint may pass their offsets. They are kept; the next flush goes on.
    pub fn flush(&self, wait: Duration) -> Result<(), SinkError> {
        let until = Instant::now() + wait;
        let too_large = |code| code == Some(RDKafkaErrorCode::MessageSizeTooLarge);
        self.producer
            .send_again(|failed| if too_large(failed.code) { cut(failed.outgoing) } else { failed.outgoing }, until)?;
        self.producer.acknowledged(until)
    }
}

/// The beginning of a letter that is too large, and how long it was: the rest stands at its offset in its topic.
fn cut(mut letter: Outgoing) -> Outgoing {
    if let Some(payload) = &mut letter.payload {
        letter.headers.push(("perennial.bytes".into(), Some(payload.len().to_string().into_bytes())));
        payload.truncate(CUT_TO);
    }
    letter
}
