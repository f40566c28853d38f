//! Where records go that cannot be learned from: a compacted topic, one letter an offset. A repeat after a crash has the
//! same bytes and compacts away, so the set of keys is the set of bad offsets.

use features::Record;

use crate::producer::{Header, Outgoing};

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
    /// How their topic is made if it does not exist.
    pub const TOPIC: &'static [(&'static str, &'static str)] =
        &[("cleanup.policy", "compact"), ("max.message.bytes", "16777216")];

    /// Key `topic/partition/offset`, the original value, and as headers `perennial.reason`, `perennial.error`,
    /// `perennial.topic`, `perennial.partition`, `perennial.offset`, `perennial.timestamp` and, if it had one,
    /// `perennial.key`.
    pub fn outgoing(&self) -> Outgoing {
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
