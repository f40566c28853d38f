//! Kafka → learned: records a second that a model reads, journals, decodes, predicts, scores and learns, against a bare
//! consumer that only counts, on one topic that is filled first. Wall time; pairs alternate; medians. Beside each the CPU
//! time of this process a record, which a busy machine disturbs less.
//!
//! `cargo bench --bench kafka_to_learned [-- --records 1000000 --pairs 5 --learner linear]` (Kafka's jars: `tests/run`)

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/kafka.rs"]
mod kafka;

use std::sync::Arc;
use std::time::{Duration, Instant};

use checkpoints::{CheckpointStore, FileStore, StateDir};
use features::Task;
use fold::OnDrift;
use perennial::config::{KafkaConfig, ModelConfig};
use perennial::metrics::Metrics;
use perennial::pipeline;
use perennial::service::plan;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use simulations::Scenario;
use streams::{Admin, Outgoing, Producer};

const TOPIC: &str = "events";
const PARTITIONS: i32 = 3;
const WAIT: Duration = Duration::from_secs(60);

fn main() -> anyhow::Result<()> {
    let option = |name: &str, default: &str| -> String {
        let mut args = std::env::args().skip_while(|arg| arg != name).skip(1);
        args.next().unwrap_or_else(|| default.to_owned())
    };
    let records: u64 = option("--records", "1000000").parse()?;
    let pairs: usize = option("--pairs", "5").parse()?;
    let learner = option("--learner", "linear");
    let on_drift = match option("--on-drift", "alert").as_str() {
        "alert" => OnDrift::Alert,
        _ => OnDrift::Challenge,
    };

    let dir = tempfile::tempdir()?;
    let kafka = kafka::RealKafka::start(&dir.path().join("kafka"));
    fill(&kafka.brokers, records)?;
    let (mut bares, mut ours, mut ratios) = (vec![], vec![], vec![]);
    for pair in 0..=pairs {
        let state = dir.path().join(format!("state-{pair}"));
        let bare = || with_cpu(records, || bare(&kafka.brokers, records));
        let learned = || with_cpu(records, || learned(&kafka.brokers, records, &learner, on_drift, &state));
        let ((b, b_cpu), (o, o_cpu)) = if pair % 2 == 0 {
            let b = bare()?;
            (b, learned()?)
        } else {
            let o = learned()?;
            (bare()?, o)
        };
        println!(
            "bare {b:.0}/s ({b_cpu:.2} us)   learned {o:.0}/s ({o_cpu:.2} us)   ratio {:.3}{}",
            o / b,
            if pair == 0 { "   (warm-up)" } else { "" }
        );
        if pair > 0 {
            bares.push(b);
            ours.push(o);
            ratios.push(o / b);
        }
    }
    println!("median: bare {:.0}/s, learned {:.0}/s, ratio {:.3}", median(bares), median(ours), median(ratios));
    Ok(())
}

/// What `run` says, and the CPU time it takes a record, in microseconds.
fn with_cpu(records: u64, run: impl FnOnce() -> anyhow::Result<f64>) -> anyhow::Result<(f64, f64)> {
    let before = cpu_seconds()?;
    let rate = run()?;
    Ok((rate, (cpu_seconds()? - before) * 1e6 / records as f64))
}

/// User and system time of this process, as Linux counts it: in hundredths of a second.
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn fill(brokers: &str, records: u64) -> anyhow::Result<()> {
    Admin::start(brokers, &Vec::new())?.create_topic(TOPIC, PARTITIONS, &[])?;
    let producer = Producer::start(brokers, &[("linger.ms".into(), "50".into())], TOPIC)?;
    let scenario = Scenario::by_name("sensors").expect("it is in the catalog");
    for event in scenario.events(1, records) {
        let partition = Some((event.id % PARTITIONS as u64) as i32);
        producer.send(&Outgoing { partition, payload: Some(event.json.into_bytes()), ..Outgoing::default() }, WAIT)?;
    }
    producer.flush(WAIT)?;
    Ok(())
}

/// A consumer that counts, with the fetch options that our source has.
fn bare(brokers: &str, records: u64) -> anyhow::Result<f64> {
    let began = Instant::now();
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
        all.add_partition_offset(TOPIC, partition, Offset::Beginning)?;
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
    Ok(records as f64 / began.elapsed().as_secs_f64())
}

/// The whole pipeline with fresh state, until the published model has learned every record.
fn learned(
    brokers: &str,
    records: u64,
    learner: &str,
    on_drift: OnDrift,
    state: &std::path::Path,
) -> anyhow::Result<f64> {
    let scenario = Scenario::by_name("sensors").expect("it is in the catalog");
    let mut model = ModelConfig::new("bench", vec![TOPIC.into()], Task::Regression, scenario.target);
    model.fold.event.time = Some(scenario.time.into());
    model.fold.event.id = Some(scenario.id.into());
    model.fold.event.entity = scenario.entity.map(Into::into);
    model.fold.learner = learner.parse()?;
    model.fold.on_drift = on_drift;
    let kafka = KafkaConfig { brokers: brokers.into(), ..KafkaConfig::default() };
    let state = StateDir::open(state)?;
    let store: Arc<dyn CheckpointStore> = Arc::new(FileStore::open(&state)?);
    let began = Instant::now();
    let plans = vec![plan(&model, &kafka, Duration::from_secs(60))];
    let (running, registry) = pipeline::start(plans, &state, &store, &Arc::new(Metrics::default()), || 0)?;
    let live = &registry.get("bench").expect("it was planned").live;
    while live.load().is_none_or(|served| served.model.counts.events < records) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let rate = records as f64 / began.elapsed().as_secs_f64();
    running.stop();
    Ok(rate)
}
