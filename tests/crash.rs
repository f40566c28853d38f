//! The promise, on a real Kafka: killed anywhere, any number of times, nothing is lost and nothing learned twice.
//!
//! The feared failure: an event folded twice or never because the process died between two steps of the commit
//! protocol. Witness models sum the ids of what they learned; after 60 kill -9 (`PERENNIAL_KILLS` says how many else;
//! `tests/run --soak`: 500) the sums must be the producer's, the dead letters exactly the broken records, the predictions
//! heard exactly the good ones, and every kept version must be proved from genesis. Half of the lives are killed up to 1.2 s
//! after their first journal entry, the rest up to 1.2 s after their start.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use features::Start;
use serde_json::{Value, json};
use streams::{Admin, KafkaConfig, KafkaSource, Source, SourceEvent};
use support::kafka::RealKafka;
use support::service::{self, Service};

/// Events a second, and for each kill.
const RATE: u64 = 800;
const EVENTS: u64 = 1_000;
/// In which class a life is counted: one in ten must be in each.
const CLASSES: [&str; 4] = ["opened", "learned", "committed", "pruned"];

fn config(brokers: &str, port: u16, state: &Path) -> String {
    let model = |name: &str, topic: &str, rest: &str| {
        format!(
            "[models.{name}]\ntopics = [\"{topic}\"]\n{rest}checkpoint_every = \"300ms\"\npublish_every = \"20ms\"\n\
             [models.{name}.dead_letters]\ntopic = \"{name}-dead\"\n\n"
        )
    };
    let witness = |target: &str| {
        // A witness is to see everything: no fresh one may take its place.
        format!(
            "task = \"regression\"\ntarget = \"{target}\"\nfeatures = [\"id\"]\nlearner = \"witness\"\n\
             decay = {{ on_drift = \"alert\" }}\n"
        )
    };
    format!(
        "version = 1\nstate_dir = \"{}\"\n[kafka]\nbrokers = \"{brokers}\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n\n{}{}{}{}",
        state.display(),
        model(
            "air",
            "air",
            "task = \"regression\"\ntarget = \"co\"\nid = \"id\"\nlearner = \"linear\"\n\
             challengers = [\"hoeffding_tree\", \"no_change\", \"refit:model=decision_tree,window=500,every=500,lag=100\"]\n"
        ),
        model(
            "load",
            "load",
            "task = \"classification\"\ntarget = \"up\"\nid = \"id\"\nnominal = [\"day\"]\n\
             learner = \"hoeffding_tree\"\nchallengers = [\"naive_bayes\", \"ftrl\"]\n\
             predictions.topic = \"load-said\"\nscores = { topic = \"load-scored\", every = \"500 events\" }\n"
        ),
        model("air-witness", "air", &witness("co")),
        model("load-witness", "load", &witness("up")),
    )
}

/// A model's files of one kind by name, and their bytes.
fn files(state: &Path, model: &str, kind: &str) -> BTreeMap<OsString, u64> {
    let Ok(files) = fs::read_dir(state.join("models").join(model).join(kind)) else { return BTreeMap::new() };
    files.flatten().filter_map(|file| Some((file.file_name(), file.metadata().ok()?.len()))).collect()
}

fn journal(state: &Path) -> u64 {
    files(state, "air", "journal").values().sum()
}

/// A number below `below` that looks random.
fn random(seed: u32, below: u64) -> u64 {
    ((u64::from(seed) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % below
}

#[test]
#[ignore = "needs Java: run tests/run"]
fn killed_many_times_it_comes_back_bit_for_bit() {
    let kills = std::env::var("PERENNIAL_KILLS").map_or(60, |kills| kills.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let kafka = RealKafka::start(&dir.path().join("kafka"));
    let admin = Admin::start(&kafka.brokers, &[]).unwrap();
    for topic in ["air", "load"] {
        admin.create_topic(topic, 3, &[]).unwrap();
    }
    let (state, port) = (dir.path().join("state"), service::free_port());
    let file = dir.path().join("perennial.toml");
    let log = dir.path().join("perennial.log");
    fs::write(&file, config(&kafka.brokers, port, &state)).unwrap();
    let config = file.to_str().unwrap();
    let validated = service::run(&["validate", "--config", config]);
    assert!(validated.status.success(), "{}", String::from_utf8_lossy(&validated.stderr));

    let told = |topic: &str| dir.path().join(format!("{topic}.json"));
    let events = EVENTS * u64::from(kills);
    let mut producers: Vec<_> = ["air", "load"]
        .iter()
        .zip(1..)
        .map(|(topic, seed)| service::produce(&kafka.brokers, topic, topic, seed, events, RATE, &told(topic)))
        .collect();

    let (mut classes, mut before, mut answered) = ([0_u32; 4], 0, 0);
    for kill in 0..kills {
        let (entries, blobs) = (journal(&state), files(&state, "air", "blobs"));
        let logged = fs::metadata(&log).map_or(0, |log| log.len() as usize);
        let mut service = Service::start(&file, port, &log);
        // The first ones hit the first start.
        let wait = if kill < 8 { 10 + u64::from(kill) * 15 } else { random(kill, 1_200) };
        let until = Instant::now() + Duration::from_secs(3);
        while kill >= 8 && kill % 2 == 0 && journal(&state) <= entries && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(Duration::from_millis(wait));
        if kill % 10 == 9 {
            // Two answers in one life: versions grow.
            let version = |answer: &Value| answer["version"].as_u64().filter(|_| answer["events"].as_u64() > Some(0));
            service.wait_for("/api/models/load", Duration::from_secs(60), version);
            let first = service.wait_for("/api/models/air", Duration::from_secs(60), version);
            let later = |answer: &Value| version(answer).filter(|later| *later > first);
            service.wait_for("/api/models/air", Duration::from_secs(60), later);
            let row = json!({"features": {"t": 20.5, "rh": 48, "station": {"name": "s1"}}});
            let answer = service.post("/api/models/air/predict", &row).unwrap();
            assert!(answer["prediction"].is_number(), "{answer}");
            assert!(answer["version"].as_u64() > Some(first), "{answer}");
            let rows = json!({"instances": [{"day": 3, "demand": 0.9, "price": 0.8}]});
            let answer = service.post("/v1/models/load:predict", &rows).unwrap();
            assert!(answer["predictions"][0]["label"].is_string(), "{answer}");
            answered += 1;
        }
        service.kill9();
        let said = fs::read_to_string(&log).unwrap().split_off(logged);
        let left = files(&state, "air", "blobs");
        let pruned = blobs.keys().any(|name| !left.contains_key(name));
        let of_life = [said.contains("serving"), journal(&state) > entries, said.contains("checkpoint"), pruned];
        classes.iter_mut().zip(of_life).for_each(|(count, is_of_it)| *count += u32::from(is_of_it));
        before += u32::from(journal(&state) < 2_000);
        if kill == 20 {
            admin.add_partitions("air", 4).unwrap();
        }
    }
    println!(
        "{kills} kills, {before} of them before the first journal entry of all; lives that {CLASSES:?}: {classes:?}"
    );
    assert!(before > 0 && answered > 0, "{before} before, {answered} asked");
    assert!(classes.iter().all(|count| *count >= kills / 10), "{CLASSES:?}: {classes:?}");
    for producer in &mut producers {
        assert!(producer.wait().unwrap().success());
    }
    let told = |topic: &str| -> Value { serde_json::from_slice(&fs::read(told(topic)).unwrap()).unwrap() };

    let mut service = Service::start(&file, port, &log);
    for (topic, partitions) in [("air", 4), ("load", 3)] {
        let sent = told(topic);
        let bad = sent["bad"].as_array().unwrap().len() as u64;
        let good = sent["good"].as_u64().unwrap();
        let version = partitions + good + bad + sent["tombstones"].as_u64().unwrap();
        for model in [topic.to_owned(), format!("{topic}-witness")] {
            service.wait_for(&format!("/api/models/{model}"), Duration::from_secs(180), |answer| {
                (answer["version"].as_u64() == Some(version)).then_some(())
            });
            let status = service.get(&format!("/api/models/{model}")).unwrap();
            assert_eq!(status["events"].as_u64(), Some(good), "{status}");
        }
        let row = json!({"features": {"id": 1}});
        let witness = service.post(&format!("/api/models/{topic}-witness/predict"), &row).unwrap();
        assert_eq!(witness["prediction"].as_f64(), sent["sum"].as_f64(), "{topic}: the sum of ids learned from");
    }
    service.wait_for("/readyz", Duration::from_secs(30), |answer| (answer["ready"] == true).then_some(()));
    service.stop();

    let bytes: u64 = ["blobs", "journal"].iter().flat_map(|kind| files(&state, "air", kind).into_values()).sum();
    println!("air: {bytes} bytes on disk, {} of them journal", journal(&state));
    check_sinks(&kafka.brokers, &told("load"));
    for model in ["air", "load", "air-witness", "load-witness"] {
        let sent = told(model.trim_end_matches("-witness"));
        let mut bad: Vec<&str> = sent["bad"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        bad.sort_unstable();
        let letters = heard(&kafka.brokers, &format!("{model}-dead"));
        assert_eq!(letters.keys().map(String::as_str).collect::<Vec<_>>(), bad, "{model}: the dead letters' keys");

        let proof = service::run(&["state", "verify", "--config", config, "--model", model, "--json"]);
        let said = String::from_utf8_lossy(&proof.stdout).into_owned();
        assert_eq!(proof.status.code(), Some(0), "{model}: {said} {}", String::from_utf8_lossy(&proof.stderr));
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["from"], "genesis", "{said}");
        assert!(said["versions"].as_array().unwrap().len() >= 3, "{said}");
    }
}

/// What was said of `load` is every good event's id, once; its scores are one every 500 events.
fn check_sinks(brokers: &str, sent: &Value) {
    let not_good: Vec<u64> = serde_json::from_value(sent["not_good"].clone()).unwrap();
    let good = (1..=sent["last"].as_u64().unwrap()).filter(|id| not_good.binary_search(id).is_err());
    let mut good: Vec<String> = good.map(|id| id.to_string()).collect();
    good.sort_unstable();
    let said = heard(brokers, "load-said");
    assert!(said.keys().eq(&good), "{} ids are heard, {} were sent", said.len(), good.len());
    let scored = heard(brokers, "load-scored");
    let events = |value: &Vec<u8>| serde_json::from_slice::<Value>(value).unwrap()["events"].as_u64().unwrap();
    let mut events: Vec<u64> = scored.values().map(events).collect();
    events.sort_unstable();
    println!("{} predictions, scores at {events:?}", said.len());
    assert!(events.iter().copied().eq((1..=good.len() as u64 / 500).map(|n| n * 500)), "{events:?}");
}

/// Every value of a topic of one partition by key; repeats must be byte-identical.
fn heard(brokers: &str, topic: &str) -> BTreeMap<String, Vec<u8>> {
    let mut heard: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut source = KafkaSource::start(KafkaConfig {
        brokers: brokers.into(),
        options: Vec::new(),
        group_id: "test".into(),
        topics: vec![topic.into()],
        start: Start::Earliest,
        look_every: KafkaConfig::LOOK_EVERY,
    })
    .unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        match source.poll(Duration::from_secs(1)).unwrap() {
            Some(SourceEvent::Discovered { from, start }) => source.assign(&[(from, start)]).unwrap(),
            Some(SourceEvent::Records(records)) => {
                for record in records {
                    let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
                    let value = record.payload.unwrap().to_vec();
                    if let Some(first) = heard.insert(key.clone(), value.clone()) {
                        assert_eq!(first, value, "{key}: a repeat differs");
                    }
                }
            }
            Some(SourceEvent::CaughtUp { .. }) => return heard,
            _ => {}
        }
    }
    panic!("{topic} was not read to its end");
}
