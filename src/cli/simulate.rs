//! `perennial simulate`: events of a world whose truth is known, to a file or to Kafka; the truth beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use simulations::{Delivery, Drift, Fault, Scenario};

use self::sink::Sink;
use super::{CliError, bar};
use crate::config::did_you_mean;

mod sink;

/// Writes the events of a simulated world to a file or to Kafka. The same seed gives the same bytes.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  perennial simulate sea --out sea.jsonl.gz --events 100_000 --truth sea.truth.jsonl
  perennial simulate sensors --kafka localhost:9092 --topic air-quality --rate 500
  perennial simulate my-world.toml --out events.jsonl --labels-out labels.jsonl",
    after_help = scenarios()
)]
pub struct SimulateArgs {
    /// The world; listed below, or a file of your own that ends in .toml.
    #[arg(value_name = "SCENARIO")]
    pub scenario: String,
    /// The file, by its ending: .jsonl, .jsonl.gz, .csv or .csv.gz; "-" is standard output (JSON lines).
    #[arg(long, value_name = "FILE", required_unless_present = "kafka", conflicts_with_all = ["kafka", "topic", "rate"])]
    pub out: Option<PathBuf>,
    /// Labels go to this file as they become known; the events then have no target.
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with = "kafka")]
    pub labels_out: Option<PathBuf>,
    /// Sends to these brokers instead.
    #[arg(long, value_name = "BROKERS", requires = "topic")]
    pub kafka: Option<String>,
    /// The topic to send to; made with one partition if it does not exist. An event's key is its entity.
    #[arg(long, requires = "kafka")]
    pub topic: Option<String>,
    /// Labels go to this topic as they become known; the events then have no target.
    #[arg(long, value_name = "TOPIC", requires = "kafka")]
    pub labels_topic: Option<String>,
    /// The truth goes to this file: a JSON line {"at_event","ends_at"?,"kind","concept"} for each change of the world.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// How many events; where the world changes may depend on it.
    #[arg(long, value_name = "N", default_value = "50_000", value_parser = count)]
    pub events: u64,
    /// Events a second where they come at their usual distance; as fast as possible otherwise.
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
    let lines = Scenario::all().iter().map(|entry| format!("\n  {:<12} {}", entry.name, entry.description));
    format!("Scenarios:{}", lines.collect::<String>())
}

/// Writes the events.
///
/// # Errors
/// There is no such scenario, the file's ending is none of ours, or file or brokers do not take them.
pub fn run(args: &SimulateArgs) -> Result<ExitCode, CliError> {
    let scenario = scenario(&args.scenario)?;
    let drifts = scenario.drifts(args.events);
    let (mut out, mut labels) = match (&args.out, &args.kafka, &args.topic) {
        (Some(path), ..) => (Sink::file(path)?, args.labels_out.as_deref().map(Sink::file).transpose()?),
        (None, Some(brokers), Some(topic)) => {
            let labels = args.labels_topic.as_ref().map(|topic| Sink::topic(brokers, topic));
            (Sink::topic(brokers, topic)?, labels.transpose()?)
        }
        _ => return Err(CliError::Usage("expected --out FILE, or --kafka BROKERS --topic TOPIC".to_owned())),
    };
    if let Some(path) = &args.truth {
        write_truth(path, &drifts)?;
    }
    let progress = bar(Some(args.events), "events");
    let (begun, mut first_ms) = (Instant::now(), None);
    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    for Delivery { event, label, fault } in scenario.deliveries(args.seed, args.events, labels.is_some()) {
        match fault {
            Some(Fault::Late) => *faults.entry("late").or_default() += 1,
            Some(Fault::Duplicate) => *faults.entry("duplicate").or_default() += 1,
            Some(Fault::Broken(_)) if out.is_table() => {
                return Err(CliError::Usage("a table cannot hold broken records: expected a .jsonl file".to_owned()));
            }
            Some(Fault::Broken(_)) => *faults.entry("broken").or_default() += 1,
            None => {}
        }
        if let Some(rate) = args.rate {
            let passed_ms = event.at_ms - *first_ms.get_or_insert(event.at_ms);
            let events = passed_ms.max(0) as f64 / f64::from(scenario.spacing_ms());
            thread::sleep(Duration::from_secs_f64(events / rate as f64).saturating_sub(begun.elapsed()));
        }
        progress.inc(u64::from(!label));
        match &mut labels {
            Some(labels) if label => labels.put(event)?,
            _ => out.put(event)?,
        }
    }
    let to = out.name().to_owned();
    out.finish()?;
    labels.map(Sink::finish).transpose()?;
    progress.finish_and_clear();
    eprintln!("{} events of {} (seed {}) → {to}", args.events, scenario.name, args.seed);
    if !faults.is_empty() {
        let told: Vec<_> = faults.iter().map(|(fault, n)| format!("{n} {fault}")).collect();
        eprintln!("among the records: {}", told.join(", "));
    }
    let shown: Vec<_> =
        drifts.iter().take(5).map(|d| format!("{} ({:?})", d.at_event, d.kind).to_lowercase()).collect();
    let more = if drifts.len() > shown.len() { ", …" } else { "" };
    let colon = if shown.is_empty() { "" } else { ": " };
    eprintln!("the world changes at {} events{colon}{}{more}", drifts.len(), shown.join(", "));
    Ok(ExitCode::SUCCESS)
}

fn write_truth(path: &Path, drifts: &[Drift]) -> Result<(), CliError> {
    let line = |drift: &Drift| serde_json::to_string(drift).expect("plain data has a JSON form") + "\n";
    fs::write(path, drifts.iter().map(line).collect::<String>())
        .map_err(|error| CliError::Unavailable(format!("{}: {error}", path.display())))
}

/// The scenario of this name, or of this file.
///
/// # Errors
/// There is none, or the file describes none.
pub(super) fn scenario(name: &str) -> Result<&'static Scenario, CliError> {
    let path = Path::new(name);
    if path.extension().is_some_and(|ending| ending == "toml") {
        let text =
            fs::read_to_string(path).map_err(|error| CliError::Unavailable(format!("{}: {error}", path.display())))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let scenario = Scenario::read(&stem, &text).map_err(|error| CliError::Usage(format!("{name}: {error}")))?;
        // One scenario a process, which it needs to its end.
        return Ok(Box::leak(Box::new(scenario)));
    }
    Scenario::by_name(name).ok_or_else(|| {
        let names = Scenario::all().iter().map(|entry| entry.name.as_str());
        let all = names.clone().collect::<Vec<_>>().join(", ");
        CliError::Usage(format!("there is no scenario {name:?} (there is: {all}){}", did_you_mean(name, names)))
    })
}

#[cfg(test)]
mod tests {
    use features::{NextOffset, PartitionId, Start, TopicId};
    use serde_json::{Value, json};
    use streams::{KafkaConfig, KafkaSource, MockBroker, Source, SourceEvent};

    use super::*;

    const WORLD: &str = "about = \"a\"\nconcept = \"sea\"\nspacing_ms = 100\n\
        [[drifts]]\nat = 40\nkind = \"gradual\"\nwidth = 20\nset = { threshold = 9 }\n\
        [faults]\nlabel_delay_ms = 250\n";

    fn simulate(world: &str, args: &[&str]) -> Result<Vec<(String, String)>, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("mine.toml"), world).unwrap();
        let mut args = args.iter();
        let mut next = || args.next().map(|name| path(name));
        let args = SimulateArgs {
            scenario: path("mine.toml").to_str().unwrap().to_owned(),
            out: next(),
            labels_out: next(),
            truth: next(),
            kafka: None,
            topic: None,
            labels_topic: None,
            events: 100,
            rate: None,
            seed: 1,
        };
        run(&args)?;
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
            .collect();
        files.sort();
        Ok(files)
    }

    fn lines(text: &str) -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn labels_and_truth_stand_beside_the_events() {
        let files = simulate(WORLD, &["events.jsonl", "labels.jsonl", "truth.jsonl"]).unwrap();
        let [(_, events), (_, labels), _, (_, truth)] = files.as_slice() else { panic!("{files:?}") };
        let (events, labels) = (lines(events), lines(labels));
        assert_eq!((events.len(), labels.len()), (100, 100));
        for (event, label) in events.iter().zip(&labels) {
            assert!(event.get("target").is_none() && label["target"].is_string());
            assert_eq!(label["id"], event["id"]);
            assert_eq!(label["at"].as_i64(), event["at"].as_i64().map(|at| at + 250));
        }
        let expected = json!({"at_event": 40, "ends_at": 60, "kind": "gradual", "concept": "threshold = 9"});
        assert_eq!(lines(truth), [expected]);
    }

    /// How many records lie on the first partition of a topic.
    fn records(broker: &MockBroker, topic: &str, at_least: usize) -> usize {
        let mut source = KafkaSource::start(KafkaConfig {
            brokers: broker.bootstrap.clone(),
            options: Vec::new(),
            group_id: "simulate".into(),
            topics: vec![topic.into()],
            start: Start::Earliest,
            look_every: KafkaConfig::LOOK_EVERY,
        })
        .unwrap();
        source.assign(&[(PartitionId { topic: TopicId(0), partition: 0 }, NextOffset(0))]).unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let mut count = 0;
        while count < at_least {
            assert!(Instant::now() < until, "only {count} records came");
            if let Some(SourceEvent::Records(more)) = source.poll(Duration::from_millis(100)).unwrap() {
                for record in &more {
                    let json: Value = serde_json::from_slice(record.payload.as_ref().unwrap()).unwrap();
                    assert_eq!(json.get("target").is_some(), topic == "labels", "{json}");
                }
                count += more.len();
            }
        }
        count
    }

    #[test]
    fn labels_go_to_a_topic_of_their_own() {
        let broker = MockBroker::start(&[("events", 1), ("labels", 1)]).unwrap();
        let args = SimulateArgs {
            scenario: "market".into(),
            out: None,
            labels_out: None,
            kafka: Some(broker.bootstrap.clone()),
            topic: Some("events".into()),
            labels_topic: Some("labels".into()),
            truth: None,
            events: 200,
            rate: Some(100_000),
            seed: 1,
        };
        run(&args).unwrap();
        assert_eq!((records(&broker, "events", 200), records(&broker, "labels", 200)), (200, 200));
    }

    #[test]
    fn a_file_that_is_no_scenario_is_refused() {
        let told = |world: &str, out: &str| simulate(world, &[out]).map(|_| ()).unwrap_err().to_string();
        let error = told(&WORLD.replace("threshold", "treshold"), "x.jsonl");
        assert!(
            error.ends_with("mine.toml: drifts[0].set.treshold: there is no \"treshold\" (there is: threshold, noise)")
        );
        let broken = format!("{WORLD}poison = {{ share = 0.5 }}\n");
        assert!(told(&broken, "x.csv").contains("a table cannot hold broken records"));
        assert!(simulate(&broken, &["x.jsonl"]).is_ok());
        assert!(matches!(scenario("no/such.toml"), Err(CliError::Unavailable(_))));
    }
}
