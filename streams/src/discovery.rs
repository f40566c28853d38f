//! Which partitions there are, and where a new model begins in them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use features::{NextOffset, PartitionId, Start, TopicId};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::SourceEvent;
use crate::client::Context;
use crate::kafka_source::KafkaConfig;
use crate::poll_thread::{ASK, PATIENCE, RETRY};

pub(crate) struct Discovery {
    topics: Vec<String>,
    start: Start,
    every: Duration,
    due: Instant,
    /// Told already.
    known: BTreeSet<PartitionId>,
    /// Told to be missing.
    missing: BTreeSet<TopicId>,
    /// How many partitions each topic had when it was first asked about (0 if it was missing).
    at_first: BTreeMap<TopicId, usize>,
    looks: usize,
}

impl Discovery {
    pub(crate) fn new(config: &KafkaConfig) -> Self {
        Self {
            topics: config.topics.clone(),
            start: config.start,
            every: config.look_every,
            due: Instant::now(),
            known: BTreeSet::new(),
            missing: BTreeSet::new(),
            at_first: BTreeMap::new(),
            looks: 0,
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// Asks the brokers; tells what is new. Looks again soon while something is missing.
    pub(crate) fn look(&mut self, consumer: &BaseConsumer<Context>) -> Vec<SourceEvent> {
        let mut events = Vec::new();
        let mut complete = true;
        let until = Instant::now() + PATIENCE;
        for number in self.in_turn(self.topics.len()) {
            let found = self.look_at(TopicId(number as u16), consumer, until, &mut events);
            complete &= found.unwrap_or_else(|e| {
                consumer.context().warn(&format!("partitions of {}: {e}", self.topics[number]));
                false
            });
            if Instant::now() >= until {
                complete = false;
                break;
            }
        }
        self.looks += 1;
        self.due = Instant::now() + if complete { self.every } else { self.every.min(RETRY) };
        events
    }

    /// Numbers below `count`, beginning with another one at each look: one that does not answer holds no other up.
    fn in_turn(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let looks = self.looks;
        (0..count).map(move |i| (i + looks) % count)
    }

    /// True if the topic exists and all its partitions are known now.
    fn look_at(
        &mut self,
        topic: TopicId,
        consumer: &BaseConsumer<Context>,
        until: Instant,
        events: &mut Vec<SourceEvent>,
    ) -> KafkaResult<bool> {
        let name = &self.topics[usize::from(topic.0)];
        let metadata = consumer.fetch_metadata(Some(name), ASK)?;
        let found = metadata.topics().iter().find(|found| found.name() == name);
        let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        let partitions = match found.map(|found| (found.error(), found.partitions())) {
            None | Some((None, [])) => 0,
            Some((Some(error), _)) if error == unknown => 0,
            Some((Some(error), _)) => return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::from(error))),
            Some((None, partitions)) => partitions.len(),
        };
        let at_first = *self.at_first.entry(topic).or_insert(partitions);
        if partitions == 0 {
            if self.missing.insert(topic) {
                events.push(SourceEvent::TopicMissing { topic: name.clone() });
            }
            return Ok(false);
        }
        self.missing.remove(&topic);
        let mut failure = None;
        for number in self.in_turn(partitions) {
            let from = PartitionId { topic, partition: number as i32 };
            if self.known.contains(&from) {
                continue;
            }
            let late = self.start == Start::Latest && number >= at_first;
            let start = if late { Start::Earliest } else { self.start };
            match resolve(start, name, from.partition, consumer) {
                Ok(start) => {
                    self.known.insert(from);
                    events.push(SourceEvent::Discovered { from, start: NextOffset(start) });
                }
                Err(e) => failure = Some(e),
            }
            if Instant::now() >= until {
                return failure.map_or(Ok(false), Err);
            }
        }
        failure.map_or(Ok(true), Err)
    }
}

/// The offset that `start` means in a partition.
fn resolve(start: Start, topic: &str, partition: i32, consumer: &BaseConsumer<Context>) -> KafkaResult<i64> {
    if let Start::Time(at) = start {
        let mut times = TopicPartitionList::new();
        times.add_partition_offset(topic, partition, Offset::Offset(at))?;
        let found = consumer.offsets_for_times(times, ASK)?;
        if let Some(element) = found.elements().first() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                return Ok(offset);
            }
        }
    }
    let (low, high) = consumer.fetch_watermarks(topic, partition, ASK)?;
    Ok(if start == Start::Earliest { low } else { high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::client_config;
    use crate::{MockBroker, Outgoing, Producer};

    #[test]
    fn latest_is_the_end_of_what_is_there_and_the_beginning_of_what_comes_later() {
        let broker = MockBroker::start(&[("here", 1)]).unwrap();
        let fixed = [("group.id", "test"), ("allow.auto.create.topics", "false")];
        let config = client_config(&broker.bootstrap, &[], &[], &fixed).unwrap();
        let consumer: BaseConsumer<Context> = config.create_with_context(Context::default()).unwrap();
        let fill = |topic: &str| {
            let producer = Producer::start(&broker.bootstrap, &[], topic).unwrap();
            let record = Outgoing { partition: Some(0), payload: Some(b"{}".to_vec()), ..Outgoing::default() };
            (0..5).for_each(|_| producer.send(&record, ASK).unwrap());
            producer.flush(10 * ASK).unwrap();
        };
        let mut discovery = Discovery::new(&KafkaConfig {
            brokers: broker.bootstrap.clone(),
            options: vec![],
            group_id: "test".into(),
            topics: vec!["here".into(), "late".into()],
            start: Start::Latest,
            look_every: KafkaConfig::LOOK_EVERY,
        });
        let discovered = |topic, start| SourceEvent::Discovered {
            from: PartitionId { topic: TopicId(topic), partition: 0 },
            start: NextOffset(start),
        };
        fill("here");
        let missing = SourceEvent::TopicMissing { topic: "late".into() };
        assert_eq!(discovery.look(&consumer), [discovered(0, 5), missing]);
        assert_eq!(discovery.look(&consumer), []);
        broker.create_topic("late", 1).unwrap();
        fill("late");
        assert_eq!(discovery.look(&consumer), [discovered(1, 0)]);
        assert_eq!(discovery.look(&consumer), []);
    }
}
