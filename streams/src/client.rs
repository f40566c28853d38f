//! What every Kafka client of ours shares: its configuration, and where its logs, errors and statistics go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;

/// Options of librdkafka, handed on as they are: name and value.
pub type Options = [(String, String)];

/// At most one warning a client in this time; those left out are counted.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// `defaults`, then the user's `options`, then `fixed`, which no option may contradict.
pub(crate) fn client_config(
    brokers: &str,
    options: &Options,
    defaults: &[(&str, &str)],
    fixed: &[(&str, &str)],
) -> Result<ClientConfig, String> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("client.id", "perennial");
    for (name, value) in defaults {
        config.set(*name, *value);
    }
    for (name, value) in options {
        config.set(name, value);
    }
    for (name, value) in fixed {
        if let Some((_, other)) = options.iter().find(|(option, other)| option == name && other != value) {
            return Err(format!("option {name} = {other}: it has to be {value}"));
        }
        config.set(*name, *value);
    }
    Ok(config)
}

/// Receives what librdkafka tells.
#[derive(Default)]
pub(crate) struct Context {
    ends: Mutex<HashMap<(String, i32), i64>>,
    fatal: AtomicBool,
    quiet: Quiet,
}

impl Context {
    /// The offset the next record of a partition will get, as of the last statistics.
    pub(crate) fn end_of(&self, topic: &str, partition: i32) -> Option<i64> {
        // A map of plain numbers is whole even if its writer panicked.
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.get(&(topic.to_owned(), partition)).copied()
    }

    /// Whether the client is beyond repair.
    pub(crate) fn is_fatal(&self) -> bool {
        self.fatal.load(Ordering::Acquire)
    }

    /// Warns, unless it did so a moment ago.
    pub(crate) fn warn(&self, message: &str) {
        self.quiet.say(|left_out| tracing::warn!(left_out, "kafka: {message}"));
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                tracing::debug!(facility, "librdkafka: {message}");
            }
            _ => self.warn(message),
        }
    }

    fn stats(&self, statistics: Statistics) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        for (topic, of_topic) in statistics.topics {
            for (partition, of_partition) in of_topic.partitions {
                // A reader of committed records sees up to the last stable offset; negative = not known yet.
                let end = [of_partition.ls_offset, of_partition.hi_offset].into_iter().find(|&end| end >= 0);
                if let Some(end) = end {
                    ends.insert((topic.clone(), partition), end);
                }
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.fatal.store(true, Ordering::Release);
        }
        self.warn(&format!("{error}: {reason}"));
    }
}

impl ConsumerContext for Context {
    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(e) = result {
            self.warn(&format!("offsets for lag tools were not committed: {e}"));
        }
    }
}

/// Lets one message through in [`WARN_EVERY`] and counts the rest.
#[derive(Default)]
struct Quiet {
    last: Mutex<Option<Instant>>,
    left_out: AtomicU64,
}

impl Quiet {
    fn say(&self, tell: impl FnOnce(u64)) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|at| at.elapsed() < WARN_EVERY) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        *last = Some(Instant::now());
        tell(self.left_out.swap(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_would_lose_records_is_refused_by_name() {
        let options = [("auto.offset.reset".to_owned(), "latest".to_owned())];
        let refused = client_config("b", &options, &[], &[("auto.offset.reset", "error")]).unwrap_err();
        assert_eq!(refused, "option auto.offset.reset = latest: it has to be error");
    }

    #[test]
    fn options_beat_defaults() {
        let options = [("linger.ms".to_owned(), "7".to_owned())];
        let config = client_config("b", &options, &[("linger.ms", "5"), ("acks", "all")], &[]).unwrap();
        assert_eq!((config.get("linger.ms"), config.get("acks")), (Some("7"), Some("all")));
    }

    #[test]
    fn a_storm_of_warnings_is_one_warning_and_a_count() {
        let quiet = Quiet::default();
        let mut told = 0;
        (0..1000).for_each(|_| quiet.say(|_| told += 1));
        assert_eq!((told, quiet.left_out.load(Ordering::Relaxed)), (1, 999));
    }
}
