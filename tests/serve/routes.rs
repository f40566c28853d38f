//! Every route's good answer.

use serde_json::{Value, json};

use crate::world::Service;

#[test]
fn tf_serving_rows_come_as_objects_and_as_arrays() {
    let service = Service::usual();
    let client = service.client();
    let cases = [
        (
            "/v1/models/air:predict",
            r#"{"instances":[{"t":21.5,"where":{"room":"attic"}}]}"#,
            r#"{"predictions":[2.0]}"#,
        ),
        (
            "/v1/models/air:predict",
            r#"{"instances":[{"t":1},{"where.room":"x"},{}]}"#,
            r#"{"predictions":[2.0,2.0,2.0]}"#,
        ),
        ("/v1/models/air:predict", r#"{"instances":[[21.5,"attic"],[null],[]]}"#, r#"{"predictions":[2.0,2.0,2.0]}"#),
        ("/v1/models/air:predict", r#"{"instances":[{"features":[21.5,"attic"]}]}"#, r#"{"predictions":[2.0]}"#),
        (
            "/v1/models/air:predict",
            r#"{"signature_name":"serving_default","instances":[[1]]}"#,
            r#"{"predictions":[2.0]}"#,
        ),
        (
            "/v1/models/air:predict",
            r#"{"instances":[[NaN],[-Infinity],[Infinity]]} trailing"#,
            r#"{"predictions":[2.0,2.0,2.0]}"#,
        ),
        ("/v1/models/air/versions/2:predict", r#"{"instances":[[1]]}"#, r#"{"predictions":[2.0]}"#),
        ("/v1/models/air/versions/0:predict", r#"{"instances":[[1]]}"#, r#"{"predictions":[2.0]}"#),
        ("/v1/models/air/labels/stable:predict", r#"{"instances":[[1]]}"#, r#"{"predictions":[2.0]}"#),
        ("/v1/models/air%3Apredict", r#"{"instances":[[1]]}"#, r#"{"predictions":[2.0]}"#),
        ("/v1/models/air:predict", r#"{"inputs":[[1],[2]]}"#, r#"{"outputs":[2.0,2.0]}"#),
        ("/v1/models/air:predict", r#"{"inputs":{"t":[1,2],"where.room":["attic",null]}}"#, r#"{"outputs":[2.0,2.0]}"#),
        ("/v1/models/air:predict", r#"{"inputs":{"t":[[1],[2]]}}"#, r#"{"outputs":[2.0,2.0]}"#),
        ("/v1/models/air:predict", r#"{"inputs":{"features":[[1,"attic"]]}}"#, r#"{"outputs":[2.0]}"#),
        (
            "/v1/models/price:predict",
            r#"{"instances":[{"p":1}]}"#,
            r#"{"predictions":[{"label":"UP","probabilities":[0.6666666666666666,0.3333333333333333]}]}"#,
        ),
        (
            "/v1/models/price:predict",
            r#"{"inputs":{"p":[1,2],"q":[3,4]}}"#,
            r#"{"outputs":{"label":["UP","UP"],"probabilities":[[0.6666666666666666,0.3333333333333333],[0.6666666666666666,0.3333333333333333]]}}"#,
        ),
    ];
    for (path, body, expected) in cases {
        let reply = client.post(path, body);
        assert_eq!((reply.status, &*reply.body), (200, expected), "{path} {body}");
        assert_eq!(reply.content_type, "application/json");
        assert_eq!(reply.version, Some(if path.contains("air") { 2 } else { 3 }));
    }
}

#[test]
fn status_suits_tf_serving_and_kserve_clients() {
    let service = Service::usual();
    let client = service.client();
    for path in ["/v1/models/air", "/v1/models/air/versions/2", "/v1/models/air/labels/stable"] {
        let reply = client.get(path);
        let status = json!({
            "model_version_status": [
                { "version": "2", "state": "AVAILABLE", "status": { "error_code": "OK", "error_message": "" } }
            ],
            "name": "air",
            "ready": true,
        });
        assert_eq!((reply.status, reply.json()), (200, status), "{path}");
    }
    let reply = client.get("/v1/models/fresh").json();
    assert_eq!(reply["ready"], json!(false));
    assert_eq!(reply["model_version_status"][0]["state"], json!("LOADING"));
}

#[test]
fn metadata_names_tensors_and_keeps_the_order_of_columns_and_classes() {
    let service = Service::usual();
    let client = service.client();
    let air = client.get("/v1/models/air/metadata").json();
    assert_eq!(air["model_spec"], json!({ "name": "air", "signature_name": "", "version": "2" }));
    let signature = &air["metadata"]["signature_def"]["signature_def"]["serving_default"];
    assert_eq!(signature["method_name"], json!("tensorflow/serving/predict"));
    let tensor = json!({
        "dtype": "DT_DOUBLE",
        "tensor_shape": { "dim": [{ "size": "-1", "name": "" }], "unknown_rank": false },
        "name": "t:0",
    });
    assert_eq!(signature["inputs"]["t"], tensor);
    assert_eq!(signature["inputs"]["where.room"]["dtype"], json!("DT_STRING"));
    assert_eq!(signature["outputs"]["value"]["dtype"], json!("DT_DOUBLE"));
    assert_eq!(air["features"], json!([{ "name": "t", "nominal": false }, { "name": "where.room", "nominal": true }]));

    let price = client.get("/v1/models/price/versions/3/metadata").json();
    assert_eq!(price["classes"], json!(["UP", "DOWN"]));
    let outputs = &price["metadata"]["signature_def"]["signature_def"]["serving_default"]["outputs"];
    assert_eq!(outputs["probabilities"]["tensor_shape"]["dim"][1]["size"], json!("2"));
}

#[test]
fn our_predict_answers_objects_and_arrays_and_explains() {
    let service = Service::usual();
    let client = service.client();
    let reply = client
        .post("/api/models/air/predict", r#"{"id":"a","entity":7,"at":"2026-01-01T00:00:00Z","features":{"t":1}}"#);
    assert_eq!((reply.status, reply.version, &*reply.content_type), (200, Some(2), "application/json"));
    let answer = reply.json();
    assert_eq!(answer["prediction"], json!(2.0));
    assert_eq!((&answer["version"], &answer["learner"]), (&json!(2), &json!("mean")));
    assert!(answer["model_age_ms"].as_i64().unwrap() > 0);
    assert_eq!(answer["interval"], json!([0.5, 4.0]), "the champion's spread around the prediction");
    assert!(answer.get("features").is_none() && answer.get("probabilities").is_none());

    let many = client.post("/api/models/price/predict", r#"[{"features":{}},{"features":{"p":1},"at":5}]"#).json();
    assert_eq!(many.as_array().unwrap().len(), 2);
    assert_eq!(many[1]["prediction"], json!("UP"));
    assert!(many[1].get("interval").is_none(), "classes have none");
    assert_eq!(many[1]["probabilities"], json!({ "UP": 0.6666666666666666, "DOWN": 0.3333333333333333 }));
    assert_eq!(client.post("/api/models/price/predict", "[]").body, "[]");

    let body = r#"{"features":{"t":1.5,"where":{"room":"unheard of"}}}"#;
    let explained = client.post("/api/models/air/predict?explain=true", body).json();
    let used = json!({
        "t": { "value": 1.5, "from": "request" },
        "where.room": { "value": null, "from": "missing" },
    });
    assert_eq!(explained["features"], used);
    let body = r#"{"features":{"where.room":"attic"}}"#;
    let explained = client.post("/api/models/air/predict?explain=true", body).json();
    assert_eq!(explained["features"]["where.room"], json!({ "value": "attic", "from": "request" }));
}

#[test]
fn models_are_listed_and_shown() {
    let service = Service::usual();
    let client = service.client();
    let all = client.get("/api/models").json();
    let names: Vec<_> = all["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["air", "empty", "fresh", "price"]);

    let air = client.get("/api/models/air").json();
    for (key, expected) in [
        ("name", json!("air")),
        ("task", json!("regression")),
        ("learner", json!("mean")),
        ("version", json!(2)),
        ("events", json!(2)),
        ("position", json!({ "air-events": { "2": 7 } })),
        ("lag", json!([{ "topic": "air-events", "partition": 2, "messages": 5 }])),
        ("live", json!({ "follow": "mean" })),
        ("checkpoint", json!({ "version": 1, "state_hash": "ab".repeat(32), "at": "1970-01-01T00:00:01.5Z" })),
        ("phase", json!("live")),
        ("ready", json!(true)),
        ("reasons", json!([])),
    ] {
        assert_eq!(air[key], expected, "{key}");
    }
    assert!(air["model_age_ms"].is_i64());
    assert_eq!(air["scores"][0]["role"], json!("champion"));
    let member = json!({ "name": "net", "share": 0.75, "weight": -1.5, "loss": 0.5, "bytes": 9, "operations": 12_345 });
    assert_eq!(air["scores"][0]["members"], json!([member]));
    assert_eq!(air["scores"][0]["inputs"], json!([{ "input": "t", "share": 1.0 }]));

    let fresh = client.get("/api/models/fresh").json();
    assert_eq!((&fresh["phase"], &fresh["ready"]), (&json!("waiting_for_topic"), &json!(false)));
    assert!(fresh.get("version").is_none());

    let versions = client.get("/api/models/air/versions").json();
    let kept = json!({ "versions": [{
        "version": 1, "state_hash": "ab".repeat(32), "at": "1970-01-01T00:00:01.5Z",
        "events": 1, "learner": "mean", "bytes": 99,
    }] });
    assert_eq!(versions, kept);
}

#[test]
fn health_says_what_is_missing() {
    let service = Service::usual();
    let client = service.client();
    for path in ["/", "/healthz"] {
        assert_eq!(client.get(path).json(), json!({ "status": "alive" }));
    }
    let reply = client.get("/readyz");
    assert_eq!(reply.status, 503);
    let ready = json!({
        "ready": false,
        "models": {
            "air": { "ready": true, "stale": false, "reasons": [] },
            "empty": { "ready": false, "stale": false, "reasons": ["no event has been learned from yet"] },
            "fresh": { "ready": false, "stale": false, "reasons": [
                "waiting for topic fresh-events to exist", "no event has been learned from yet",
            ] },
            "price": { "ready": true, "stale": false, "reasons": [] },
        },
    });
    assert_eq!(reply.json(), ready);
    assert_eq!(Service::start(Default::default()).client().get("/readyz").status, 200);
}

#[test]
fn metrics_count_each_request_once_and_read_the_models() {
    let service = Service::usual();
    let client = service.client();
    for _ in 0..3 {
        client.post("/v1/models/air:predict", r#"{"instances":[[1]]}"#);
    }
    client.post("/api/models/air/predict", "{");
    client.post("/api/models/nobody/predict", "{}");
    let page = client.get("/metrics");
    assert!(page.content_type.starts_with("application/openmetrics-text"));
    for line in [
        r#"perennial_predict_requests_total{model="air",code="200"} 3"#,
        r#"perennial_predict_requests_total{model="air",code="400"} 1"#,
        r#"perennial_predict_requests_total{model="",code="404"} 1"#,
        r#"perennial_predict_duration_seconds_count{model="air"} 4"#,
        r#"perennial_learn_events_total{model="air",outcome="learned"} 2"#,
        r#"perennial_learn_events_total{model="air",outcome="rejected"} 0"#,
        r#"perennial_consumer_lag_messages{model="air",topic="air-events",partition="2"} 5"#,
        r#"perennial_accuracy_ratio{model="price",window="all"} 0.75"#,
        r#"perennial_accuracy_ratio{model="price",window="1000"} 0.75"#,
        r#"perennial_score{model="price",learner="majority",score="accuracy",window="all"} 0.75"#,
        r#"perennial_member_weight{model="price",learner="majority",member="net"} 0.75"#,
        r#"perennial_member_loss{model="price",learner="majority",member="net"} 0.5"#,
        r#"perennial_member_operations{model="price",learner="majority",member="net"} 12345"#,
        r#"perennial_input_weight{model="price",learner="majority",input="t"} 1.0"#,
        r#"perennial_loss{model="price",learner="majority",window="1000"} 0.25"#,
        r#"perennial_drift_state{model="price"} 1"#,
        r#"perennial_drift_events_total{model="price",learner="majority",detector="adwin",level="drift"} 3"#,
        r#"perennial_labels_pending{model="air"} 0"#,
        r#"perennial_model_info{model="price",version="3",algorithm="majority"} 1"#,
        r#"perennial_model_ready{model="fresh"} 0"#,
        r#"perennial_checkpoint_last_success_timestamp_seconds{model="air"} 1.5"#,
        "# EOF",
    ] {
        assert!(page.body.lines().any(|found| found == line), "{line} is not in\n{}", page.body);
    }
    assert!(page.body.contains("perennial_model_age_seconds{model=\"air\"} "));
}

#[test]
fn openapi_describes_every_route_of_ours_and_each_answers() {
    let service = Service::usual();
    let client = service.client();
    let description = client.get("/openapi.json").json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = description["paths"].as_object().unwrap();
    let mut described: Vec<_> = paths.keys().map(String::as_str).collect();
    described.sort_unstable();
    let expected = [
        "/",
        "/api/history",
        "/api/models",
        "/api/models/{model}",
        "/api/models/{model}/follow",
        "/api/models/{model}/labels",
        "/api/models/{model}/predict",
        "/api/models/{model}/promote",
        "/api/models/{model}/rollback",
        "/api/models/{model}/versions",
        "/api/stream",
        "/healthz",
        "/metrics",
        "/readyz",
    ];
    assert_eq!(described, expected);
    for (path, operations) in paths {
        if path == "/api/stream" {
            // It has no end: see stream.rs.
            continue;
        }
        let path = path.replace("{model}", "air");
        let reply = match operations.get("post") {
            Some(_) if path.ends_with("/predict") => client.post(&path, r#"{"features":{}}"#),
            Some(_) => client.post(&path, r#"{"learner":"mean","version":1}"#),
            None if path == "/api/history" => client.get("/api/history?model=air"),
            None => client.get(&path),
        };
        assert!(matches!(reply.status, 200 | 409 | 503), "{path}: {}", reply.status);
    }
    let schemas = &description["components"]["schemas"];
    let missing: Vec<&Value> = ["Model", "PredictRequest", "PredictReply", "ProblemBody", "Ready", "Versions"]
        .map(|name| &schemas[name])
        .into_iter()
        .filter(|schema| schema.is_null())
        .collect();
    assert!(missing.is_empty(), "{schemas}");
}
