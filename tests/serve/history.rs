//! The history: what was seen, by the second, kept over restarts.

use std::time::Duration;

use fold::What;
use perennial::live::Served;
use serde_json::json;

use crate::world::{Service, air, app, happening, recorder};

#[test]
fn samples_and_happenings_come_as_they_were_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, mut teacher, mut publisher) = air();
    let app = app(registry);
    let mut recorder = recorder(&app, folder.path(), None, 0);
    recorder.look(10_000);
    for second in 0..2 {
        for _ in 0..500 {
            teacher.learn(r#"{"t":20.5,"y":1.5}"#);
        }
        let mut snapshot = teacher.snapshot();
        snapshot.happenings = [happening(1, What::Followed)].into();
        snapshot.labels.waiting = 7;
        app.metrics.predicted("air", 200, Duration::from_millis(3));
        publisher.publish(Served::following("air", snapshot, 11_000 + second * 1_000));
        recorder.look(11_000 + second * 1_000);
    }
    let service = Service::serving(app);
    let client = service.client();
    let reply = client.get("/api/history?model=air&from=10500&to=20000&step=1000").json();
    let sample = |second: u64, events_per_second: f64, requests_per_second: f64| {
        json!({
            "at_ms": 10_000 + second * 1_000, "version": 1 + second * 500, "events": 1 + second * 500, "lag": 5,
            "events_per_second": events_per_second, "requests_per_second": requests_per_second,
            "predict_p50_ms": 2.944, "predict_p99_ms": 2.944, "loss": { "mean": 0.25 }, "best": null, "baseline": null,
            "served": null, "verdict": "warning", "champion": "mean", "pinned": null, "checkpoint_version": 1,
            "waiting": 7, "members": { "net": 0.75 },
        })
    };
    // The first publication was at 1 s, the next ones at 11 s and 12 s.
    let expected = json!({
        "model": "air", "task": "regression", "from": 10_500, "to": 20_000, "step_ms": 1_000,
        "samples": [sample(1, 50.0, 1.0), sample(2, 90.9091, 1.0)],
        "happenings": [
            { "number": 1, "version": 100, "events": 99, "at": 5, "what": "followed", "seen_ms": 11_000 }
        ],
        "truth": [],
    });
    assert_eq!(reply, expected);
    let whole = client.get("/api/history?model=air&from=0&to=20000&step=60000").json();
    assert_eq!(whole["samples"].as_array().unwrap().len(), 1, "{whole}");
    let wide = client.get("/api/history?model=air&from=0").json();
    assert!(wide["step_ms"].as_i64().unwrap() > 500_000_000, "fifty years in 2,000 samples: {}", wide["step_ms"]);
}

#[test]
fn what_cannot_be_answered_is_a_problem() {
    let service = Service::usual();
    let client = service.client();
    for (query, status) in [
        ("", 400),
        ("?model=air&from=x", 400),
        ("?model=air&from=5&to=4", 400),
        ("?model=air&step=-1", 400),
        ("?model=none", 404),
        ("?model=fresh", 200),
        ("?model=air&from=-9223372036854775808&to=9223372036854775807&step=9223372036854775807", 200),
    ] {
        let reply = client.get(&format!("/api/history{query}"));
        assert_eq!(reply.status, status, "{query}: {}", reply.body);
        let content_type = if status == 200 { "application/json" } else { "application/problem+json" };
        assert_eq!(reply.content_type, content_type);
    }
}

#[test]
fn it_outlives_the_process_and_begins_anew_when_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let samples = |app: perennial::serve::App| {
        let reply = Service::serving(app).client().get("/api/history?model=air&from=0&to=99999").json();
        (reply["samples"].as_array().unwrap().len(), reply["happenings"].as_array().unwrap().len())
    };
    let run = |from_ms: i64| {
        let (registry, mut teacher, mut publisher) = air();
        let mut snapshot = teacher.snapshot();
        snapshot.happenings = [happening(1, What::Followed)].into();
        publisher.publish(Served::following("air", snapshot, 1_000));
        let app = app(registry);
        let mut recorder = recorder(&app, folder.path(), None, from_ms);
        (0..5).for_each(|second| recorder.look(from_ms + second * 1_000));
        recorder.save(from_ms + 5_000);
        samples(app)
    };
    assert_eq!(run(10_000), (5, 1));
    assert_eq!(run(20_000), (10, 1), "what happened before is not seen a second time");
    std::fs::write(folder.path().join("air.json"), "{").unwrap();
    assert_eq!(run(30_000), (5, 1));
}
