//! Topics that hear predictions and scores: everything, and after a crash the same bytes again. The feared failures: a
//! prediction that is missing because the process died between fold and Kafka, one that a repeat contradicts, and one that
//! was made with what its own label had taught.

use std::collections::BTreeMap;

use features::Start;
use serde_json::Value;
use streams::{KafkaSource, Source, SourceEvent};

use super::*;

/// Every value under each key of a topic with one partition.
fn heard(broker: &MockBroker, topic: &str) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut heard: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut source = KafkaSource::start(streams::KafkaConfig {
        brokers: broker.bootstrap.clone(),
        options: Vec::new(),
        group_id: "test".into(),
        topics: vec![topic.into()],
        start: Start::Earliest,
        look_every: streams::KafkaConfig::LOOK_EVERY,
    })
    .unwrap();
    let until = Instant::now() + WITHIN;
    while Instant::now() < until {
        match source.poll(Duration::from_secs(1)).unwrap() {
            Some(SourceEvent::Discovered { from, start }) => source.assign(&[(from, start)]).unwrap(),
            Some(SourceEvent::Records(records)) => {
                for record in records {
                    let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
                    heard.entry(key).or_default().push(record.payload.unwrap().to_vec());
                }
            }
            Some(SourceEvent::CaughtUp { .. }) => return heard,
            _ => {}
        }
    }
    panic!("{topic} was not read to its end");
}

/// The value of each key, and how many keys were heard of more than once; repeats are the same bytes.
fn once(heard: BTreeMap<String, Vec<Vec<u8>>>) -> (BTreeMap<String, Value>, usize) {
    let repeated = heard.values().filter(|values| values.len() > 1).count();
    let value = |(key, values): (String, Vec<Vec<u8>>)| {
        assert!(values.iter().all(|value| *value == values[0]), "{key}: a repeat differs");
        (key, serde_json::from_slice(&values[0]).unwrap())
    };
    (heard.into_iter().map(value).collect(), repeated)
}

fn listening(mut model: ModelConfig) -> ModelConfig {
    model.runtime.predictions = Some("said".into());
    model.runtime.scores.topic = Some("scored".into());
    model.runtime.scores.every = 500;
    // One champion all the way: its scores are those of what was said.
    model.fold.on_drift = OnDrift::Alert;
    model
}

fn id(event: &str) -> String {
    serde_json::from_str::<Value>(event).unwrap()["id"].to_string()
}

/// Checkpoints are lost with what the process had in its hands: the next life folds everything again.
fn lose_checkpoints(dir: &Path) {
    fs::remove_dir_all(dir.join("manifests")).unwrap();
    fs::remove_dir_all(dir.join("models/m/blobs")).unwrap();
}

#[test]
fn every_prediction_and_score_is_heard_and_after_a_crash_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1), ("said", 1), ("scored", 1), ("m-dead-letters", 1)]).unwrap();
    let models = [listening(model("m", &["t"]))];
    let events = events(3_000);
    let mut sent = events.clone();
    // Not in the last batch of the first life.
    sent.insert(500, "garbage".into());

    send(&broker, "t", 0, sent[..1_500].to_vec());
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 1_501);
    world.stop();
    lose_checkpoints(dir.path());
    send(&broker, "t", 0, sent[1_500..].to_vec());
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 3_002);
    let told = world.answering().standings[0].report.all.accuracy.unwrap();
    world.stop();

    let (said, repeated) = once(heard(&broker, "said"));
    assert_eq!(repeated, 1_499, "all that the first life had said, but for the garbage");
    let mut ids: Vec<String> = events.iter().map(|event| id(event)).collect();
    ids.sort();
    assert!(said.keys().eq(&ids), "{} keys", said.len());
    for (i, event) in events.iter().enumerate() {
        let (said, event): (_, Value) = (&said[&id(event)], serde_json::from_str(event).unwrap());
        let version = i as u64 + 2 + u64::from(i >= 500);
        assert_eq!((&said["version"], &said["at"]), (&version.into(), &event["at"]), "{said}");
        assert_eq!(said["label"], event[Scenario::by_name("sea").unwrap().target].as_str().unwrap(), "{said}");
        assert!(i < 1 || said["probability"].as_f64() > Some(0.0), "{said}");
    }
    let right = said.values().filter(|said| said["prediction"] == said["label"]).count();
    assert!((right as f64 / 3_000.0 - told).abs() < 1e-9, "{right} right, {told} told");

    let (scored, repeated) = once(heard(&broker, "scored"));
    let versions: Vec<u64> = scored.keys().map(|key| key.parse().unwrap()).collect();
    let mut expected = [501_u64, 1_002, 1_502, 2_002, 2_502, 3_002];
    expected.sort_by_key(u64::to_string);
    assert_eq!((versions, repeated), (expected.to_vec(), 2));
    let last = &scored["3002"];
    assert_eq!((&last["events"], &last["scores"][0]["accuracy"]), (&3_000.into(), &told.into()), "{last}");
    assert_eq!(last["scores"].as_array().unwrap().len(), 3, "{last}");

    // Nobody knows whether Kafka had it before the crash: it goes there again.
    let letters: Vec<_> = heard(&broker, "m-dead-letters").into_values().collect();
    assert_eq!(letters, [[b"garbage", b"garbage"]]);
}

/// Where labels come later, a prediction is heard when its event passes.
#[test]
fn a_prediction_is_heard_before_its_label_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let topics = [("t", 1), ("labels", 1), ("said", 1), ("scored", 1), ("m-dead-letters", 1)];
    let broker = MockBroker::start(&topics).unwrap();
    let mut model = listening(model("m", &["t"]));
    let labels = fold::Labels { topic: "labels".into(), ..fold::Labels::default() };
    model.fold.wait_for_labels(fold::Horizon::Now, labels);
    let models = [model];
    let events = events(1_200);
    let label = |event: &String| {
        let event: Value = serde_json::from_str(event).unwrap();
        let target = &event[Scenario::by_name("sea").unwrap().target];
        serde_json::json!({"id": event["id"], "target": target, "at": event["at"]}).to_string()
    };
    send(&broker, "t", 0, events[..800].to_vec());
    send(&broker, "labels", 0, events[..600].iter().map(label).collect::<Vec<_>>());
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 1_402);
    world.stop();
    lose_checkpoints(dir.path());
    send(&broker, "t", 0, events[800..].to_vec());
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 1_802);
    world.stop();
    let (said, repeated) = once(heard(&broker, "said"));
    assert_eq!((said.len(), repeated), (1_200, 800));
    let last = &said[&id(&events[1_199])];
    assert!(last["prediction"].is_string() && last.get("label").is_none(), "{last}");
    let (scored, repeated) = once(heard(&broker, "scored"));
    assert_eq!((scored.len(), repeated), (1, 1), "600 labels, one score");
}
