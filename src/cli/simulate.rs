//! `perennial simulate`: events of a world whose truth is known, to a file or to Kafka.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use features::{Fields, Value};
use flate2::Compression;
use flate2::write::GzEncoder;
use simulations::{Event, Scenario};
use streams::{Admin, Outgoing, Producer, SinkError};

use super::{CliError, bar};
use crate::config::did_you_mean;

/// How long Kafka may take to accept what was sent.
const WITHIN: Duration = Duration::from_secs(30);

/// Writes the events of a simulated world to a file or to Kafka. The same seed gives the same bytes.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  perennial simulate sea --out sea.jsonl.gz --events 100_000
  perennial simulate sensors --kafka localhost:9092 --topic air-quality --rate 500",
    after_help = scenarios()
)]
pub struct SimulateArgs {
    /// The world; listed below.
    #[arg(value_name = "SCENARIO")]
    pub scenario: String,
    /// The file, by its ending: .jsonl, .jsonl.gz, .csv or .csv.gz; "-" is standard output (JSON lines).
    #[arg(long, value_name = "FILE", required_unless_present = "kafka", conflicts_with_all = ["kafka", "topic", "rate"])]
    pub out: Option<PathBuf>,
    /// Sends to these brokers instead.
    #[arg(long, value_name = "BROKERS", requires = "topic")]
    pub kafka: Option<String>,
    /// The topic to send to; made with one partition if it does not exist. An event's key is its entity.
    #[arg(long, requires = "kafka")]
    pub topic: Option<String>,
    /// How many events; where the world changes may depend on it.
    #[arg(long, value_name = "N", default_value = "50_000", value_parser = count)]
    pub events: u64,
    /// Events a second; as fast as possible otherwise.
    #[arg(long, value_name = "R", value_parser = count)]
    pub rate: Option<u64>,
    /// The seed of whatever is random.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// A whole number from 1, underscores allowed.
fn count(text: &str) -> Result<u64, String> {
    let number = text.replace('_', "").parse().map_err(|_| "expected a whole number".to_owned())?;
    if number == 0 { Err("expected at least 1".to_owned()) } else { Ok(number) }
}

/// The scenarios for the help.
fn scenarios() -> String {
    let lines = Scenario::ENTRIES.iter().map(|entry| format!("\n  {:<12} {}", entry.name, entry.description));
    format!("Scenarios:{}", lines.collect::<String>())
}

/// Writes the events.
///
/// # Errors
/// There is no such scenario, the file's ending is none of ours, or file or brokers do not take them.
pub fn run(args: &SimulateArgs) -> Result<ExitCode, CliError> {
    let scenario = scenario(&args.scenario)?;
    let progress = bar(Some(args.events), "events");
    let events = progress.wrap_iter(scenario.events(args.seed, args.events));
    let to = match (&args.out, &args.kafka, &args.topic) {
        (Some(path), ..) => {
            to_file(path, events)?;
            path.display().to_string()
        }
        (None, Some(brokers), Some(topic)) => {
            to_kafka(brokers, topic, args.rate, events)
                .map_err(|error| CliError::Unavailable(format!("{error} (brokers: {brokers})")))?;
            format!("{topic} at {brokers}")
        }
        _ => return Err(CliError::Usage("expected --out FILE, or --kafka BROKERS --topic TOPIC".to_owned())),
    };
    progress.finish_and_clear();
    eprintln!("{} events of {} (seed {}) → {to}", args.events, scenario.name, args.seed);
    let drifts = scenario.drifts(args.events);
    let shown: Vec<_> =
        drifts.iter().take(5).map(|d| format!("{} ({:?})", d.at_event, d.kind).to_lowercase()).collect();
    let more = if drifts.len() > shown.len() { ", …" } else { "" };
    eprintln!("the world changes at {} events: {}{more}", drifts.len(), shown.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// The scenario of this name.
///
/// # Errors
/// There is none.
pub(super) fn scenario(name: &str) -> Result<&'static Scenario, CliError> {
    Scenario::by_name(name).ok_or_else(|| {
        let names = Scenario::ENTRIES.iter().map(|entry| entry.name);
        let all = names.clone().collect::<Vec<_>>().join(", ");
        CliError::Usage(format!("there is no scenario {name:?} (there is: {all}){}", did_you_mean(name, names)))
    })
}

fn to_file(path: &Path, events: impl Iterator<Item = Event>) -> Result<(), CliError> {
    let name = path.to_string_lossy();
    let (plain, packed) = name.strip_suffix(".gz").map_or((&*name, false), |plain| (plain, true));
    let csv = plain.ends_with(".csv");
    if !(csv || plain.ends_with(".jsonl") || name == "-") {
        return Err(CliError::Usage(format!(
            "expected a file ending in .jsonl, .jsonl.gz, .csv or .csv.gz, got {name:?}"
        )));
    }
    let failed = |error: io::Error| CliError::Unavailable(format!("{name}: {error}"));
    if name == "-" {
        return write(&mut io::stdout().lock(), csv, events).map_err(failed);
    }
    let file = BufWriter::new(File::create(path).map_err(failed)?);
    if packed {
        let mut file = GzEncoder::new(file, Compression::default());
        write(&mut file, csv, events).and_then(|()| file.finish()?.flush()).map_err(failed)
    } else {
        let mut file = file;
        write(&mut file, csv, events).map_err(failed)
    }
}

fn write(out: &mut dyn Write, csv: bool, events: impl Iterator<Item = Event>) -> io::Result<()> {
    if csv {
        return write_csv(out, events);
    }
    for event in events {
        out.write_all(event.json.as_bytes())?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// All events of a scenario have the same fields in the same order; a missing value is empty.
fn write_csv(out: &mut dyn Write, events: impl Iterator<Item = Event>) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    let (mut fields, mut header) = (Fields::default(), false);
    for event in events {
        fields.parse(event.json.as_bytes()).map_err(io::Error::other)?;
        if !header {
            out.write_record(fields.iter().map(|(name, _)| name))?;
            header = true;
        }
        out.write_record(fields.iter().map(|(_, value)| match value {
            Value::Null => String::new(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(x) => x.to_string(),
            Value::Text(text) => text.to_owned(),
        }))?;
    }
    out.flush()
}

fn to_kafka(
    brokers: &str,
    topic: &str,
    rate: Option<u64>,
    events: impl Iterator<Item = Event>,
) -> Result<(), SinkError> {
    let admin = Admin::start(brokers, &[])?;
    if !admin.topic_exists(topic)? {
        admin.create_topic(topic, 1, &[])?;
    }
    let producer = Producer::start(brokers, &[], topic)?;
    let begun = Instant::now();
    for event in events {
        if let Some(rate) = rate {
            let due = Duration::from_secs_f64(event.id as f64 / rate as f64);
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        let key = (!event.key.is_empty()).then(|| event.key.into_bytes());
        // The record's time is now: by the time within the event, retention would delete it at once.
        let outgoing = Outgoing { key, payload: Some(event.json.into_bytes()), ..Outgoing::default() };
        producer.send(&outgoing, WITHIN)?;
    }
    producer.flush(WITHIN)
}
