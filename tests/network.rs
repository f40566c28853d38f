//! The network between it and Kafka fails, Kafka itself does not: the wire is cut, swallows what is sent, is slow. It answers
//! all the while, learns on by itself when the wire is whole again, and has learned every event once: a witness's
//! prediction is the sum of the ids it has learned.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "support/proxy.rs"]
mod proxy;
mod support;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use proxy::{Proxy, Wire};
use serde_json::{Value, json};
use streams::Admin;
use support::kafka::{RealKafka, free_port};
use support::service::{self, Service};

const WITHIN: Duration = Duration::from_secs(30);
/// More than it will send: it goes on until it is asked to end.
const EVENTS: u64 = 10_000_000;
const RATE: u64 = 400;

/// A connection that says nothing for 6 s is given up; librdkafka's own patience is 60 s.
fn config(brokers: u16, port: u16, state: &Path) -> String {
    format!(
        "version = 1\nstate_dir = \"{}\"\n[kafka]\nbrokers = \"127.0.0.1:{brokers}\"\n\
         options = {{ \"socket.timeout.ms\" = \"6000\", \"reconnect.backoff.max.ms\" = \"1000\" }}\n\
         [http]\nlisten = \"127.0.0.1:{port}\"\n\
         [models.w]\ntopics = [\"air\"]\ntask = \"regression\"\ntarget = \"co\"\nfeatures = [\"id\"]\nid = \"id\"\n\
         learner = \"witness\"\ndecay = {{ on_drift = \"alert\" }}\ncheckpoint_every = \"300ms\"\n\
         publish_every = \"20ms\"\ndead_letters = {{ topic = \"dead\" }}\n",
        state.display()
    )
}

/// It answers at once.
fn answers(service: &Service) -> Value {
    let answer = service.post("/api/models/w/predict", &json!({"features": {"id": 1}}));
    answer.filter(|answer| answer["prediction"].is_number()).unwrap_or_else(|| panic!("{}", service.last_words()))
}

fn version(service: &Service) -> u64 {
    service.get("/api/models/w").unwrap()["version"].as_u64().unwrap()
}

fn learns_on(service: &mut Service) {
    let (now, begun) = (version(service), Instant::now());
    service.wait_for("/api/models/w", WITHIN, |answer| answer["version"].as_u64().filter(|later| *later > now + 100));
    println!("{now}: learns on after {:.1} s", begun.elapsed().as_secs_f64());
}

/// Nothing comes through: what it knows does not grow for so long, and it answers.
fn stands_still(service: &Service, long: Duration) {
    // What is on its way may arrive, and what has arrived waits a second for partitions that have not said that they are at
    // their end.
    thread::sleep(Duration::from_millis(2_500));
    let now = version(service);
    thread::sleep(long);
    answers(service);
    assert_eq!(version(service), now, "the wire lets something through");
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn the_network_fails_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (said, listens) = (free_port(), free_port());
    let mut kafka = RealKafka::with_door(&dir.path().join("kafka"), listens, said);
    let proxy = Proxy::start(said, listens);
    let admin = Admin::start(&kafka.brokers, &[]).unwrap();
    admin.create_topic("air", 3, &[]).unwrap();
    let (state, port) = (dir.path().join("state"), service::free_port());
    let (file, log) = (dir.path().join("perennial.toml"), dir.path().join("perennial.log"));
    fs::write(&file, config(said, port, &state)).unwrap();
    let told = dir.path().join("told.json");
    let mut producer = service::produce(&kafka.brokers, "air", "air", 1, EVENTS, RATE, &told);
    let mut service = Service::start(&file, port, &log);
    service.wait_for("/api/models/w", WITHIN, |answer| answer["events"].as_u64().filter(|n| *n > 500));

    for (wire, long) in [(Wire::Cut, 3), (Wire::HalfOpen, 2), (Wire::Cut, 0)] {
        proxy.set(wire);
        stands_still(&service, Duration::from_secs(long));
        proxy.set(Wire::Whole);
        learns_on(&mut service);
        answers(&service);
    }
    // Every chunk takes a tenth of a second, each way; killed like that, it comes back.
    proxy.set(Wire::Slow(Duration::from_millis(100)));
    learns_on(&mut service);
    answers(&service);
    service.kill9();
    let mut service = Service::start(&file, port, &log);
    service.wait_for("/readyz", WITHIN, |answer| (answer["ready"] == true).then_some(()));
    learns_on(&mut service);
    // Dead while it begins: it waits, and what it had learned answers.
    service.kill9();
    proxy.set(Wire::HalfOpen);
    let mut service = Service::start(&file, port, &log);
    service.wait_for("/api/models/w", WITHIN, |answer| answer["version"].as_u64());
    answers(&service);
    proxy.set(Wire::Whole);
    learns_on(&mut service);

    service::signal("-TERM", &producer);
    assert!(producer.wait().unwrap().success());
    let sent: Value = serde_json::from_slice(&fs::read(&told).unwrap()).unwrap();
    let bad = sent["bad"].as_array().unwrap().len() as u64;
    let all = 3 + sent["good"].as_u64().unwrap() + bad + sent["tombstones"].as_u64().unwrap();
    let found = |answer: &Value| answer["version"].as_u64().filter(|version| *version >= all);
    assert_eq!(service.wait_for("/api/models/w", WITHIN, found), all, "records and partitions folded");
    assert_eq!(answers(&service)["prediction"].as_f64(), sent["sum"].as_f64(), "the sum of the ids learned from");
    service.stop();
    kafka.stop();
}
