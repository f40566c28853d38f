//! Labels posted, and served predictions remembered: what Kafka has in the end, and what is said when it has not.

use std::time::Duration;

use features::{Start, Task};
use perennial::config::KafkaConfig;
use perennial::serve::outlets::{LabelOutlet, Outlet, Outlets, RequestOutlet};
use perennial::serve::{App, Token};
use serde_json::{Value, json};
use streams::{KafkaSource, MockBroker, Source, SourceEvent};

use crate::world::{Service, app, usual_registry};

fn kafka(bootstrap: &str) -> KafkaConfig {
    KafkaConfig { brokers: bootstrap.to_owned(), options: Vec::new() }
}

/// `air` (regression) and `price` (classification) take labels; `air` remembers requests; `empty` does neither.
fn outlets(kafka: &KafkaConfig) -> Outlets {
    let mut outlets = Outlets::default();
    let within = Duration::from_secs(30);
    let air = LabelOutlet::new(Task::Regression, 1_024, "air-labels", kafka).within(within);
    let requests = Some(RequestOutlet::new("air-requests", kafka));
    outlets.insert("air", Outlet { labels: Some(air), requests });
    let price = LabelOutlet::new(Task::Classification, 1_024, "price-labels", kafka).within(within);
    outlets.insert("price", Outlet { labels: Some(price), requests: None });
    outlets
}

fn serving(outlets: Outlets) -> Service {
    Service::serving(App { outlets, ..app(usual_registry()) })
}

/// Waits for `count` records of a topic: their keys and values.
fn read(bootstrap: &str, topic: &str, count: usize) -> Vec<(String, Value)> {
    let mut source = KafkaSource::start(streams::KafkaConfig {
        brokers: bootstrap.to_owned(),
        options: Vec::new(),
        group_id: "test".into(),
        topics: vec![topic.to_owned()],
        start: Start::Earliest,
        look_every: Duration::from_secs(1),
    })
    .unwrap();
    let mut found = Vec::new();
    for _ in 0..600 {
        match source.poll(Duration::from_millis(100)).unwrap() {
            Some(SourceEvent::Discovered { from, start }) => source.assign(&[(from, start)]).unwrap(),
            Some(SourceEvent::Records(records)) => found.extend(records.into_iter().map(|record| {
                let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
                (key, serde_json::from_slice(&record.payload.unwrap()).unwrap())
            })),
            _ => {}
        }
        if found.len() >= count {
            return found;
        }
    }
    panic!("{topic} has {found:?}, {count} were expected");
}

#[test]
fn labels_are_accepted_once_kafka_has_them() {
    let broker = MockBroker::start(&[("air-labels", 1), ("price-labels", 1)]).unwrap();
    let service = serving(outlets(&kafka(&broker.bootstrap)));
    let client = service.client();
    let reply = client.post("/api/models/air/labels", r#"{"id":7.0,"target":1.5,"at":"2026-01-31T00:00:00Z"}"#);
    assert_eq!((reply.status, reply.json()), (202, json!({ "labels": 1 })));
    let reply = client.post("/api/models/air/labels", r#"[{"id":"a","target":2},{"id":"b","target":-3e2,"at":5}]"#);
    assert_eq!((reply.status, reply.json()), (202, json!({ "labels": 2 })));
    let reply = client.post("/api/models/price/labels", r#"{"id":"x","target":"UP"}"#);
    assert_eq!(reply.status, 202);
    let expected = [
        ("7".to_owned(), json!({ "id": 7.0, "target": 1.5, "at": "2026-01-31T00:00:00Z" })),
        ("a".to_owned(), json!({ "id": "a", "target": 2 })),
        ("b".to_owned(), json!({ "id": "b", "target": -300.0, "at": 5 })),
    ];
    assert_eq!(read(&broker.bootstrap, "air-labels", 3), expected);
    assert_eq!(read(&broker.bootstrap, "price-labels", 1)[0].0, "x");
}

#[test]
fn what_is_no_label_is_refused_and_nothing_is_sent() {
    let service = serving(outlets(&kafka("127.0.0.1:1")));
    let client = service.client();
    let cases = [
        ("air", r#"{"target":1}"#, "field id: expected a text of 1 to 1024 bytes or a number, got nothing"),
        ("air", r#"{"id":"","target":1}"#, "field id: expected a text of 1 to 1024 bytes or a number, got \"\""),
        ("air", r#"{"id":"a"}"#, "field target: expected a number, got nothing"),
        ("air", r#"{"id":"a","target":null}"#, "field target: expected a number, got nothing"),
        (
            "air",
            r#"[{"id":"a","target":1},{"id":"a","target":"high"}]"#,
            "row 1: field target: expected a number, got \"high\"",
        ),
        (
            "price",
            r#"{"id":"a","target":[1]}"#,
            "field target: expected a class name of 1 to 1024 bytes, got an array of 1",
        ),
        (
            "air",
            r#"{"id":"a","target":1,"at":"soon"}"#,
            "field at: expected RFC 3339 text or epoch milliseconds, got \"soon\"",
        ),
        ("air", r#"{"id":"a","target":1,"y":1}"#, "field y: expected one of id, target, at, got 1"),
        ("air", "3", "expected an object or an array of objects, got 3"),
        ("air", "[3]", "row 0: expected an object, got 3"),
    ];
    for (model, body, detail) in cases {
        let reply = client.post(&format!("/api/models/{model}/labels"), body);
        assert_eq!((reply.status, reply.json()["detail"].as_str()), (400, Some(detail)), "{body}");
    }
    let reply = client.post("/api/models/arr/labels", r#"{"id":"a","target":1}"#);
    assert_eq!(reply.status, 404);
    let reply = client.post("/api/models/empty/labels", r#"{"id":"a","target":1}"#);
    assert_eq!(reply.status, 409);
    let detail = "the labels of model empty come with its events: models.empty.labels.topic is not set";
    assert_eq!(reply.json()["detail"], detail);
}

#[test]
fn a_broker_that_is_away_is_said_in_time() {
    let mut outlets = Outlets::default();
    let labels =
        LabelOutlet::new(Task::Regression, 1_024, "l", &kafka("127.0.0.1:1")).within(Duration::from_millis(50));
    outlets.insert("air", Outlet { labels: Some(labels), requests: None });
    let service = serving(outlets);
    for _ in 0..2 {
        let reply = service.client().post("/api/models/air/labels", r#"{"id":"a","target":1}"#);
        let detail = "Kafka has not acknowledged the labels within 0.05 seconds; they may still arrive";
        assert_eq!((reply.status, reply.json()["detail"].as_str()), (504, Some(detail)));
    }
}

#[test]
fn posting_needs_the_token() {
    let outlets = outlets(&kafka("127.0.0.1:1"));
    let service = Service::serving(App { outlets, token: Some(Token::new("s")), ..app(usual_registry()) });
    assert_eq!(service.client().post("/api/models/air/labels", r#"{"id":"a","target":1}"#).status, 401);
}

#[test]
fn a_prediction_asked_for_with_an_id_is_remembered_as_it_was_served() {
    let broker = MockBroker::start(&[("air-requests", 1)]).unwrap();
    let service = serving(outlets(&kafka(&broker.bootstrap)));
    let client = service.client();
    let without = client.post("/api/models/air/predict", r#"{"features":{"t":1}}"#);
    assert_eq!(without.status, 200);
    let broken = client.post("/api/models/air/predict", r#"[{"id":"no","features":{"t":1}},{"features":3}]"#);
    assert_eq!(broken.status, 400, "what was not answered is not remembered");
    let body = r#"[{"id":"r1","at":9,"features":{"t":20.5,"where":{"room":"attic"}}},{"id":2,"features":{}}]"#;
    let answers = client.post("/api/models/air/predict", body).json();
    let found = read(&broker.bootstrap, "air-requests", 2);
    let features = json!({ "t": 20.5, "where.room": "attic" });
    assert_eq!(found[0], ("r1".into(), json!({ "id": "r1", "at": 9, "features": features, "answer": answers[0] })));
    assert_eq!((found[1].0.as_str(), &found[1].1["features"]), ("2", &json!({})));
    assert_eq!(found[1].1["answer"], answers[1]);
    assert_eq!(found.len(), 2);
}

#[test]
fn predictions_that_cannot_be_remembered_are_answered_and_counted() {
    let mut outlets = Outlets::default();
    let unknown = KafkaConfig { brokers: "127.0.0.1:1".into(), options: vec![("no.such.option".into(), "1".into())] };
    let requests = Some(RequestOutlet::new("r", &unknown));
    outlets.insert("air", Outlet { labels: None, requests });
    let service = serving(outlets);
    let client = service.client();
    for _ in 0..3 {
        assert_eq!(client.post("/api/models/air/predict", r#"{"id":"a","features":{}}"#).status, 200);
    }
    let page = client.get("/metrics").body;
    assert!(page.contains("perennial_requests_dropped_total{model=\"air\"} 3"), "{page}");
}
