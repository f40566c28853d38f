//! What a real Kafka may do to a log under its reader: aborted transactions, compaction, a topic made anew. Each has one
//! answer: what is not there is passed over without a gap, what cannot be there any more is told.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/kafka.rs"]
mod kafka;

use std::time::{Duration, Instant};

use features::{NextOffset, PartitionId, Start};
use kafka::RealKafka;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use streams::{Admin, KafkaConfig, KafkaSource, Outgoing, Producer, Source, SourceEvent};

const WAIT: Duration = Duration::from_secs(60);

fn source(kafka: &RealKafka) -> KafkaSource {
    KafkaSource::start(KafkaConfig {
        brokers: kafka.brokers.clone(),
        options: vec![],
        group_id: "model".into(),
        topics: vec!["t".into()],
        start: Start::Earliest,
        look_every: Duration::from_secs(1),
    })
    .unwrap()
}

/// The only partition.
fn at() -> PartitionId {
    PartitionId::default()
}

/// Offsets and values from `next` on to the end, and where that is; or what else is told.
fn read(source: &mut KafkaSource, next: i64) -> Result<(Vec<(i64, String)>, i64), SourceEvent> {
    source.assign(&[(at(), NextOffset(next))]).unwrap();
    let (mut found, until) = (Vec::new(), Instant::now() + WAIT);
    loop {
        assert!(Instant::now() < until, "{found:?}");
        match source.poll(Duration::from_millis(100)).unwrap() {
            Some(SourceEvent::Records(records)) => found.extend(records.into_iter().map(|record| {
                let value = String::from_utf8(record.payload.unwrap().to_vec()).unwrap();
                (record.offset, value)
            })),
            Some(SourceEvent::CaughtUp { next, .. }) => return Ok((found, next.0)),
            Some(SourceEvent::Discovered { .. }) | None => {}
            Some(other) => return Err(other),
        }
    }
}

fn fill(kafka: &RealKafka, numbers: std::ops::Range<i64>, keys: i64) {
    let producer = Producer::start(&kafka.brokers, &[], "t").unwrap();
    for number in numbers {
        let (key, payload) = ((number % keys).to_string().into_bytes(), number.to_string().into_bytes());
        let outgoing = Outgoing { partition: Some(0), key: Some(key), payload: Some(payload), ..Outgoing::default() };
        producer.send(&outgoing, WAIT).unwrap();
    }
    producer.flush(WAIT).unwrap();
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn what_a_transaction_gave_up_is_not_read_and_is_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut kafka = RealKafka::start(dir.path());
    Admin::start(&kafka.brokers, &[]).unwrap().create_topic("t", 1, &[]).unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &kafka.brokers).set("transactional.id", "test");
    let producer: BaseProducer = config.create().unwrap();
    producer.init_transactions(WAIT).unwrap();
    for (first, is_kept) in [(0, true), (10, false), (20, true), (30, false)] {
        producer.begin_transaction().unwrap();
        for number in first..first + 10 {
            let payload = number.to_string();
            producer.send(BaseRecord::<(), str>::to("t").partition(0).payload(&payload)).unwrap();
        }
        producer.flush(WAIT).unwrap();
        if is_kept { producer.commit_transaction(WAIT) } else { producer.abort_transaction(WAIT) }.unwrap();
    }
    let mut first = source(&kafka);
    let (found, end) = read(&mut first, 0).unwrap();
    let kept: Vec<String> = (0..10).chain(20..30).map(|number| number.to_string()).collect();
    assert!(found.iter().map(|(_, value)| value).eq(&kept), "{found:?}");
    assert_eq!(end, 44, "behind the marker of each transaction");
    // Statistics come once a second.
    let until = Instant::now() + WAIT;
    while first.lag() != [(at(), 0)] {
        assert!(Instant::now() < until, "{:?}", first.lag());
        first.poll(Duration::from_millis(100)).unwrap();
    }
    // From the end, and from a place that holds no record, it goes on.
    for next in [end, 12, 41] {
        let (found, again) = read(&mut source(&kafka), next).unwrap();
        assert_eq!((again, found.len()), (end, if next == 12 { 10 } else { 0 }), "{found:?}");
    }
    kafka.stop();
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn a_topic_made_anew_is_told_as_one_that_ends_too_early() {
    let dir = tempfile::tempdir().unwrap();
    let mut kafka = RealKafka::start(dir.path());
    let admin = Admin::start(&kafka.brokers, &[]).unwrap();
    admin.create_topic("t", 1, &[]).unwrap();
    fill(&kafka, 0..100, 1);
    assert_eq!(read(&mut source(&kafka), 0).unwrap().1, 100);
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(client.delete_topics(&["t"], &AdminOptions::new())).unwrap();
    let until = Instant::now() + WAIT;
    while admin.topic_exists("t").unwrap() || admin.create_topic("t", 1, &[]).is_err() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(100));
    }
    fill(&kafka, 0..5, 1);
    let told = read(&mut source(&kafka), 100).unwrap_err();
    assert_eq!(told, SourceEvent::Gap { from: at(), wanted: NextOffset(100), low: 0, high: 5 });
    kafka.stop();
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn what_compaction_has_removed_is_passed_over_and_is_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut kafka = RealKafka::start(dir.path());
    let compact = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("max.compaction.lag.ms", "100"),
    ];
    Admin::start(&kafka.brokers, &[]).unwrap().create_topic("t", 1, &compact).unwrap();
    fill(&kafka, 0..1_000, 10);
    let until = Instant::now() + WAIT;
    let mut sent = 1_000;
    loop {
        // A record now and then closes the segment before it; the cleaner looks every 15 seconds.
        fill(&kafka, sent..sent + 1, 10);
        sent += 1;
        let (found, end) = read(&mut source(&kafka), 0).unwrap();
        assert_eq!(end, sent);
        assert!(found.iter().all(|(offset, value)| *value == offset.to_string()) && found.is_sorted());
        if found.len() < 900 {
            assert!(found.len() >= 10, "the newest of each key stays: {}", found.len());
            break;
        }
        assert!(Instant::now() < until, "nothing was compacted: {} records", found.len());
        std::thread::sleep(Duration::from_secs(1));
    }
    kafka.stop();
}
