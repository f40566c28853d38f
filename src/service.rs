//! The whole service in one process: pipelines that learn, an endpoint that answers. `run` and `demo` start it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use checkpoints::{CheckpointStore, FileStore};
use features::Start;
use fold::Tell;
use streams::{Admin, DeadLetter, KafkaConfig, KafkaSource, Sink, Source};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::admin_socket::AdminSocket;
use crate::alerts::{self, Retry};
use crate::cli::CliError;
use crate::config::{self, ModelConfig};
use crate::history::{self, History, Recording};
use crate::metrics::Metrics;
use crate::pipeline::{self, MakeSink, Outlet, Pace, Plan, Running, Shutdown};
use crate::registry::Registry;
use crate::serve::outlets::Outlets;
use crate::serve::{self, App, Streams, Token};
use crate::state_change::StateChange;

/// How long a partition with backlog is waited for, to keep records in the order of time.
const PATIENCE: Duration = Duration::from_secs(1);
/// Records under one journal entry, at most.
const BATCH: usize = 1_000;

/// How the service is reached.
#[derive(Debug)]
pub struct Reach {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Bytes of the largest body taken.
    pub max_body: usize,
    /// The token that changes need; `None`: nothing.
    pub token: Option<Token>,
    /// Where posted labels and served predictions go.
    pub outlets: Outlets,
    /// Where alerts are sent.
    pub webhook: Option<String>,
    /// Where alerts say that the page is; `None`: at the address it listens on.
    pub public_url: Option<String>,
}

/// The running service.
pub struct Service {
    /// The models.
    pub registry: Registry,
    /// Where it listens.
    pub address: SocketAddr,
    /// What was seen of the models over time.
    pub history: Arc<History>,
    plans: Box<dyn Fn() -> Vec<Plan>>,
    running: Running,
    admin: Option<AdminSocket>,
    recorder: history::Handle,
    alerting: Option<thread::JoinHandle<()>>,
    runtime: Runtime,
    http: JoinHandle<std::io::Result<()>>,
    stop_http: oneshot::Sender<()>,
}

impl Service {
    /// Opens the state, starts the pipelines of `plans`, listens.
    ///
    /// # Errors
    /// The address is taken, the state folder is in use or cannot be gone on from.
    pub fn start(plans: impl Fn() -> Vec<Plan> + 'static, state_dir: &Path, reach: Reach) -> Result<Self, CliError> {
        let Reach { listen, max_body, token, webhook, public_url, outlets } = reach;
        let unavailable = |what: String| CliError::Unavailable(what);
        let listener = TcpListener::bind(listen).map_err(|e| unavailable(format!("http.listen: {listen}: {e}")))?;
        listener.set_nonblocking(true).map_err(anyhow::Error::from)?;
        let address = listener.local_addr().map_err(anyhow::Error::from)?;
        let state = checkpoints::StateDir::open(state_dir).map_err(|e| unavailable(e.to_string()))?;
        let store: Arc<dyn CheckpointStore> =
            Arc::new(FileStore::open(&state).map_err(|e| unavailable(format!("{}: {e}", state_dir.display())))?);
        let admin = AdminSocket::bind(state_dir)
            .inspect_err(|e| {
                tracing::warn!("`state import` and `state reset` need this process stopped: no socket: {e}")
            })
            .ok();
        let metrics = Arc::new(Metrics::default());
        let (running, registry) = pipeline::start(plans(), &state, &store, &metrics, now_ms)?;
        let history = Arc::new(History::default());
        let (alerts, alerting) = match webhook {
            Some(webhook) => {
                let page = public_url.unwrap_or_else(|| format!("http://{address}"));
                let (alerts, thread) = alerts::start(webhook, &page, Retry::default()).map_err(anyhow::Error::from)?;
                (Some(alerts), Some(thread))
            }
            None => (None, None),
        };
        let recording = Recording {
            registry: registry.clone(),
            metrics: Arc::clone(&metrics),
            history: Arc::clone(&history),
            folder: state_dir.join(history::FOLDER),
            alerts,
        };
        let recorder = history::start(recording, now_ms).map_err(anyhow::Error::from)?;
        let streams = Streams::default();
        let app = Arc::new(App {
            registry: registry.clone(),
            metrics: Arc::clone(&metrics),
            max_body,
            token,
            outlets,
            history: Arc::clone(&history),
            streams,
        });
        let runtime = Runtime::new().map_err(anyhow::Error::from)?;
        let (stop_http, stopped) = oneshot::channel::<()>();
        let http = runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let shutdown = async {
                // A dropped sender asks for the same.
                let _ = stopped.await;
            };
            serve::serve(listener, app, shutdown).await
        });
        tracing::info!(%address, "serving");
        let plans = Box::new(plans);
        Ok(Self { registry, address, history, plans, running, admin, recorder, alerting, runtime, http, stop_http })
    }

    /// Does what commands ask of the state; call it often.
    pub fn attend(&mut self) {
        let Self { plans, running, admin, history, .. } = self;
        if let Some(admin) = admin {
            admin.attend(|change| carry_out(change, plans(), running, history));
        }
    }

    /// Becomes requested at SIGTERM or Ctrl-C. A second one ends the process at once.
    pub fn signal(&self) -> Shutdown {
        let asked = Shutdown::default();
        let request = asked.clone();
        self.runtime.spawn(async move {
            signal().await;
            request.request();
            signal().await;
            std::process::exit(130);
        });
        asked
    }

    /// Takes a last checkpoint of every model, then lets the requests under way finish.
    ///
    /// # Errors
    /// The endpoint had broken.
    pub fn stop(self) -> Result<(), CliError> {
        self.running.stop();
        self.recorder.stop();
        if let Some(alerting) = self.alerting {
            // Its panic was told when it happened.
            let _ = alerting.join();
        }
        drop(self.stop_http);
        let served = self.runtime.block_on(self.http).map_err(anyhow::Error::from)?;
        served.map_err(|e| CliError::Other(e.into()))
    }
}

/// Changes a model's state, which the model does not run through.
fn carry_out(
    change: &StateChange,
    plans: Vec<Plan>,
    running: &mut Running,
    history: &History,
) -> anyhow::Result<String> {
    tracing::info!(?change, "a command asks for it");
    let plan = plans.into_iter().find(|plan| plan.name == change.model);
    let (state, store) = running.state();
    let checked = change.check(state, plan.as_ref().map(|plan| &plan.fold))?;
    let Some(plan) = plan else { return checked.carry_out(state, store) };
    let done = running.restart(plan, |state, store| checked.carry_out(state, store))?;
    history.forget(&change.model);
    done
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Plans a model as its configuration says.
pub fn plan(model: &ModelConfig, kafka: &config::KafkaConfig, look_every: Duration) -> Plan {
    let runtime = &model.runtime;
    let source = kafka_config(model, kafka, look_every);
    let (brokers, options) = (kafka.brokers.clone(), kafka.options.clone());
    let mut served = runtime.requests.clone().map(|topic| (brokers.clone(), options.clone(), topic));
    let sink = |topic: &str, made_with: &'static [(&str, &str)]| -> MakeSink {
        let (brokers, options, topic) = (kafka.brokers.clone(), kafka.options.clone(), topic.to_owned());
        Box::new(move || Sink::start(&brokers, &options, &topic, made_with))
    };
    let mut sinks = vec![(Outlet::DeadLetters, sink(&runtime.dead_letters.topic, DeadLetter::TOPIC))];
    sinks.extend(runtime.predictions.as_deref().map(|topic| (Outlet::Predictions, sink(topic, &[]))));
    sinks.extend(runtime.scores.topic.as_deref().map(|topic| (Outlet::Scores, sink(topic, &[]))));
    Plan {
        name: model.name.clone(),
        fold: model.fold.clone(),
        pace: Pace {
            checkpoint_every: runtime.checkpoint_every,
            publish_every: runtime.publish_every,
            stop_partition_at: runtime.dead_letters.stop_partition_at,
            accept_gap: false,
            patience: PATIENCE,
            batch: BATCH,
        },
        threads: runtime.threads,
        keep: runtime.keep,
        make_source: Box::new(move |has_begun| {
            // Nobody else makes this topic, and it is no reason to wait.
            if let Some((brokers, options, topic)) = &served
                && make_topic(brokers, options, topic).is_ok()
            {
                served = None;
            }
            let mut source = source.clone();
            if has_begun && source.start == Start::Latest {
                source.start = Start::Earliest;
            }
            Ok(Box::new(KafkaSource::start(source)?) as Box<dyn Source>)
        }),
        tell: Tell {
            predictions: runtime.predictions.is_some(),
            scores_every: runtime.scores.topic.as_ref().map(|_| runtime.scores.every),
        },
        sinks,
    }
}

/// Makes a topic of one partition if there is none.
fn make_topic(brokers: &str, options: &streams::Options, topic: &str) -> Result<(), streams::SinkError> {
    let admin = Admin::start(brokers, options)?;
    let made = if admin.topic_exists(topic)? { Ok(()) } else { admin.create_topic(topic, 1, &[]) };
    made.inspect_err(|e| tracing::warn!(topic, "the topic cannot be made: {e}"))
}

/// Where a model's records come from.
pub fn kafka_config(model: &ModelConfig, kafka: &config::KafkaConfig, look_every: Duration) -> KafkaConfig {
    KafkaConfig {
        brokers: kafka.brokers.clone(),
        options: kafka.options.clone(),
        group_id: format!("perennial-{}", model.name),
        topics: model.fold.topics.clone(),
        start: model.fold.start,
        look_every,
    }
}

/// This machine's clock in milliseconds since the Unix epoch.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
