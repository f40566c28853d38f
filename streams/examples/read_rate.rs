//! Records per second through [`KafkaSource`] against a bare consumer that only counts, on one topic that is filled first:
//! `cargo run --release -p streams --example read_rate -- BROKERS [RECORDS] [PAIRS]`. Pairs alternate; the median counts.

use std::time::{Duration, Instant};

use features::{NextOffset, Start};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use streams::{Admin, KafkaConfig, KafkaSource, Outgoing, Producer, Source, SourceEvent};

const PARTITIONS: i32 = 3;
const WAIT: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let brokers = arguments.get(1).ok_or("BROKERS is missing")?;
    let records: i64 = arguments.get(2).map_or(Ok(1_000_000), |text| text.parse())?;
    let pairs: usize = arguments.get(3).map_or(Ok(5), |text| text.parse())?;
    let topic = format!("read-rate-{records}");
    let admin = Admin::start(brokers, &[])?;
    if !admin.topic_exists(&topic)? {
        admin.create_topic(&topic, PARTITIONS, &[])?;
        let producer = Producer::start(brokers, &[("linger.ms".into(), "50".into())], &topic)?;
        for n in 0..records {
            let event = format!(
                r#"{{"at":{n},"station":"s{}","t":{}.5,"rh":{},"no2":0.{n},"day":"mon","co":1.{n}}}"#,
                n % 100,
                n % 40,
                n % 97
            );
            let partition = Some(n as i32 % PARTITIONS);
            producer.send(&Outgoing { partition, payload: Some(event.into()), ..Outgoing::default() }, WAIT)?;
        }
        producer.flush(WAIT)?;
    }
    let mut rates = [vec![], vec![]];
    for pair in 0..pairs {
        let (a, b) = if pair % 2 == 0 {
            let a = bare(brokers, &topic, records)?;
            (a, source(brokers, &topic, records)?)
        } else {
            let b = source(brokers, &topic, records)?;
            (bare(brokers, &topic, records)?, b)
        };
        println!("bare {a:.0}/s, source {b:.0}/s, {:.3}", b / a);
        rates[0].push(a);
        rates[1].push(b);
    }
    let [bare, source] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    println!("median: bare {bare:.0}/s, source {source:.0}/s, {:.3}", source / bare);
    Ok(())
}

/// A consumer that reads to the end and counts bytes; it fetches ahead as [`KafkaSource`] does, which is faster than
/// librdkafka's defaults.
fn bare(brokers: &str, topic: &str, records: i64) -> Result<f64, Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bare")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .set("fetch.queue.backoff.ms", "50")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "32768")
        .create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let (mut count, mut bytes) = (0, 0);
    while count < records {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                count += 1;
                bytes += message.payload_len();
            }
            Some(Err(e)) if !matches!(e, KafkaError::PartitionEOF(_)) => return Err(e.into()),
            _ => {}
        }
    }
    assert!(bytes > 0);
    Ok(records as f64 / begun.elapsed().as_secs_f64())
}

fn source(brokers: &str, topic: &str, records: i64) -> Result<f64, Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let mut source = KafkaSource::start(KafkaConfig {
        brokers: brokers.into(),
        options: vec![],
        group_id: "source".into(),
        topics: vec![topic.into()],
        start: Start::Earliest,
        look_every: KafkaConfig::LOOK_EVERY,
    })?;
    let (mut count, mut bytes) = (0, 0);
    while count < records {
        match source.poll(Duration::from_millis(100))? {
            Some(SourceEvent::Discovered { from, .. }) => source.assign(&[(from, NextOffset(0))])?,
            Some(SourceEvent::Records(batch)) => {
                count += batch.len() as i64;
                bytes += batch
                    .iter()
                    .map(|record| record.payload.as_ref().map_or(0, |payload| payload.len()))
                    .sum::<usize>();
            }
            _ => {}
        }
    }
    assert!(bytes > 0);
    Ok(records as f64 / begun.elapsed().as_secs_f64())
}
