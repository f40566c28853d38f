//! The promise on a cluster that fails: three brokers of a real Kafka are killed, stopped, frozen and restarted while it
//! learns and while it is killed itself. It answers as long as its own process lives, and in the end has learned every
//! event once.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod support;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::MetadataTopic;
use serde_json::{Value, json};
use streams::Admin;
use support::kafka::RealKafka;
use support::service::{self, Service};

/// More than it will send: it goes on until it is asked to end.
const EVENTS: u64 = 10_000_000;
const RATE: u64 = 400;

fn config(brokers: &str, port: u16, state: &Path) -> String {
    let model = |name: &str, rest: &str| {
        format!(
            "[models.{name}]\ntopics = [\"air\"]\ntask = \"regression\"\ntarget = \"co\"\n{rest}checkpoint_every = \"300ms\"\n\
             publish_every = \"20ms\"\n[models.{name}.dead_letters]\ntopic = \"{name}-dead\"\n\n"
        )
    };
    format!(
        "version = 1\nstate_dir = \"{}\"\n[kafka]\nbrokers = \"{brokers}\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n\n{}{}",
        state.display(),
        model("air", "id = \"id\"\nlearner = \"linear\"\nchallengers = [\"hoeffding_tree\"]\n"),
        model("witness", "features = [\"id\"]\nlearner = \"witness\"\ndecay = { on_drift = \"alert\" }\n"),
    )
}

/// It answers at once, whatever has become of the brokers.
fn answers(service: &Service) {
    let row = json!({"features": {"t": 20.5, "rh": 48, "station": {"name": "s1"}}});
    let answer = service.post("/api/models/air/predict", &row);
    assert!(answer.as_ref().is_some_and(|answer| answer["prediction"].is_number()), "{answer:?}");
}

fn version(service: &mut Service) -> u64 {
    service.wait_for("/api/models/air", Duration::from_secs(90), |answer| answer["version"].as_u64())
}

/// It learns on: what it knows grows.
fn learns_on(service: &mut Service) {
    let now = version(service);
    let later = |answer: &Value| answer["version"].as_u64().filter(|later| *later > now);
    service.wait_for("/api/models/air", Duration::from_secs(90), later);
}

/// Waits until every partition has all its copies in sync: a broker that goes before that may take the only one along, and
/// the partition is away until it is back.
fn whole(brokers: &str) {
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let in_sync = |topic: &MetadataTopic| topic.partitions().iter().all(|p| p.isr().len() == p.replicas().len());
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let metadata = client.fetch_metadata(None, Duration::from_secs(5));
        if metadata.is_ok_and(|metadata| metadata.topics().iter().all(in_sync)) {
            return;
        }
        assert!(Instant::now() < until, "copies of partitions stay behind");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn brokers_fail_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut kafka = RealKafka::cluster(&dir.path().join("kafka"), 3);
    let brokers = kafka[0].brokers.clone();
    Admin::start(&brokers, &[]).unwrap().create_topic("air", 3, &[]).unwrap();
    let (state, port) = (dir.path().join("state"), service::free_port());
    let (file, log) = (dir.path().join("perennial.toml"), dir.path().join("perennial.log"));
    fs::write(&file, config(&brokers, port, &state)).unwrap();
    let told = dir.path().join("told.json");
    let mut producer = service::produce(&brokers, "air", "air", 1, EVENTS, RATE, &told);
    let mut service = Service::start(&file, port, &log);
    service
        .wait_for("/api/models/air", Duration::from_secs(60), |answer| answer["events"].as_u64().filter(|n| *n > 500));

    // Each broker in turn is killed: the leaders move.
    for node in &mut kafka {
        node.kill9();
        answers(&service);
        learns_on(&mut service);
        node.restart();
        whole(&brokers);
    }
    // A rolling restart, during which it is killed itself.
    for node in &mut kafka {
        node.stop();
        service.kill9();
        service = Service::start(&file, port, &log);
        learns_on(&mut service);
        answers(&service);
        node.restart();
        whole(&brokers);
    }
    // A broker that neither answers nor hangs up.
    kafka[1].freeze();
    thread::sleep(Duration::from_secs(6));
    answers(&service);
    kafka[1].thaw();
    learns_on(&mut service);
    // It stands still itself.
    service.freeze();
    thread::sleep(Duration::from_secs(5));
    service.thaw();
    learns_on(&mut service);
    answers(&service);
    // No broker at all, for it and for a new life of it.
    kafka.iter_mut().for_each(RealKafka::kill9);
    thread::sleep(Duration::from_secs(4));
    answers(&service);
    service.kill9();
    service = Service::start(&file, port, &log);
    version(&mut service);
    answers(&service);
    kafka.iter_mut().for_each(RealKafka::launch);
    kafka.iter_mut().for_each(RealKafka::wait_until_up);
    learns_on(&mut service);

    service::signal("-TERM", &producer);
    assert!(producer.wait().unwrap().success());
    let sent: Value = serde_json::from_slice(&fs::read(&told).unwrap()).unwrap();
    let (good, bad) = (sent["good"].as_u64().unwrap(), sent["bad"].as_array().unwrap().len() as u64);
    let all = 3 + good + bad + sent["tombstones"].as_u64().unwrap();
    for model in ["air", "witness"] {
        let found = |answer: &Value| answer["version"].as_u64().filter(|version| *version >= all);
        let found = service.wait_for(&format!("/api/models/{model}"), Duration::from_secs(120), found);
        assert_eq!(found, all, "{model}: records and partitions folded");
    }
    let witness = service.post("/api/models/witness/predict", &json!({"features": {"id": 1}})).unwrap();
    assert_eq!(witness["prediction"].as_f64(), sent["sum"].as_f64(), "the sum of the ids learned from");
    service.stop();
    for model in ["air", "witness"] {
        let proof = service::run(&["state", "verify", "--config", file.to_str().unwrap(), "--model", model, "--json"]);
        let said = String::from_utf8_lossy(&proof.stdout).into_owned();
        assert_eq!(proof.status.code(), Some(0), "{model}: {said} {}", String::from_utf8_lossy(&proof.stderr));
        assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["from"], "genesis", "{said}");
    }
}
