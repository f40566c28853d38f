//! Bodies of requests to every endpoint that takes one.
//!
//! Input: which endpoint, how the body is encoded, then the body.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use features::Task;
use fold::{Chunk, Fold, Position};
use perennial::config::KafkaConfig;
use perennial::control::control;
use perennial::live::{Served, live_model};
use perennial::metrics::Metrics;
use perennial::registry::Registry;
use perennial::serve::outlets::{LabelOutlet, Outlet, Outlets};
use perennial::serve::{App, Streams, router};
use perennial::status::ModelStatus;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::event::{fold_config, records};

const PATHS: &[&str] = &[
    "/api/models/number/predict",
    "/api/models/number/predict?explain=true",
    "/api/models/class/predict",
    "/v1/models/number:predict",
    "/v1/models/class:predict",
    "/v1/models/class/versions/0:predict",
    "/api/models/number/labels",
    "/api/models/class/labels",
    "/api/models/class/promote",
    "/api/models/class/rollback",
    "/api/models/none/predict",
];
const MAX_BODY: usize = 64 << 10;

thread_local! {
    static WORLD: RefCell<Option<(Runtime, Router)>> = const { RefCell::new(None) };
}

/// Nothing panics, no answer is the server's fault, what is JSON can be read.
pub fn run(data: &[u8]) {
    let [path, encoding, body @ ..] = data else { return };
    let mut request = Request::post(PATHS[usize::from(*path) % PATHS.len()]);
    request = match encoding % 4 {
        1 => request.header(header::CONTENT_ENCODING, "gzip"),
        2 => request.header(header::CONTENT_ENCODING, "deflate"),
        _ => request,
    };
    let request = request.body(Body::from(body.to_vec())).expect("it is a request");
    WORLD.with_borrow_mut(|world| {
        let (runtime, router) = world.get_or_insert_with(start);
        runtime.block_on(async {
            let response = router.clone().oneshot(request).await.expect("a router does not fail");
            let status = response.status();
            // Kafka is not there, and no trainer: they cannot be reached.
            let is_fault = status.is_server_error() && status != 503 && status != 504;
            assert!(!is_fault, "{status}");
            let is_json =
                response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
            let bytes = to_bytes(response.into_body(), 64 << 20).await.expect("the answer is whole");
            if is_json {
                serde_json::from_slice::<serde_json::Value>(&bytes).expect("the answer is JSON");
            }
        });
    });
}

fn start() -> (Runtime, Router) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("there is a runtime");
    let (registry, mut outlets) = (Registry::default(), Outlets::default());
    // Nobody listens there.
    let kafka = KafkaConfig { brokers: "127.0.0.1:1".into(), ..KafkaConfig::default() };
    for (name, task, labels) in
        [("number", Task::Regression, ["1.5", "2"]), ("class", Task::Classification, ["\"UP\"", "\"DOWN\""])]
    {
        let config = fold_config(task, "linear");
        let event =
            |i: usize| format!(r#"{{"a":{i},"where":{{"room":"r{}"}},"n":{},"y":{}}}"#, i % 3, i % 2, labels[i % 2]);
        let events: Vec<String> = (0..40).map(event).collect();
        let (mut fold, mut chunk) =
            (Fold::genesis(config.clone(), Position::new()).expect("it has a fold"), Chunk::default());
        fold.decode(&records(events.join("\n").as_bytes()), &mut chunk);
        fold.train(&mut chunk);
        let live = live_model(Some(Served::following(name, fold.snapshot(), 0))).1;
        let status = Arc::new(ModelStatus::new(config.topics.clone(), &config.detector));
        registry.insert(name, live, status, control().0);
        let posted = LabelOutlet::new(task, 1_024, "labels", &kafka).within(Duration::ZERO);
        outlets.insert(name, Outlet { labels: Some(posted), requests: None });
    }
    let app = App {
        registry,
        metrics: Arc::new(Metrics::default()),
        max_body: MAX_BODY,
        token: None,
        outlets,
        history: Arc::default(),
        streams: Streams::default(),
    };
    (runtime, router(Arc::new(app)))
}
