//! Killed while it decides, on a real Kafka: around every drift and promotion, while a person's decision is on its way, and
//! always while labels wait.
//!
//! The feared failure: a decision that was answered and is forgotten, a promotion made twice or elsewhere than it would
//! have been, a row that waits and is lost. So the happenings must be those of a process that was never killed, row for
//! row; what was answered must be in the journal and served; the sums of what was learned must be the producer's; and
//! every kept version must be proved from genesis.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use checkpoints::{FileJournal, Journal, StateDir};
use features::{EventTime, NextOffset, PartitionId, Record};
use fold::{Chunk, Decision, Entry, Fold, FoldConfig, Happening, Position, What};
use perennial::config::Config;
use serde_json::{Value, json};
use streams::Admin;

use crate::send::Sender;
use crate::support::kafka::RealKafka;
use crate::support::service::{self, Service};
use crate::worlds::{self, Dice, Line};

const STEPS: u64 = 10_000;
/// The world turns over every so many steps.
const TURN: u64 = 2_500;
const WITHIN: Duration = Duration::from_secs(60);

fn config(brokers: &str, port: u16, state: &Path, undisturbed: bool) -> String {
    let model = |name: &str, rest: &str| {
        let decay = rest.find("\n[").unwrap_or(rest.len());
        format!(
            "[models.{name}]\n{}\npublish_every = \"10ms\"\ncheckpoint_every = \"300ms\"\n\
             keep = {{ last = 3, hourly = 0, daily = 0 }}\n{}\n\n",
            &rest[..decay],
            &rest[decay..]
        )
    };
    let sensors = "topics = [\"sensors\"]\ntask = \"regression\"\ntarget = \"temp\"\nhorizon = \"30m\"\ntime = \"at\"\n\
                   entity = \"station\"\n";
    // What adds up has no loss that means anything: nothing is to take its place.
    let sums = "features = [\"n\"]\nlearner = \"witness\"\n";
    let alert = |name: &str| format!("\n[models.{name}.decay]\non_drift = \"alert\"\n");
    let orders = "topics = [\"orders\"]\nid = \"id\"\n";
    let labels = |name: &str| format!("\n[models.{name}.labels]\ntopic = \"orders-labels\"\n");
    let mut text = format!(
        "version = 1\nstate_dir = \"{}\"\n[kafka]\nbrokers = \"{brokers}\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n\n{}{}{}",
        state.display(),
        model(
            "turns",
            "topics = [\"turns\"]\ntask = \"classification\"\ntarget = \"y\"\ntime = \"at\"\nlearner = \"naive_bayes\"\n\
             challengers = [\"majority\"]\n"
        ),
        model("sensors", &format!("{sensors}ignore = [\"n\"]\nlearner = \"linear\"\nchallengers = [\"no_change\"]\n")),
        model("sensors-sum", &format!("{sensors}{sums}{}", alert("sensors-sum"))),
    );
    if !undisturbed {
        let decided = "task = \"classification\"\ntarget = \"paid\"\nignore = [\"n\"]\nnominal = [\"day\"]\n\
                       learner = \"naive_bayes\"\nchallengers = [\"hoeffding_tree\"]\n";
        text += &model("orders", &format!("{orders}{decided}{}{}", alert("orders"), labels("orders")));
        let summed = format!("{orders}task = \"regression\"\ntarget = \"paid\"\n{sums}");
        text += &model("orders-sum", &format!("{summed}{}{}", alert("orders-sum"), labels("orders-sum")));
    }
    text
}

const UNDISTURBED: [&str; 3] = ["turns", "sensors", "sensors-sum"];
const ALL: [&str; 5] = ["turns", "sensors", "sensors-sum", "orders", "orders-sum"];

/// What happens to the model of one topic and partition, folded in this process.
fn expected(config: FoldConfig, lines: &[Line]) -> Vec<Happening> {
    let mut fold = Fold::genesis(config, Position::new()).unwrap();
    fold.decide(&Decision::AddPartition { from: PartitionId::default(), start: NextOffset(0) });
    let record = |(i, line): (usize, &Line)| Record {
        offset: i as i64,
        timestamp: EventTime(0),
        payload: Some(line.json.clone().into()),
        ..Record::default()
    };
    let records: Vec<Record> = lines.iter().enumerate().map(record).collect();
    let mut chunk = Chunk::default();
    for batch in records.chunks(700) {
        fold.decode(batch, &mut chunk);
        fold.train(&mut chunk);
    }
    fold.snapshot().happenings.to_vec()
}

/// A decision by hand that was answered.
struct Answered {
    version: u64,
    decision: Decision,
}

struct Stage {
    file: PathBuf,
    log: PathBuf,
    port: u16,
    dice: Dice,
    sender: Sender,
    kills: BTreeMap<&'static str, u32>,
    labels_waited: u32,
    drift_under_way: u32,
    answered: Vec<Answered>,
    /// What answers for `orders`, if the last decision was answered.
    live: Option<Value>,
}

impl Stage {
    /// A new life: what is pinned answers from the first moment on.
    fn start(&mut self) -> Service {
        let mut service = Service::start(&self.file, self.port, &self.log);
        let now = service.wait_for("/api/models/orders", WITHIN, |answer| answer.get("live").cloned());
        if let Some(live) = &self.live {
            // A promotion is in force again once the journal has been folded up to it.
            let expected = if live.get("pinned").is_some() { live } else { &json!({"follow": now["follow"]}) };
            assert_eq!(now, *expected, "what answers after a restart");
            if let Some(version) = live["pinned"].as_u64() {
                let said = service.post("/api/models/orders/predict", &json!({"features": {"size": 3, "day": 1}}));
                assert_eq!(said.unwrap()["version"], version);
            }
        }
        service
    }

    fn kill(&mut self, kind: &'static str, service: Service) {
        let look = |model: &str| service.get(&format!("/api/models/{model}")).unwrap_or_default();
        let (orders, turns) = (look("orders"), look("turns"));
        service.kill9();
        *self.kills.entry(kind).or_default() += 1;
        self.labels_waited += u32::from(orders["labels"]["waiting"].as_u64() > Some(0));
        self.drift_under_way += u32::from(turns["scores"][0]["verdict"] == "drift");
    }

    fn sleep(&mut self, at_most_ms: u64) {
        thread::sleep(Duration::from_millis(self.dice.below(at_most_ms + 1)));
    }

    /// Three kills: as the record passes that makes it happen, after it, and while what was folded is folded again.
    fn kill_around(&mut self, mark: &Happening, kinds: [&'static str; 3]) {
        // Version 1 is the partition.
        let step = mark.version - 2;
        let service = self.start();
        let before = step - self.dice.below(40);
        self.sender.send_until(before);
        self.sleep(400);
        let after = step + 1 + self.dice.below(40);
        self.sender.send_until(after);
        self.sleep(25);
        self.kill(kinds[0], service);

        let mut service = self.start();
        let told = serde_json::to_value(mark).unwrap();
        service.wait_for("/api/models/turns", WITHIN, |answer| {
            answer["happenings"].as_array().is_some_and(|all| all.contains(&told)).then_some(())
        });
        self.sleep(500);
        self.kill(kinds[1], service);

        let service = Service::start(&self.file, self.port, &self.log);
        self.sleep(250);
        self.kill(kinds[2], service);
    }

    /// Kills it while a decision is on its way, or as soon as it is answered.
    fn kill_while_deciding(&mut self, kind: &'static str, body: impl Fn(&Service) -> Value, answered: bool) {
        let mut service = self.start();
        let live = |answer: &Value| (answer["phase"] == "live").then(|| answer.clone());
        let now = service.wait_for("/api/models/orders", WITHIN, live);
        let expected = self.live.as_ref().unwrap_or(&now["live"]);
        assert_eq!(now["live"], *expected, "what answers when the journal is folded");
        let (path, body) = (kind, body(&service));
        let url = format!("{}/api/models/orders/{path}", service.url());
        let request = body.clone();
        let asked = thread::spawn(move || service::post(&url, &request));
        let answer = if answered {
            let answer = asked.join().unwrap();
            service.kill9();
            answer
        } else {
            thread::sleep(Duration::from_micros(self.dice.below(15_000)));
            service.kill9();
            asked.join().unwrap()
        };
        *self.kills.entry(kind).or_default() += 1;
        self.labels_waited += u32::from(now["labels"]["waiting"].as_u64() > Some(0));
        let Some((status, answer)) = answer else {
            assert!(!answered, "no answer to {kind}");
            self.live = None;
            return;
        };
        if status == 409 {
            // A decision whose answer nobody got was in force.
            self.live = None;
            return;
        }
        assert_eq!(status, 200, "{kind} {body}: {answer}");
        self.live = Some(answer["live"].clone());
        let decision = match kind {
            "rollback" => Decision::Pin { version: body["version"].as_u64().unwrap() },
            "promote" => Decision::Promote { learner: body["learner"].as_str().unwrap().into() },
            _ => Decision::Follow,
        };
        self.answered.push(Answered { version: answer["version"].as_u64().unwrap(), decision });
    }

    /// A rollback, a promotion and back to following, each killed.
    fn kill_decisions(&mut self, answered: [bool; 3]) {
        // An older one may be pruned before the decision is there.
        let newest = |service: &Service| {
            let kept = service.get("/api/models/orders/versions").unwrap();
            json!({"version": kept["versions"][0]["version"]})
        };
        let other = |service: &Service| {
            let now = service.get("/api/models/orders").unwrap();
            json!({"learner": now["scores"][1]["learner"]})
        };
        self.kill_while_deciding("rollback", newest, answered[0]);
        self.kill_while_deciding("promote", other, answered[1]);
        self.kill_while_deciding("follow", |_| json!({}), answered[2]);
    }
}

fn wait_folded(service: &mut Service, models: &[&str], sent: &BTreeMap<&str, u64>) {
    for model in models {
        let name = model.trim_end_matches("-sum");
        service.wait_for(&format!("/api/models/{model}"), Duration::from_secs(120), |answer| {
            let topics: &[&str] = if name == "orders" { &["orders", "orders-labels"] } else { &[name] };
            let at_end = |topic: &&str| answer["position"][topic]["0"].as_u64() == Some(sent[topic]);
            topics.iter().all(at_end).then_some(())
        });
    }
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn killed_while_it_decides_it_has_decided_as_if_it_never_was() {
    let seed = std::env::var("PERENNIAL_CRASH_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64);
    println!("PERENNIAL_CRASH_SEED={seed}");
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let kafka = RealKafka::start(&dir.path().join("kafka"));
    let admin = Admin::start(&kafka.brokers, &[]).unwrap();
    for topic in ["turns", "sensors", "orders", "orders-labels"] {
        admin.create_topic(topic, 1, &[]).unwrap();
    }
    let (state, port) = (dir.path().join("state"), service::free_port());
    let file = dir.path().join("perennial.toml");
    fs::write(&file, config(&kafka.brokers, port, &state, false)).unwrap();
    let parsed = Config::load(&file, &BTreeMap::new()).unwrap();

    // The worlds are always the same, the kills are not.
    let turns = worlds::turns(&mut Dice(1), STEPS, TURN);
    let (orders, sensors) = (worlds::orders(&mut Dice(2), STEPS), worlds::sensors(&mut Dice(3), STEPS / 2));
    let model = |name: &str| parsed.models.iter().find(|model| model.name == name).unwrap().fold.clone();
    let told = expected(model("turns"), &turns);
    let is_mark = |happening: &&Happening| matches!(happening.what, What::Drift { .. } | What::Promotion { .. });
    let marks: Vec<&Happening> = told.iter().filter(is_mark).collect();
    let lines = worlds::mixed([turns, orders.lines.clone(), sensors.lines.clone()]);
    let sent = worlds::counts(&lines);
    let mut stage = Stage {
        file: file.clone(),
        log: dir.path().join("perennial.log"),
        port,
        dice: Dice(seed),
        sender: Sender::start(&kafka.brokers, lines),
        kills: BTreeMap::new(),
        labels_waited: 0,
        drift_under_way: 0,
        answered: Vec::new(),
        live: None,
    };

    // Some of it is learned and kept before the first decision.
    stage.sender.send_until(TURN / 2);
    let mut service = Service::start(&file, port, &stage.log);
    service.wait_for("/api/models/orders/versions", WITHIN, |answer| answer["versions"].get(0).map(|_| ()));
    service.stop();
    let answered = [[true, true, true], [false, false, false], [true, false, true], [false, true, false]];
    let mut rounds = answered.iter().cycle();
    for mark in &marks {
        if matches!(mark.what, What::Promotion { .. }) {
            stage.kill_around(mark, ["as a promotion passes", "after a promotion", "replaying a promotion"]);
        } else {
            stage.kill_around(mark, ["as a drift passes", "after a drift", "replaying a drift"]);
        }
        stage.kill_decisions(*rounds.next().unwrap());
    }

    stage.sender.send_until(u64::MAX);
    let mut service = stage.start();
    wait_folded(&mut service, &ALL, &sent);
    let models: BTreeMap<&str, Value> =
        ALL.into_iter().map(|model| (model, service.get(&format!("/api/models/{model}")).unwrap())).collect();
    let live = &models["orders"]["live"];
    assert_eq!(live, stage.live.as_ref().unwrap_or(live), "what answers in the end");
    assert_eq!(models["turns"]["happenings"], serde_json::to_value(&told).unwrap());
    let mut none =
        json!({"expired": 0, "late": 0, "duplicate": 0, "changed": 0, "early": 0, "orphan": 0, "repeated": 0});
    for (model, waiting, joined) in [
        ("sensors", sensors.waiting, sensors.joined),
        ("sensors-sum", sensors.waiting, sensors.joined),
        ("orders", orders.waiting, orders.joined),
        ("orders-sum", orders.waiting, orders.joined),
    ] {
        if model.starts_with("orders") {
            let rest = json!({"early": orders.early, "duplicate": orders.duplicate, "changed": orders.changed});
            none.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        }
        let mut counts = none.clone();
        counts["waiting"] = json!(waiting);
        counts["joined"] = json!(joined);
        assert_eq!(models[model]["labels"], counts, "{model}");
        assert_eq!(models[model]["events"].as_u64(), Some(joined), "{model}");
    }
    for (model, sum) in [("sensors-sum", sensors.sum), ("orders-sum", orders.sum)] {
        let said = service.post(&format!("/api/models/{model}/predict"), &json!({"features": {"n": 1}})).unwrap();
        assert_eq!(said["prediction"].as_f64(), Some(sum as f64), "{model}: the sum of what was learned from");
    }
    service.stop();
    let lived = began.elapsed();

    for model in ALL {
        let proof =
            service::run_json(&["state", "verify", "--config", file.to_str().unwrap(), "--model", model, "--json"]);
        assert_eq!(proof["from"], "genesis", "{model}: {proof}");
    }
    let journal = FileJournal::open(&StateDir::open_existing(&state).unwrap(), "orders", FileJournal::ROTATE_AT_BYTES);
    let decided: BTreeMap<u64, Decision> = journal
        .unwrap()
        .read_from(0)
        .unwrap()
        .filter_map(|frame| {
            let frame = frame.unwrap();
            let Entry::Decided { decision, .. } = Entry::decode(&frame.payload).unwrap() else { return None };
            Some((frame.to, decision))
        })
        .collect();
    for Answered { version, decision } in &stage.answered {
        assert_eq!(decided.get(version), Some(decision), "answered at version {version}");
    }

    // Never killed, on the same topics.
    let twin = dir.path().join("twin.toml");
    fs::write(&twin, config(&kafka.brokers, port, &dir.path().join("twin"), true)).unwrap();
    let mut service = Service::start(&twin, port, &dir.path().join("twin.log"));
    wait_folded(&mut service, &UNDISTURBED, &sent);
    for model in UNDISTURBED {
        let answer = service.get(&format!("/api/models/{model}")).unwrap();
        assert_eq!(answer["happenings"], models[model]["happenings"], "{model}");
    }
    service.stop();
    for model in UNDISTURBED {
        let hash = |config: &Path| {
            let config = config.to_str().unwrap();
            let shown = service::run_json(&["state", "show", "--config", config, "--model", model, "--json"]);
            (shown["version"].clone(), shown["model_hash"].clone(), shown["state_hash"].clone())
        };
        assert_eq!(hash(&file), hash(&twin), "{model}");
    }

    let Stage { kills, labels_waited, drift_under_way, answered, .. } = &stage;
    let all: u32 = kills.values().sum();
    println!(
        "{all} kills in {lived:?}: {kills:?}; {labels_waited} while labels waited, {drift_under_way} during a drift"
    );
    println!("{} of the decisions were answered, {} are in the journal", answered.len(), decided.len());
    println!("{:?} in all", began.elapsed());
    assert!(all >= 20 && *labels_waited >= 10 && *drift_under_way >= 1, "the kills missed what they were for");
}
