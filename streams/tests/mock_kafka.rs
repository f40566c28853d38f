//! The Kafka source and the sinks against the broker inside the process.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use features::{EventTime, NextOffset, PartitionId, Record, Start, TopicId};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use streams::{DeadLetter, Header, KafkaConfig, KafkaSource, MockBroker, Outgoing, Producer, Sink};
use streams::{Source, SourceError, SourceEvent};

const WAIT: Duration = Duration::from_secs(60);

fn at(topic: u16, partition: i32) -> PartitionId {
    PartitionId { topic: TopicId(topic), partition }
}

fn config(broker: &MockBroker, topics: &[&str]) -> KafkaConfig {
    KafkaConfig {
        brokers: broker.bootstrap.clone(),
        options: vec![("statistics.interval.ms".into(), "100".into())],
        group_id: "test".into(),
        topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        start: Start::Earliest,
        look_every: Duration::from_millis(200),
    }
}

/// Sends records whose values are their numbers, at most 1,000 in a batch.
fn fill(broker: &MockBroker, topic: &str, partition: i32, numbers: std::ops::Range<u32>) {
    let producer = Producer::start(&broker.bootstrap, &[], topic).unwrap();
    for number in numbers {
        let payload = Some(number.to_string().into_bytes());
        producer.send(&Outgoing { partition: Some(partition), payload, ..Outgoing::default() }, WAIT).unwrap();
        if number % 1_000 == 999 {
            producer.flush(WAIT).unwrap();
        }
    }
    producer.flush(WAIT).unwrap();
}

/// Polls until `done` says so; everything seen, in order.
fn poll_until(source: &mut KafkaSource, mut done: impl FnMut(&SourceEvent) -> bool) -> Vec<SourceEvent> {
    let until = Instant::now() + WAIT;
    let mut seen = Vec::new();
    while Instant::now() < until {
        if let Some(event) = source.poll(Duration::from_millis(100)).unwrap() {
            let last = done(&event);
            seen.push(event);
            if last {
                return seen;
            }
        }
    }
    panic!("waited too long; last of {}: {:?}", seen.len(), seen.last());
}

fn discovered(source: &mut KafkaSource, count: usize) -> Vec<(PartitionId, NextOffset)> {
    let mut found = Vec::new();
    poll_until(source, |event| {
        if let SourceEvent::Discovered { from, start } = event {
            found.push((*from, *start));
        }
        found.len() == count
    });
    found
}

fn records(events: &[SourceEvent], from: PartitionId) -> Vec<Record> {
    let all =
        events.iter().flat_map(|event| if let SourceEvent::Records(records) = event { &records[..] } else { &[] });
    all.filter(|record| record.from == from).cloned().collect()
}

fn numbers(events: &[SourceEvent], from: PartitionId) -> Vec<u32> {
    let number =
        |record: &Record| String::from_utf8(record.payload.as_ref().unwrap().to_vec()).unwrap().parse().unwrap();
    records(events, from).iter().map(number).collect()
}

/// What our source leaves out.
fn headers_of_the_first(broker: &MockBroker, topic: &str) -> Vec<Header> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &broker.bootstrap).set("group.id", "headers").create().unwrap();
    let mut beginning = TopicPartitionList::new();
    beginning.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&beginning).unwrap();
    let message = consumer.poll(WAIT).expect("a record is there").unwrap();
    let headers = message.headers().expect("it has headers");
    headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
}

#[test]
fn a_record_arrives_as_it_was_sent_and_only_after_assign() {
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let sent = [
        Outgoing {
            key: Some(b"k".to_vec()),
            payload: Some(b"{}".to_vec()),
            timestamp: Some(1_234),
            ..Outgoing::default()
        },
        Outgoing { key: Some(vec![]), payload: None, timestamp: Some(5), ..Outgoing::default() },
        Outgoing { payload: Some(vec![]), timestamp: Some(6), ..Outgoing::default() },
    ];
    let producer = Producer::start(&broker.bootstrap, &[], "t").unwrap();
    sent.iter().for_each(|outgoing| producer.send(outgoing, WAIT).unwrap());
    producer.flush(WAIT).unwrap();

    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    assert_eq!(discovered(&mut source, 1), [(at(0, 0), NextOffset(0))]);
    assert_eq!(source.poll(Duration::from_millis(300)).unwrap(), None, "nothing is assigned");
    source.assign(&[(at(0, 0), NextOffset(0))]).unwrap();
    let events = poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { .. }));
    assert_eq!(events.last(), Some(&SourceEvent::CaughtUp { from: at(0, 0), next: NextOffset(3) }));
    let expected = sent.into_iter().enumerate().map(|(offset, outgoing)| Record {
        from: at(0, 0),
        offset: offset as i64,
        timestamp: EventTime(outgoing.timestamp.unwrap()),
        key: outgoing.key.map(Into::into),
        payload: outgoing.payload.map(Into::into),
    });
    assert_eq!(records(&events, at(0, 0)), expected.collect::<Vec<_>>());
}

#[test]
fn a_reader_that_stops_to_take_loses_and_repeats_nothing() {
    let broker = MockBroker::start(&[("t", 2)]).unwrap();
    fill(&broker, "t", 0, 0..40_000);
    fill(&broker, "t", 1, 0..20_000);
    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    let all = discovered(&mut source, 2);
    source.assign(&all).unwrap();
    let mut open = 2;
    let mut stops = 0;
    let events = poll_until(&mut source, |event| {
        open -= usize::from(matches!(event, SourceEvent::CaughtUp { .. }));
        if stops < 3 {
            // Long enough for everything on the way here to be full.
            thread::sleep(Duration::from_millis(1_200));
            stops += 1;
        }
        open == 0
    });
    assert!(numbers(&events, at(0, 0)).into_iter().eq(0..40_000));
    assert!(numbers(&events, at(0, 1)).into_iter().eq(0..20_000));
    assert!(events.iter().all(|e| !matches!(e, SourceEvent::Records(r) if r.len() > 1_000)));
}

/// The feared failure: librdkafka's batch call counts the end of a partition as a record; paused there, the partition
/// loses the next one.
#[test]
fn a_reader_that_stops_to_take_at_the_end_loses_nothing_that_comes_then() {
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    let all = discovered(&mut source, 1);
    source.assign(&all).unwrap();
    // Each is a batch of its own and ends the partition, until no more of them have room on the way here.
    for number in 0..40 {
        fill(&broker, "t", 0, number..number + 1);
        thread::sleep(Duration::from_millis(30));
    }
    thread::sleep(Duration::from_millis(1_200));
    fill(&broker, "t", 0, 40..50);
    let events =
        poll_until(&mut source, |event| matches!(event, SourceEvent::Records(r) if r.last().unwrap().offset == 49));
    assert!(numbers(&events, at(0, 0)).into_iter().eq(0..50), "{:?}", numbers(&events, at(0, 0)));
}

#[test]
fn what_was_read_before_a_new_assignment_of_its_partition_is_not_delivered() {
    let broker = MockBroker::start(&[("t", 2)]).unwrap();
    fill(&broker, "t", 0, 0..20_000);
    fill(&broker, "t", 1, 0..20_000);
    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    let all = discovered(&mut source, 2);
    source.assign(&all).unwrap();
    let mut events = poll_until(&mut source, |event| matches!(event, SourceEvent::Records(_)));
    // Time enough for more batches to be read and to wait; they must not come out after the new assignment.
    thread::sleep(Duration::from_millis(1_500));
    let before = numbers(&events, at(0, 1)).len();
    source.assign(&[(at(0, 0), NextOffset(7))]).unwrap();
    let mut ends = BTreeMap::new();
    let after = poll_until(&mut source, |event| {
        if let SourceEvent::CaughtUp { from, next } = event {
            ends.insert(*from, *next);
        }
        ends.len() == 2
    });
    assert!(numbers(&after, at(0, 0)).into_iter().eq(7..20_000));
    assert!(numbers(&after, at(0, 1)).into_iter().eq(before as u32..20_000));
    events.extend(after);
    assert!(numbers(&events, at(0, 1)).into_iter().eq(0..20_000));
    assert!(ends.values().all(|next| *next == NextOffset(20_000)));
}

#[test]
fn a_topic_that_appears_later_is_told_once_and_then_read() {
    let broker = MockBroker::start(&[("here", 1)]).unwrap();
    let mut source =
        KafkaSource::start(KafkaConfig { start: Start::Latest, ..config(&broker, &["here", "late"]) }).unwrap();
    let events = poll_until(&mut source, |event| matches!(event, SourceEvent::TopicMissing { .. }));
    assert_eq!(events.last(), Some(&SourceEvent::TopicMissing { topic: "late".into() }));
    assert_eq!(source.poll(Duration::from_millis(700)).unwrap(), None, "it is told once");
    broker.create_topic("late", 2).unwrap();
    fill(&broker, "late", 1, 0..3);
    let found = discovered(&mut source, 2);
    assert_eq!(found, [(at(1, 0), NextOffset(0)), (at(1, 1), NextOffset(0))], "all its records are to come");
    source.assign(&found).unwrap();
    let events =
        poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { from, .. } if *from == at(1, 1)));
    assert_eq!(numbers(&events, at(1, 1)), [0, 1, 2]);
}

#[test]
fn each_topic_is_caught_up_by_itself() {
    let broker = MockBroker::start(&[("a", 1), ("b", 1)]).unwrap();
    fill(&broker, "a", 0, 0..5);
    fill(&broker, "b", 0, 0..20_000);
    // Little is fetched ahead, and it is taken slowly: `a` is at its end long before `b`.
    let mut config = config(&broker, &["a", "b"]);
    config.options.extend(["queued.min.messages", "fetch.message.max.bytes"].map(|name| (name.into(), "100".into())));
    let mut source = KafkaSource::start(config).unwrap();
    let all = discovered(&mut source, 2);
    source.assign(&all).unwrap();
    let mut read = BTreeMap::new();
    let mut open = 2;
    poll_until(&mut source, |event| {
        if open == 2 {
            thread::sleep(Duration::from_millis(50));
        }
        match event {
            SourceEvent::Records(records) => {
                records.iter().for_each(|r| *read.entry(r.from).or_insert(0) = r.offset + 1)
            }
            SourceEvent::CaughtUp { from, next } => {
                assert_eq!(next.0, if *from == at(0, 0) { 5 } else { 20_000 });
                assert_eq!(read[from], next.0, "all its records came first");
                open -= 1;
            }
            _ => {}
        }
        open == 0
    });
}

#[test]
fn a_partition_whose_offset_the_log_does_not_hold_is_stopped_alone() {
    let broker = MockBroker::start(&[("t", 2)]).unwrap();
    fill(&broker, "t", 0, 0..10);
    fill(&broker, "t", 1, 0..10);
    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    discovered(&mut source, 2);
    source.assign(&[(at(0, 0), NextOffset(11)), (at(0, 1), NextOffset(4))]).unwrap();
    let events = poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { .. }));
    assert_eq!(events[0], SourceEvent::Gap { from: at(0, 0), wanted: NextOffset(11), low: 0, high: 10 });
    assert_eq!(numbers(&events, at(0, 1)), [4, 5, 6, 7, 8, 9]);
    // Once somebody has accepted the gap, it is read again.
    source.assign(&[(at(0, 0), NextOffset(8))]).unwrap();
    let events =
        poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { from, .. } if *from == at(0, 0)));
    assert_eq!(numbers(&events, at(0, 0)), [8, 9]);
}

#[test]
fn a_partition_that_is_stopped_is_read_no_more_until_it_is_assigned_again() {
    let broker = MockBroker::start(&[("t", 2)]).unwrap();
    fill(&broker, "t", 0, 0..10);
    fill(&broker, "t", 1, 0..10);
    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    let found = discovered(&mut source, 2);
    source.assign(&found).unwrap();
    let mut left = 2;
    poll_until(&mut source, |event| {
        left -= usize::from(matches!(event, SourceEvent::CaughtUp { .. }));
        left == 0
    });
    source.stop(at(0, 0)).unwrap();
    // The reader obeys before it looks for records again.
    thread::sleep(Duration::from_millis(500));
    fill(&broker, "t", 0, 10..20);
    fill(&broker, "t", 1, 10..20);
    let seen =
        poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { from, .. } if *from == at(0, 1)));
    assert_eq!(numbers(&seen, at(0, 1)), (10..20).collect::<Vec<_>>());
    thread::sleep(Duration::from_millis(500));
    assert_eq!(source.poll(Duration::from_millis(100)).unwrap(), None, "it is stopped");
    assert_eq!(numbers(&seen, at(0, 0)), [0_u32; 0]);
    source.assign(&[(at(0, 0), NextOffset(15))]).unwrap();
    let seen =
        poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { from, .. } if *from == at(0, 0)));
    assert_eq!(numbers(&seen, at(0, 0)), (15..20).collect::<Vec<_>>());
}

#[test]
fn lag_counts_what_was_not_taken_yet_and_commits_never_wait() {
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    fill(&broker, "t", 0, 0..50_000);
    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    discovered(&mut source, 1);
    source.assign(&[(at(0, 0), NextOffset(0))]).unwrap();
    let until = Instant::now() + WAIT;
    while source.lag() != [(at(0, 0), 50_000)] {
        assert!(Instant::now() < until, "{:?}", source.lag());
        thread::sleep(Duration::from_millis(20));
    }
    (0..1_000).for_each(|next| source.committed(&[(at(0, 0), NextOffset(next))]));
    poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { .. }));
    assert_eq!(source.lag(), [(at(0, 0), 0)]);
}

#[test]
fn a_source_that_nobody_reads_can_be_dropped() {
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    fill(&broker, "t", 0, 0..40_000);
    let mut source = KafkaSource::start(config(&broker, &["t"])).unwrap();
    discovered(&mut source, 1);
    source.assign(&[(at(0, 0), NextOffset(0))]).unwrap();
    thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    drop(source);
    assert!(begun.elapsed() < Duration::from_secs(5), "it did not hear that it is to end");
}

#[test]
fn an_option_that_would_lose_records_is_refused() {
    let broker = MockBroker::start(&[]).unwrap();
    for (name, value) in [("enable.auto.commit", "true"), ("no.such.option", "1")] {
        let options = vec![(name.to_owned(), value.to_owned())];
        let refused = KafkaSource::start(KafkaConfig { options, ..config(&broker, &["t"]) });
        assert!(matches!(refused, Err(SourceError::Kafka(reason)) if reason.contains(name)));
    }
}

#[test]
fn a_dead_letter_is_the_record_with_its_place_and_reason_and_repeats_are_identical() {
    let broker = MockBroker::start(&[("dead", 1)]).unwrap();
    let letters = Sink::start(&broker.bootstrap, &[], "dead", DeadLetter::TOPIC).unwrap();
    let bad = Record {
        from: at(0, 3),
        offset: 42,
        timestamp: EventTime(99),
        key: Some(b"sensor".to_vec().into()),
        payload: Some(vec![0xff, b'{', 0].into()),
    };
    let empty = Record { from: at(0, 3), offset: 43, payload: Some(vec![].into()), ..Record::default() };
    let letter =
        |record| DeadLetter { record, topic: "events", class: "malformed", reason: "not a JSON object" }.outgoing();
    letters.send(&letter(&bad), WAIT).unwrap();
    letters.send(&letter(&empty), WAIT).unwrap();
    letters.flush(WAIT).unwrap();
    letters.send(&letter(&bad), WAIT).unwrap();
    letters.flush(WAIT).unwrap();

    let mut source = KafkaSource::start(config(&broker, &["dead"])).unwrap();
    let all = discovered(&mut source, 1);
    source.assign(&all).unwrap();
    let events = poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { .. }));
    let found = records(&events, at(0, 0));
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].key.as_deref(), Some(&b"events/3/42"[..]));
    assert_eq!(found[0].payload, bad.payload);
    let header = |name: &str, value: &str| (name.to_owned(), Some(value.as_bytes().to_vec()));
    let ours = [
        header("perennial.reason", "malformed"),
        header("perennial.error", "not a JSON object"),
        header("perennial.topic", "events"),
        header("perennial.partition", "3"),
        header("perennial.offset", "42"),
        header("perennial.timestamp", "99"),
        header("perennial.key", "sensor"),
    ];
    assert_eq!(headers_of_the_first(&broker, "dead"), ours);
    assert_eq!((found[1].key.as_deref(), &found[1].payload), (Some(&b"events/3/43"[..]), &empty.payload));
    let same = |a: &Record, b: &Record| (&a.key, &a.payload) == (&b.key, &b.payload);
    assert!(same(&found[0], &found[2]));
}

#[test]
fn a_letter_too_large_for_the_client_is_cut_and_says_so() {
    let broker = MockBroker::start(&[("dead", 1)]).unwrap();
    let options = [("message.max.bytes".to_owned(), "200000".to_owned())];
    let letters = Sink::start(&broker.bootstrap, &options, "dead", DeadLetter::TOPIC).unwrap();
    let large = Record { payload: Some(vec![b'x'; 300_000].into()), ..Record::default() };
    let letter = DeadLetter { record: &large, topic: "t", class: "too_large", reason: "" };
    letters.send(&letter.outgoing(), WAIT).unwrap();
    letters.flush(WAIT).unwrap();
    let mut source = KafkaSource::start(config(&broker, &["dead"])).unwrap();
    let all = discovered(&mut source, 1);
    source.assign(&all).unwrap();
    let events = poll_until(&mut source, |event| matches!(event, SourceEvent::CaughtUp { .. }));
    let found = records(&events, at(0, 0)).remove(0);
    assert_eq!(found.payload.unwrap().len(), 64 << 10);
    let last = headers_of_the_first(&broker, "dead").pop();
    assert_eq!(last, Some(("perennial.bytes".to_owned(), Some(b"300000".to_vec()))));
}
