//! The program as scripts see it: what stands on which stream, and exit codes.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use features::{NextOffset, PartitionId, Record, Start, TopicId};
use streams::{KafkaConfig, KafkaSource, MockBroker, Source, SourceEvent};

const GOLDEN: &str = "tests/golden/config_errors";

/// Runs the program in the project's folder, without any of its own variables from outside.
fn perennial(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PERENNIAL_") {
            command.env_remove(name);
        }
    }
    command.args(args).envs(env.iter().copied()).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it writes UTF-8")
}

/// The exit code, with nothing on standard output, and what stands on standard error.
fn refused(args: &[&str], env: &[(&str, &str)]) -> (i32, String) {
    let output = perennial(args, env);
    assert_eq!(text(&output.stdout), "", "messages go to standard error");
    (output.status.code().expect("it was not killed"), text(&output.stderr))
}

/// Standard output of a command that succeeds.
fn data(args: &[&str], env: &[(&str, &str)]) -> String {
    let output = perennial(args, env);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_misspelt_command_is_a_usage_error_with_a_suggestion() {
    let (code, message) = refused(&["replya"], &[]);
    assert_eq!(code, 64);
    assert!(message.contains("'replay'"), "{message}");
    for args in
        [&[][..], &["run"], &["replay", "x.csv"], &["learners", "linaer"], &["simulate", "see", "--out", "x.csv"]]
    {
        assert_eq!(refused(args, &[]).0, 64, "{args:?}");
    }
    assert!(refused(&["learners", "linaer"], &[]).1.contains("did you mean \"linear\"?"));
    assert!(refused(&["simulate", "see", "--out", "x.csv"], &[]).1.contains("did you mean \"sea\"?"));
    assert!(refused(&["simulate", "sea", "--out", "x.parquet"], &[]).1.contains("expected a file ending in .jsonl"));
}

/// The model is the same whatever the number of threads, and so is every figure that is not a time.
#[test]
fn threads_change_nothing_that_a_replay_says_but_how_long_it_took() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("world.jsonl");
    let file = file.to_str().unwrap();
    for (scenario, task, target) in [("electricity", "classification", "target"), ("sensors", "regression", "power")] {
        assert!(perennial(&["simulate", scenario, "--out", file, "--events", "3000"], &[]).status.success());
        let said = |threads: &str| {
            let said = data(&["replay", file, "--task", task, "--target", target, "--threads", threads, "--json"], &[]);
            let mut said: serde_json::Value = serde_json::from_str(&said).unwrap();
            for time in ["cpu_seconds", "wall_seconds", "events_per_cpu_second", "peak_rss_bytes"] {
                said.as_object_mut().unwrap().remove(time).unwrap();
            }
            said
        };
        let alone = said("1");
        assert_eq!(alone["events"], 3_000);
        assert_eq!(said("3"), alone, "{scenario}");
    }
}

#[test]
fn help_is_data_and_leads_with_examples() {
    for command in ["demo", "run", "validate", "replay", "simulate", "state", "learners", "detectors"] {
        let help = data(&[command, "--help"], &[]);
        let example = help.find(&format!("Examples:\n  perennial {command}")).expect("there is an example");
        assert!(example < help.find("Usage:").expect("there is usage"), "{help}");
    }
}

#[test]
fn a_wrong_configuration_is_told_whole() {
    let path = format!("{GOLDEN}.toml");
    for command in ["validate", "run"] {
        let (code, message) = refused(&[command, "--config", &path], &[]);
        assert_eq!(code, 78);
        let golden = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{GOLDEN}.txt"))).unwrap();
        assert_eq!(message, format!("error: {golden}"));
    }
    let (code, message) = refused(&["validate", "--config", "no/such.toml"], &[]);
    assert!(code == 78 && message.contains("no/such.toml: cannot be read"), "{message}");
}

#[test]
fn the_shipped_configuration_is_valid() {
    let args = ["validate", "--config", "config/perennial.toml", "--offline"];
    assert_eq!(data(&args, &[]), "config/perennial.toml: ok (models: air)\n");
    let (code, message) = refused(&args, &[("PERENNIAL_MODELS__AIR__TASK", "guess")]);
    assert!(code == 78 && message.contains("environment variable PERENNIAL_MODELS__AIR__TASK: "), "{message}");
}

#[test]
fn validate_asks_kafka() {
    let broker = MockBroker::start(&[("air-quality", 1)]).unwrap();
    let args = ["validate", "--config", "config/perennial.toml"];
    let output = perennial(&args, &[("PERENNIAL_KAFKA__BROKERS", &broker.bootstrap)]);
    assert!(output.status.success() && !text(&output.stderr).contains("does not exist"), "{}", text(&output.stderr));
    let option = ("PERENNIAL_KAFKA__OPTIONS", "{ \"no.such\" = 1 }");
    let (code, message) = refused(&args, &[("PERENNIAL_KAFKA__BROKERS", &broker.bootstrap), option]);
    assert!(code == 78 && message.contains("kafka.options: ") && message.contains("no.such"), "{message}");
}

#[test]
fn the_catalog_is_there_for_machines() {
    let learners: serde_json::Value = serde_json::from_str(&data(&["learners", "--json"], &[])).unwrap();
    let linear = learners.as_array().unwrap().iter().find(|entry| entry["name"] == "linear").expect("it is built");
    assert_eq!(linear["tasks"], serde_json::json!(["classification", "regression"]));
    assert!(linear["params"].as_array().unwrap().iter().any(|param| param["name"] == "seed"));
    let one: serde_json::Value = serde_json::from_str(&data(&["learners", "linear", "--json"], &[])).unwrap();
    assert_eq!(one, *linear);
    let detectors: serde_json::Value = serde_json::from_str(&data(&["detectors", "--json"], &[])).unwrap();
    assert_eq!(detectors[0]["name"], "auto");
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |name: &str, seed: &str| -> Vec<u8> {
        let path: PathBuf = folder.path().join(name);
        data(&["simulate", "electricity", "--events", "2_000", "--seed", seed, "--out", path.to_str().unwrap()], &[]);
        fs::read(path).unwrap()
    };
    for ending in ["jsonl", "jsonl.gz", "csv", "csv.gz"] {
        let name = |i: u32| format!("{i}.{ending}");
        assert_eq!(simulate(&name(1), "1"), simulate(&name(2), "1"), "{ending}");
        assert_ne!(simulate(&name(1), "1"), simulate(&name(3), "2"), "{ending}");
    }
    let events = text(&simulate("x.jsonl", "1"));
    let out = data(&["simulate", "electricity", "--events", "2_000", "--out", "-"], &[]);
    assert!(events == out, "standard output gets what a file gets");
}

#[test]
fn the_table_says_what_the_json_lines_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sensors.csv");
    let simulate = ["simulate", "sensors", "--events", "2_000", "--out"];
    data(&[&simulate[..], &[path.to_str().unwrap()]].concat(), &[]);
    let events = data(&[&simulate[..], &["-"]].concat(), &[]);
    let mut table = csv::Reader::from_path(&path).unwrap();
    let header = table.headers().unwrap().clone();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!((events.lines().count(), rows.len()), (2_000, 2_000));
    let mut missing = 0;
    for (line, row) in events.lines().zip(&rows) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        for (name, cell) in header.iter().zip(row) {
            match &event[name] {
                serde_json::Value::Null => {
                    missing += 1;
                    assert_eq!(cell, "", "{line}");
                }
                serde_json::Value::Number(x) => assert_eq!(cell.parse::<f64>().ok(), x.as_f64(), "{line}"),
                other => assert_eq!(Some(cell), other.as_str(), "{line}"),
            }
        }
    }
    assert!(missing > 0, "the world has missing values");
}

#[test]
fn what_cannot_be_written_is_unavailable() {
    let (code, message) = refused(&["simulate", "sea", "--out", "/no/such/folder/x.csv"], &[]);
    assert!(code == 69 && message.contains("/no/such/folder/x.csv"), "{message}");
}

#[test]
fn simulate_sends_to_kafka_what_it_writes_to_a_file() {
    let broker = MockBroker::start(&[("sensors", 1)]).unwrap();
    let to_kafka = ["--kafka", &broker.bootstrap, "--topic", "sensors", "--rate", "100_000"];
    data(&[&["simulate", "sensors", "--events", "500"][..], &to_kafka].concat(), &[]);
    let expected = data(&["simulate", "sensors", "--events", "500", "--out", "-"], &[]);
    let records = read(&broker, "sensors", 500);
    let sent: Vec<_> = records.iter().map(|r| text(r.payload.as_ref().expect("it is no tombstone"))).collect();
    assert!(sent.iter().map(String::as_str).eq(expected.lines()));
    for (record, event) in records.iter().zip(&sent) {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        assert_eq!(record.key.as_deref().map(text), event["station"].as_str().map(str::to_owned));
    }
}

#[test]
fn the_demo_ends_by_itself_with_a_summary() {
    let output = perennial(&["demo", "--seconds", "2", "--http", "127.0.0.1:0", "--json"], &[]);
    let (summary, told) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("one JSON object and nothing else");
    // How far it comes in two seconds is this machine's affair; the first drift is further away in any case.
    assert_eq!((&summary["drifts"], &summary["swaps"]), (&serde_json::json!([]), &serde_json::json!(0)));
    assert!(summary["events"].is_u64() && summary["false_alarms"].is_u64(), "{summary}");
    assert!(["before", "at", "after"].iter().all(|when| summary["accuracy"][when].is_null()), "{summary}");
    let url = summary["url"].as_str().expect("it was served");
    let example = format!("curl -s {url}/api/models/demo/predict -d '{{\"features\":{{\"x1\":");
    assert!(told.contains(&format!("the page:    {url}\n")) && told.contains(&example), "{told}");
    assert!(told.ends_with(" run --config config/perennial.toml\n"), "{told}");
}

/// The first `count` records of a topic's partition 0.
fn read(broker: &MockBroker, topic: &str, count: usize) -> Vec<Record> {
    let mut source = KafkaSource::start(KafkaConfig {
        brokers: broker.bootstrap.clone(),
        options: Vec::new(),
        group_id: "cli".into(),
        topics: vec![topic.into()],
        start: Start::Earliest,
        look_every: KafkaConfig::LOOK_EVERY,
    })
    .unwrap();
    source.assign(&[(PartitionId { topic: TopicId(0), partition: 0 }, NextOffset(0))]).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let mut records = Vec::new();
    while records.len() < count {
        assert!(Instant::now() < until, "only {} records came", records.len());
        if let Some(SourceEvent::Records(more)) = source.poll(Duration::from_millis(100)).unwrap() {
            records.extend(more);
        }
    }
    records
}
