//! Records out to one topic for good: in bounds, acknowledged when asked, and none given up for being too large.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use crate::admin::Admin;
use crate::client::Options;
use crate::producer::{Outgoing, Producer, SinkError};

/// What is kept of a record that the topic finds too large.
const CUT_TO: usize = 64 << 10;

/// Sends records to a topic, from any thread.
pub struct Sink {
    producer: Producer,
}

impl Sink {
    /// Makes the topic with one partition and this configuration if it does not exist.
    ///
    /// # Errors
    /// The brokers do not answer or refuse; or an option is wrong.
    pub fn start(brokers: &str, options: &Options, topic: &str, made_with: &[(&str, &str)]) -> Result<Self, SinkError> {
        let admin = Admin::start(brokers, options)?;
        if !admin.topic_exists(topic)? {
            admin.create_topic(topic, 1, made_with)?;
        }
        Ok(Self { producer: Producer::start(brokers, options, topic)? })
    }

    /// Puts a record into the queue; waits at most `wait` for room.
    ///
    /// # Errors
    /// There is no room, or the client is beyond repair: it is to be sent again after a flush.
    pub fn send(&self, outgoing: &Outgoing, wait: Duration) -> Result<(), SinkError> {
        match self.producer.send(outgoing, wait) {
            Err(SinkError::TooLarge { .. }) => self.producer.send(&cut(outgoing.clone()), wait),
            sent => sent,
        }
    }

    /// Waits at most `wait` until every record sent is acknowledged by all replicas; what failed is sent again first.
    ///
    /// # Errors
    /// Records are not acknowledged: no checkpoint may pass them. They are kept; the next flush goes on.
    pub fn flush(&self, wait: Duration) -> Result<(), SinkError> {
        let until = Instant::now() + wait;
        let too_large = |code| code == Some(RDKafkaErrorCode::MessageSizeTooLarge);
        self.producer
            .send_again(|failed| if too_large(failed.code) { cut(failed.outgoing) } else { failed.outgoing }, until)?;
        self.producer.acknowledged(until)
    }
}

/// The beginning of a record that is too large, and how long it was.
fn cut(mut outgoing: Outgoing) -> Outgoing {
    if let Some(payload) = &mut outgoing.payload {
        outgoing.headers.push(("perennial.bytes".into(), Some(payload.len().to_string().into_bytes())));
        payload.truncate(CUT_TO);
    }
    outgoing
}
