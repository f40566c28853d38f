//! A served world of one process: teachers make models, a service serves them, a client asks.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use features::{EventSpec, EventTime, Limits, NextOffset, Observer, PartitionId, Record, Schema, Task, TopicId};
use fold::{Counts, Happening, LabelCounts, Live, ModelSnapshot, Role, Standing, What};
use learners::{AnyLearner, Figures, InputShare, Learner, LearnerSpec, Member, Report, Signal};
use perennial::alerts::Alerts;
use perennial::control::control;
use perennial::history::{Recorder, Recording};
use perennial::live::{LiveModel, Publisher, Served, live_model};
use perennial::metrics::Metrics;
use perennial::registry::Registry;
use perennial::serve::outlets::Outlets;
use perennial::serve::{App, Streams, serve};
use perennial::status::{CheckpointInfo, ModelStatus, Phase, VersionInfo};
use serde_json::Value;
use tokio::sync::oneshot;

pub const MAX_BODY: usize = 4096;

/// Teaches one learner as the fold does, and makes snapshots of it.
pub struct Teacher {
    name: String,
    spec: LearnerSpec,
    schema: Arc<Schema>,
    observer: Observer,
    row: Vec<f64>,
    learner: AnyLearner,
    counts: Counts,
    last_event: EventTime,
}

impl Teacher {
    pub fn new(name: &str, task: Task, learner: &str) -> Self {
        let spec: LearnerSpec = learner.parse().unwrap();
        let event = EventSpec {
            task,
            target: "y".into(),
            label: features::LabelSource::Event,
            time: Some("at".into()),
            entity: None,
            id: Some("id".into()),
            features: vec![],
            nominal: vec![],
            ignore: vec![],
            limits: Limits::default(),
        };
        Self {
            name: name.into(),
            learner: AnyLearner::build(&spec, task, 1, 64 << 20).unwrap(),
            spec,
            schema: Arc::new(Schema::new(Arc::new(event))),
            observer: Observer::default(),
            row: vec![],
            counts: Counts::default(),
            last_event: EventTime::default(),
        }
    }

    pub fn learn(&mut self, event: &str) {
        let record =
            Record { payload: Some(event.to_owned().into()), timestamp: EventTime(1_000), ..Record::default() };
        let seen = Schema::observe(&mut self.schema, &mut self.observer, &record, &mut self.row).unwrap();
        if seen.grown {
            self.learner.grow(&self.schema.kinds());
        }
        let row = features::Row { values: &self.row, at: seen.at, entity: seen.entity };
        self.learner.learn(&row, seen.target.unwrap(), 1.0);
        self.last_event = seen.at;
        self.counts.events += 1;
    }

    pub fn snapshot(&mut self) -> ModelSnapshot {
        let standing = Standing {
            learner: self.spec.to_string(),
            role: Role::Champion,
            report: Report {
                all: Figures { accuracy: Some(0.75), ..Figures::default() },
                rolling_loss: Some(0.25),
                spread: (self.schema.spec().task == Task::Regression).then_some([-1.5, 2.0]),
                ..Report::default()
            }
            .into(),
            verdict: Signal::Warning,
            drifts: 3,
            incident: None,
            evidence: None,
            evidence_needed: None,
            since: 0,
            bytes: self.learner.bytes(),
            members: vec![Member {
                name: "net".into(),
                share: 0.75,
                weight: -1.5,
                loss: Some(0.5),
                bytes: 9,
                operations: Some(12_345),
            }],
            inputs: vec![InputShare { input: "t".into(), share: 1.0 }],
        };
        ModelSnapshot {
            happenings: [].into(),
            served: None,
            live: Live::Follow,
            labels: LabelCounts::default(),
            version: self.counts.events,
            learner: self.spec.to_string(),
            schema: Arc::clone(&self.schema),
            model: self.learner.freeze(),
            standings: vec![standing],
            position: [(PartitionId { topic: TopicId(0), partition: 2 }, NextOffset(7))].into(),
            counts: self.counts,
            last_event: self.last_event,
        }
    }

    pub fn served(&mut self) -> Served {
        Served::following(&self.name.clone(), self.snapshot(), 1_000)
    }
}

/// `air` (regression, learned from two events), `price` (classification, three events), `empty` (no event), `fresh`
/// (nothing published).
pub fn usual_registry() -> Registry {
    let registry = Registry::default();
    let mut air = Teacher::new("air", Task::Regression, "mean");
    air.learn(r#"{"t":20.5,"where":{"room":"attic"},"y":1.5}"#);
    air.learn(r#"{"t":21.5,"where":{"room":"cellar"},"y":2.5}"#);
    add(&registry, "air", Some(air.served()), Phase::Live);
    let mut price = Teacher::new("price", Task::Classification, "majority");
    for label in ["UP", "DOWN", "UP"] {
        price.learn(&format!(r#"{{"p":1,"q":2,"y":"{label}"}}"#));
    }
    add(&registry, "price", Some(price.served()), Phase::Live);
    let mut empty = Teacher::new("empty", Task::Regression, "mean");
    add(&registry, "empty", Some(empty.served()), Phase::Live);
    let waiting = Phase::WaitingForTopic { topic: "fresh-events".into() };
    add(&registry, "fresh", None, waiting);
    registry
}

pub fn add(registry: &Registry, name: &str, first: Option<Served>, phase: Phase) -> (Publisher, Arc<ModelStatus>) {
    let (publisher, live): (Publisher, LiveModel) = live_model(first);
    let status = Arc::new(ModelStatus::new(vec![format!("{name}-events")], "adwin"));
    status.set_phase(phase);
    status.set_lag(vec![(format!("{name}-events"), 2, 5)]);
    let checkpoint = CheckpointInfo { version: 1, state_hash: "ab".repeat(32), at_ms: 1_500 };
    status.set_checkpoint(checkpoint.clone());
    status.set_versions(vec![VersionInfo { checkpoint, events: 1, learner: "mean".into(), bytes: 99 }]);
    let (control, requests) = control();
    // Whoever wants to play its trainer inserts it again; the others have one that has stopped.
    drop(requests);
    registry.insert(name, live, Arc::clone(&status), control);
    (publisher, status)
}

/// What is served where a test wants nothing else.
pub fn app(registry: Registry) -> App {
    let (history, streams) = (Arc::default(), Streams::default());
    App {
        registry,
        metrics: Arc::new(Metrics::default()),
        max_body: MAX_BODY,
        token: None,
        outlets: Outlets::default(),
        history,
        streams,
    }
}

/// Records what `app` serves in `folder`, when it is told to look.
pub fn recorder(app: &App, folder: &Path, alerts: Option<Alerts>, now_ms: i64) -> Recorder {
    let recording = Recording {
        registry: app.registry.clone(),
        metrics: Arc::clone(&app.metrics),
        history: Arc::clone(&app.history),
        folder: folder.to_owned(),
        alerts,
    };
    Recorder::new(recording, now_ms)
}

/// A registry with the regression `air` alone, and what publishes it.
pub fn air() -> (Registry, Teacher, Publisher) {
    let registry = Registry::default();
    let mut teacher = Teacher::new("air", Task::Regression, "mean");
    teacher.learn(r#"{"t":20.5,"y":1.5}"#);
    let (publisher, _) = add(&registry, "air", Some(teacher.served()), Phase::Live);
    (registry, teacher, publisher)
}

/// The model's `number`th happening.
pub fn happening(number: u64, what: What) -> Happening {
    Happening { number, version: 100 * number, events: 99 * number, at: EventTime(5), what }
}

/// A running server; stops when dropped.
pub struct Service {
    pub addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    pub fn start(registry: Registry) -> Self {
        Self::serving(app(registry))
    }

    pub fn serving(app: App) -> Self {
        let app = Arc::new(app);
        let (stop, stopped) = oneshot::channel();
        let (ready, addr) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                let shutdown = async {
                    let _ = stopped.await;
                };
                serve(listener, app, shutdown).await.unwrap();
            });
        });
        Self { addr: addr.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    pub fn usual() -> Self {
        Self::start(usual_registry())
    }

    pub fn client(&self) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Client { agent: config.into(), base: format!("http://{}", self.addr) }
    }

    /// Begins the shutdown without waiting for its end.
    pub fn begin_shutdown(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the server has returned.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.begin_shutdown();
        self.join();
    }
}

/// Asks one service over kept-alive connections.
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub version: Option<u64>,
    pub headers: ureq::http::HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

impl Client {
    pub fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[])
    }

    /// Without a Content-Type, as some real clients do.
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.post_with(path, &[], body)
    }

    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send(body.as_ref()).unwrap())
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.call().unwrap())
    }

    pub fn put(&self, path: &str) -> Reply {
        read(self.agent.put(format!("{}{path}", self.base)).send(&b""[..]).unwrap())
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Reply {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    Reply {
        status: response.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        version: header("perennial-version").map(|version| version.parse().unwrap()),
        headers: response.headers().clone(),
        body: response.body_mut().read_to_string().unwrap(),
    }
}
