//! Labels that come later, on the embedded broker: a raw sensor topic alone is enough, and every label is counted as
//! docs/labels.md says.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use streams::MockBroker;

use crate::send::send;
use crate::support::service::{self, Service};
use crate::worlds::{Dice, Line, sensors};

const WITHIN: Duration = Duration::from_secs(60);

/// A service on a state folder of its own.
pub struct Place {
    pub file: PathBuf,
    log: PathBuf,
    port: u16,
}

impl Place {
    pub fn new(dir: &Path, brokers: &str, models: &str) -> Self {
        fs::create_dir_all(dir).unwrap();
        let (port, state, file) = (service::free_port(), dir.join("state"), dir.join("perennial.toml"));
        let text = format!(
            "version = 1\nstate_dir = \"{}\"\n[kafka]\nbrokers = \"{brokers}\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n{models}",
            state.display()
        );
        fs::write(&file, text).unwrap();
        Self { file, log: dir.join("perennial.log"), port }
    }

    pub fn start(&self) -> Service {
        Service::start(&self.file, self.port, &self.log)
    }

    pub fn state(&self, command: &str, model: &str) -> Value {
        service::run_json(&["state", command, "--config", self.file.to_str().unwrap(), "--model", model, "--json"])
    }

    /// What a model has come to: of the model, of the whole state, and its version.
    pub fn hashes(&self, model: &str) -> [Value; 3] {
        let shown = self.state("show", model);
        ["model_hash", "state_hash", "version"].map(|key| shown[key].clone())
    }
}

/// Waits until so many records of a model's topic are folded and published.
pub fn folded(service: &mut Service, model: &str, topic: &str, records: usize) -> Value {
    service.wait_for(&format!("/api/models/{model}"), WITHIN, |answer| {
        (answer["position"][topic]["0"].as_u64() == Some(records as u64)).then(|| answer.clone())
    })
}

pub const SENSORS: &str = "
[models.sensors]
topics = [\"sensors\"]
task = \"regression\"
target = \"temp\"
horizon = \"30m\"
time = \"at\"
entity = \"station\"
ignore = [\"n\"]
learner = \"linear\"
challengers = [\"no_change\"]
checkpoint_every = \"200 events\"
publish_every = \"5ms\"

[models.sum]
topics = [\"sensors\"]
task = \"regression\"
target = \"temp\"
horizon = \"30m\"
time = \"at\"
entity = \"station\"
features = [\"n\"]
learner = \"witness\"
publish_every = \"5ms\"
[models.sum.decay]
on_drift = \"alert\"
";

#[test]
fn a_raw_sensor_topic_is_enough() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("sensors", 1)]).unwrap();
    let world = sensors(&mut Dice(7), 3_000);
    let place = Place::new(&dir.path().join("one"), &broker.bootstrap, SENSORS);

    // Killed while values wait for their labels, then stopped, then to the end.
    let mut sent = 0;
    for (part, until) in [1_100, 2_000, world.lines.len()].into_iter().enumerate() {
        send(&broker.bootstrap, &world.lines[sent..until]);
        sent = until;
        let mut service = place.start();
        let answer = folded(&mut service, "sensors", "sensors", sent);
        assert!(answer["labels"]["waiting"].as_u64() > Some(8), "{answer}");
        if part == 0 {
            service.kill9();
            continue;
        }
        if part == 2 {
            let answer = folded(&mut service, "sensors", "sensors", sent);
            let counts = json!({"waiting": world.waiting, "joined": world.joined, "expired": 0, "early": 0, "late": 0,
                "duplicate": 0, "changed": 0, "orphan": 0, "repeated": 0});
            assert_eq!(answer["labels"], counts);
            assert_eq!(answer["events"].as_u64(), Some(world.joined));
            let scores = answer["scores"].as_array().unwrap();
            let loss = |found: fn(&Value) -> bool| {
                scores.iter().find(|score| found(score)).unwrap()["rolling_loss"].as_f64().unwrap()
            };
            let (own, baseline) =
                (loss(|score| score["role"] == "champion"), loss(|score| score["learner"] == "no_change"));
            assert!(own < 0.7 * baseline, "half an hour ahead {own}, without a change {baseline}");
            folded(&mut service, "sum", "sensors", sent);
            let sum = service.post("/api/models/sum/predict", &json!({"features": {"n": 1}})).unwrap();
            assert_eq!(sum["prediction"].as_f64(), Some(world.sum as f64), "the sum of the readings learned from");
        }
        service.stop();
    }

    let never_stopped = Place::new(&dir.path().join("two"), &broker.bootstrap, SENSORS);
    let mut service = never_stopped.start();
    for model in ["sensors", "sum"] {
        folded(&mut service, model, "sensors", sent);
    }
    service.stop();
    for model in ["sensors", "sum"] {
        assert_eq!(place.hashes(model), never_stopped.hashes(model), "{model}");
        assert_eq!(place.state("verify", model)["from"], "genesis");
    }
}

const ORDERS: &str = "
[models.orders]
topics = [\"orders\"]
task = \"classification\"
target = \"paid\"
time = \"at\"
id = \"id\"
learner = \"naive_bayes\"
publish_every = \"5ms\"
[models.orders.labels]
topic = \"orders-labels\"
wait = { at_most = \"1h\" }
";

#[test]
fn labels_on_a_topic_are_counted_as_the_rules_say() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("orders", 1), ("orders-labels", 1), ("orders-dead-letters", 1)]).unwrap();
    let place = Place::new(dir.path(), &broker.bootstrap, ORDERS);
    let order = |id: u64, hour: u64| Line {
        step: 0,
        topic: "orders",
        json: format!(r#"{{"id":{id},"at":{},"size":{id}}}"#, 1_767_225_600_000 + hour * 3_600_000),
    };
    let label = |id: u64, paid: &str| Line {
        step: 0,
        topic: "orders-labels",
        json: format!(r#"{{"id":{id},"target":{paid}}}"#),
    };
    // Each part is folded before the next one is sent: two topics have no order of their own.
    let parts: &[(&str, Vec<Line>, Value)] = &[
        ("early", vec![label(1, "true")], json!({"early": 1})),
        (
            "its event, and others that wait",
            (1..=5).map(|id| order(id, 0)).collect(),
            json!({"early": 0, "joined": 1, "waiting": 4}),
        ),
        (
            "in time, again, and with another answer; one without an event",
            vec![label(2, "true"), label(2, "true"), label(3, "false"), label(3, "true"), label(99, "true")],
            json!({"joined": 3, "waiting": 2, "duplicate": 1, "changed": 1, "early": 1}),
        ),
        ("two hours later", vec![order(6, 2)], json!({"waiting": 1, "expired": 2, "early": 0, "orphan": 1})),
        ("too late, and one that says nothing", vec![label(4, "true"), label(6, "null")], json!({"late": 1})),
        ("seen before", vec![order(6, 2)], json!({"repeated": 1})),
        ("the last one", vec![label(6, "true")], json!({"joined": 4, "waiting": 0})),
    ];
    let mut counts = json!({"waiting": 0, "joined": 0, "expired": 0, "early": 0, "late": 0, "duplicate": 0, "changed": 0,
        "orphan": 0, "repeated": 0});
    let (mut events, mut labels) = (0, 0);
    let mut service = place.start();
    for (what, lines, then) in parts {
        send(&broker.bootstrap, lines);
        events += lines.iter().filter(|line| line.topic == "orders").count() as u64;
        labels += lines.iter().filter(|line| line.topic == "orders-labels").count() as u64;
        counts.as_object_mut().unwrap().extend(then.as_object().unwrap().clone());
        let all = |answer: &Value| {
            let at = |topic: &str, end: u64| answer["position"][topic]["0"].as_u64().unwrap_or(0) == end;
            (at("orders", events) && at("orders-labels", labels)).then(|| answer.clone())
        };
        let answer = service.wait_for("/api/models/orders", WITHIN, all);
        assert_eq!(answer["labels"], counts, "{what}");
        // What waits, and every count, outlives a kill.
        service.kill9();
        service = place.start();
        let answer = service.wait_for("/api/models/orders", WITHIN, all);
        assert_eq!(answer["labels"], counts, "{what}, after a restart");
    }
    let answer = service.get("/api/models/orders").unwrap();
    assert_eq!((answer["events"].as_u64(), answer["counts"]["rejected"].as_u64()), (Some(4), Some(1)), "{answer}");
    service.stop();
    assert_eq!(place.state("verify", "orders")["from"], "genesis");
}
