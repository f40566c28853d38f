//! The Kafka source against a real Apache Kafka: what the embedded broker cannot show. A broker killed in mid-read must
//! cost time and nothing else; a log that no longer holds what is wanted must be said so, for that partition alone.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/kafka.rs"]
mod kafka;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use features::{NextOffset, PartitionId, Record, Start, TopicId};
use kafka::RealKafka;
use streams::{Admin, DeadLetter, KafkaConfig, KafkaSource, Outgoing, Producer, Sink, SinkError};
use streams::{Source, SourceEvent};

const WAIT: Duration = Duration::from_secs(60);

fn at(topic: u16, partition: i32) -> PartitionId {
    PartitionId { topic: TopicId(topic), partition }
}

fn source(kafka: &RealKafka, topics: &[&str], start: Start) -> KafkaSource {
    KafkaSource::start(KafkaConfig {
        brokers: kafka.brokers.clone(),
        options: vec![],
        group_id: "model".into(),
        topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        start,
        look_every: Duration::from_secs(1),
    })
    .expect("the options are right")
}

fn admin(kafka: &RealKafka) -> Admin {
    Admin::start(&kafka.brokers, &[]).expect("the options are right")
}

/// Sends records whose values and timestamps (in seconds) are their numbers.
fn fill(kafka: &RealKafka, topic: &str, partition: i32, numbers: std::ops::Range<i64>) {
    let producer = Producer::start(&kafka.brokers, &[], topic).expect("the options are right");
    for number in numbers {
        let outgoing = Outgoing {
            partition: Some(partition),
            payload: Some(number.to_string().into_bytes()),
            timestamp: Some(number * 1_000),
            ..Outgoing::default()
        };
        producer.send(&outgoing, WAIT).expect("there is room");
    }
    producer.flush(WAIT).expect("Kafka takes them");
}

/// What was read of each partition: the numbers sent, in the order they came.
#[derive(Default)]
struct Seen {
    numbers: BTreeMap<PartitionId, Vec<i64>>,
    found: Vec<(PartitionId, NextOffset)>,
    caught_up: BTreeMap<PartitionId, NextOffset>,
    other: Vec<SourceEvent>,
}

impl Seen {
    fn poll_until(&mut self, source: &mut KafkaSource, mut done: impl FnMut(&Self) -> bool) {
        let until = Instant::now() + WAIT;
        while !done(self) {
            assert!(Instant::now() < until, "waited too long: {}", self.describe());
            match source.poll(Duration::from_millis(100)).expect("the source goes on") {
                Some(SourceEvent::Records(records)) => records.iter().for_each(|record| self.take(record)),
                Some(SourceEvent::CaughtUp { from, next }) => drop(self.caught_up.insert(from, next)),
                Some(SourceEvent::Discovered { from, start }) => self.found.push((from, start)),
                Some(other) => self.other.push(other),
                None => {}
            }
        }
    }

    fn describe(&self) -> String {
        let counts: Vec<_> = self.numbers.iter().map(|(from, numbers)| (from, numbers.len())).collect();
        format!("records {counts:?}, found {:?}, at the end {:?}, {:?}", self.found, self.caught_up, self.other)
    }

    fn take(&mut self, record: &Record) {
        let text = String::from_utf8(record.payload.as_ref().expect("no tombstones were sent").to_vec())
            .expect("it is a number");
        self.numbers.entry(record.from).or_default().push(text.parse().expect("it is a number"));
    }

    fn discover(source: &mut KafkaSource, count: usize) -> Self {
        let mut seen = Self::default();
        seen.poll_until(source, |seen| seen.found.len() == count);
        seen.found.sort();
        seen
    }
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn a_broker_killed_in_mid_read_loses_and_repeats_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut kafka = RealKafka::start(dir.path());
    admin(&kafka).create_topic("t", 3, &[]).expect("Kafka makes it");
    let half = 150_000;
    (0..3).for_each(|partition| fill(&kafka, "t", partition, 0..half));
    let mut source = source(&kafka, &["t"], Start::Earliest);
    let mut seen = Seen::discover(&mut source, 3);
    source.assign(&seen.found.clone()).expect("it reads");
    seen.poll_until(&mut source, |seen| seen.numbers.values().map(Vec::len).sum::<usize>() > 20_000);
    kafka.kill9();
    // What was fetched before comes out; then nothing.
    let mut quiet = Instant::now();
    let mut count = 0;
    seen.poll_until(&mut source, |seen| {
        let now: usize = seen.numbers.values().map(Vec::len).sum();
        if now != count {
            (quiet, count) = (Instant::now(), now);
        }
        quiet.elapsed() > Duration::from_secs(1)
    });
    kafka.restart();
    (0..3).for_each(|partition| fill(&kafka, "t", partition, half..half + 10));
    seen.poll_until(&mut source, |seen| (0..3).all(|p| seen.caught_up.get(&at(0, p)) == Some(&NextOffset(half + 10))));
    for numbers in seen.numbers.values() {
        assert!(numbers.iter().copied().eq(0..half + 10));
    }
    assert_eq!(seen.other, []);
    kafka.stop();
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn topics_and_partitions_that_appear_gaps_and_starts_by_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let kafka = RealKafka::start(dir.path());
    let admin = admin(&kafka);
    admin.create_topic("t", 2, &[]).expect("Kafka makes it");
    assert!(admin.topic_exists("t").expect("Kafka answers"));
    assert!(!admin.topic_exists("late").expect("Kafka answers"));
    (0..2).for_each(|partition| fill(&kafka, "t", partition, 1_000..2_000));

    // A time in the middle of partition 0; partition 1 is read from a checkpoint below.
    let mut model = source(&kafka, &["t", "late"], Start::Time(1_700_000 - 1));
    let mut seen = Seen::discover(&mut model, 2);
    assert_eq!(seen.found, [(at(0, 0), NextOffset(700)), (at(0, 1), NextOffset(700))]);
    model.assign(&[(at(0, 0), NextOffset(700)), (at(0, 1), NextOffset(0))]).expect("it reads");
    seen.poll_until(&mut model, |seen| seen.caught_up.len() == 2 && !seen.other.is_empty());
    assert!(seen.numbers[&at(0, 0)].iter().copied().eq(1_700..2_000));
    assert!(seen.numbers[&at(0, 1)].iter().copied().eq(1_000..2_000));
    assert_eq!(seen.other, [SourceEvent::TopicMissing { topic: "late".into() }]);

    // A partition is added and a topic appears.
    admin.add_partitions("t", 3).expect("Kafka adds it");
    admin.create_topic("late", 1, &[]).expect("Kafka makes it");
    fill(&kafka, "t", 2, 5_000..5_010);
    fill(&kafka, "late", 0, 0..10);
    seen.poll_until(&mut model, |seen| seen.found.len() == 4);
    seen.found.sort();
    assert_eq!(seen.found[2].0, at(0, 2));
    assert_eq!(seen.found[3].0, at(1, 0));
    model.assign(&[(at(0, 2), NextOffset(0)), (at(1, 0), NextOffset(0))]).expect("it reads");
    seen.poll_until(&mut model, |seen| seen.caught_up.len() == 4);
    assert!(seen.numbers[&at(0, 2)].iter().copied().eq(5_000..5_010));
    assert!(seen.numbers[&at(1, 0)].iter().copied().eq(0..10));
    assert_eq!(seen.numbers[&at(0, 0)].len(), 300, "the others went on without a repeat");
    // Where checkpoints have come to is there for lag tools.
    model.committed(&[(at(0, 0), NextOffset(900))]);

    // Retention takes away what a checkpoint needs: that partition stops, the other goes on.
    admin.delete_records("t", 0, 600).expect("Kafka deletes them");
    drop(model);
    let mut model = source(&kafka, &["t"], Start::Latest);
    let mut seen = Seen::discover(&mut model, 3);
    assert_eq!(seen.found, [(at(0, 0), NextOffset(1_000)), (at(0, 1), NextOffset(1_000)), (at(0, 2), NextOffset(10))]);
    model.assign(&[(at(0, 0), NextOffset(500)), (at(0, 1), NextOffset(990))]).expect("it reads");
    seen.poll_until(&mut model, |seen| seen.caught_up.len() == 1 && seen.other.len() == 1);
    let gap = SourceEvent::Gap { from: at(0, 0), wanted: NextOffset(500), low: 600, high: 1_000 };
    assert_eq!(seen.other, [gap]);
    assert!(seen.numbers[&at(0, 1)].iter().copied().eq(1_990..2_000));
    // The gap is accepted.
    model.assign(&[(at(0, 0), NextOffset(600))]).expect("it reads");
    seen.poll_until(&mut model, |seen| seen.caught_up.len() == 2);
    assert!(seen.numbers[&at(0, 0)].iter().copied().eq(1_600..2_000));
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn a_gap_that_opens_while_reading_stops_that_partition_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let kafka = RealKafka::start(dir.path());
    let admin = admin(&kafka);
    admin.create_topic("t", 2, &[]).expect("Kafka makes it");
    let count = 400_000;
    (0..2).for_each(|partition| fill(&kafka, "t", partition, 0..count));
    // Little is fetched ahead, so that there is something left to take away.
    let small = ["queued.max.messages.kbytes", "fetch.message.max.bytes", "queued.min.messages"];
    let mut source = KafkaSource::start(KafkaConfig {
        brokers: kafka.brokers.clone(),
        options: small.map(|name| (name.to_owned(), "64".to_owned())).to_vec(),
        group_id: "model".into(),
        topics: vec!["t".into()],
        start: Start::Earliest,
        look_every: Duration::from_secs(1),
    })
    .expect("the options are right");
    let mut seen = Seen::discover(&mut source, 2);
    source.assign(&seen.found.clone()).expect("it reads");
    // Nobody takes records while Kafka deletes, so the reader is still far from the end of this partition.
    seen.poll_until(&mut source, |seen| seen.numbers.contains_key(&at(0, 0)));
    admin.delete_records("t", 0, count - 10).expect("Kafka deletes them");
    seen.poll_until(&mut source, |seen| seen.other.len() == 1 && seen.caught_up.contains_key(&at(0, 1)));
    let read = seen.numbers[&at(0, 0)].len() as i64;
    let gap = SourceEvent::Gap { from: at(0, 0), wanted: NextOffset(read), low: count - 10, high: count };
    assert_eq!(seen.other, [gap]);
    assert!(seen.numbers[&at(0, 0)].iter().copied().eq(0..read), "nothing is skipped or repeated before the gap");
    assert!(seen.numbers[&at(0, 1)].iter().copied().eq(0..count), "the other one is whole");
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn dead_letters_outlive_a_broker_that_is_away_and_one_too_large_is_cut() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut kafka = RealKafka::start(dir.path());
    let letters = Sink::start(&kafka.brokers, &[], "dead", DeadLetter::TOPIC).expect("the topic is made");
    assert!(admin(&kafka).topic_exists("dead").expect("Kafka answers"));
    Sink::start(&kafka.brokers, &[], "dead", DeadLetter::TOPIC).expect("one that exists will do");
    kafka.kill9();
    let record = |offset, bytes| Record { offset, payload: Some(vec![b'1'; bytes].into()), ..Record::default() };
    let bad = [record(1, 10), record(2, 10), record(3, 20 << 20)];
    let letter = |record| DeadLetter { record, topic: "t", class: "malformed", reason: "why" };
    bad.iter().for_each(|record| letters.send(&letter(record).outgoing(), WAIT).expect("there is room"));
    let waiting = letters.flush(Duration::from_millis(300)).expect_err("nobody has acknowledged them");
    assert!(matches!(waiting, SinkError::NotAcknowledged { records: 3, .. }), "{waiting}");
    kafka.restart();
    let until = Instant::now() + WAIT;
    while let Err(e) = letters.flush(Duration::from_secs(5)) {
        assert!(Instant::now() < until, "{e}");
    }
    let mut source = source(&kafka, &["dead"], Start::Earliest);
    let seen = Seen::discover(&mut source, 1);
    source.assign(&seen.found).expect("it reads");
    let mut found = BTreeMap::new();
    while found.len() < 3 {
        assert!(Instant::now() < until, "{found:?}");
        if let Some(SourceEvent::Records(records)) = source.poll(Duration::from_millis(100)).expect("it goes on") {
            let key = |record: &Record| {
                String::from_utf8(record.key.as_ref().expect("letters have keys").to_vec()).expect("text")
            };
            found.extend(
                records.iter().map(|record| (key(record), record.payload.as_ref().map_or(0, |payload| payload.len()))),
            );
        }
    }
    let expected = [("t/0/1", 10), ("t/0/2", 10), ("t/0/3", 64 << 10)].map(|(key, bytes)| (key.to_owned(), bytes));
    assert!(found.into_iter().eq(expected));
}
