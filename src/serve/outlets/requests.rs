//! Predictions served to requests with an id, on their way to the requests topic. The answer never waits for that: what
//! finds the queue full is dropped and counted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use features::{EventTime, Kind};
use serde_json::{Value, json};
use streams::{Outgoing, Producer};

use crate::config::KafkaConfig;
use crate::live::Served;
use crate::metrics::Metrics;

/// Predictions that wait to be sent.
const QUEUE: usize = 10_000;
/// How long Kafka's client may have no room before a prediction is dropped.
const ROOM: Duration = Duration::from_millis(500);
/// How often what failed is sent again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the last ones may take when the process ends.
const LAST: Duration = Duration::from_secs(5);

/// A prediction as it was served.
#[derive(Debug)]
pub struct ServedPrediction {
    /// The request's id, in its one spelling.
    pub id: String,
    /// The model that answered.
    pub served: Arc<Served>,
    /// The row as used: one number a column of its schema.
    pub row: Vec<f64>,
    /// The time predicted for.
    pub at: EventTime,
    /// The answer, as it was sent.
    pub answer: Vec<u8>,
}

impl ServedPrediction {
    /// The record: `{"id", "at", "features": {name: value}, "answer": {"prediction", "version", "learner", …}}`; `at` in
    /// epoch milliseconds, missing features are left out.
    fn record(&self) -> Outgoing {
        let schema = &self.served.model.schema;
        let columns = schema.fields().iter().zip(&self.row).filter(|(_, x)| !x.is_nan());
        let value = |(field, &x): (&features::Field, &f64)| match field.kind {
            Kind::Nominal => field.categories.name(x as u32).map_or(Value::Null, Value::from),
            _ => Value::from(x),
        };
        let features: BTreeMap<&str, Value> = columns.map(|pair| (&*pair.0.name, value(pair))).collect();
        let mut payload = json!({ "id": self.id, "at": self.at.0, "features": features }).to_string().into_bytes();
        // The answer is JSON already.
        payload.pop();
        payload.extend_from_slice(b",\"answer\":");
        payload.extend_from_slice(&self.answer);
        payload.push(b'}');
        Outgoing { key: Some(self.id.clone().into_bytes()), payload: Some(payload), ..Outgoing::default() }
    }
}

/// The way to one requests topic.
pub struct RequestOutlet {
    topic: String,
    brokers: String,
    options: Vec<(String, String)>,
    sender: OnceLock<Option<Sender>>,
}

#[derive(Debug)]
struct Sender {
    queue: Option<SyncSender<ServedPrediction>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for RequestOutlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestOutlet({})", self.topic)
    }
}

impl RequestOutlet {
    /// The way to `topic`.
    pub fn new(topic: &str, kafka: &KafkaConfig) -> Self {
        Self {
            topic: topic.to_owned(),
            brokers: kafka.brokers.clone(),
            options: kafka.options.clone(),
            sender: OnceLock::new(),
        }
    }

    /// Puts a prediction into the queue, or drops and counts it.
    pub fn remember(&self, prediction: ServedPrediction, metrics: &Metrics) {
        let model = prediction.served.name.clone();
        let sender = self.sender.get_or_init(|| self.start(&model, metrics));
        let queue = sender.as_ref().and_then(|sender| sender.queue.as_ref());
        match queue.map(|queue| queue.try_send(prediction)) {
            Some(Ok(())) => {}
            None | Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) => metrics.request_dropped(&model),
        }
    }

    fn start(&self, model: &str, metrics: &Metrics) -> Option<Sender> {
        let producer = match Producer::start(&self.brokers, &self.options, &self.topic) {
            Ok(producer) => producer,
            Err(e) => {
                tracing::error!(model, "served predictions are not remembered: {e}");
                return None;
            }
        };
        let (queue, queued) = sync_channel(QUEUE);
        let (model, metrics) = (model.to_owned(), metrics.clone());
        let thread = thread::Builder::new()
            .name(format!("requests-{model}"))
            .spawn(move || send(&queued, &producer, || metrics.request_dropped(&model)))
            .ok()?;
        Some(Sender { queue: Some(queue), thread: Some(thread) })
    }
}

/// Sends until nobody is left to send for.
fn send(queued: &Receiver<ServedPrediction>, producer: &Producer, dropped: impl Fn()) {
    loop {
        match queued.recv_timeout(AGAIN) {
            Ok(prediction) => {
                if producer.send(&prediction.record(), ROOM).is_err() {
                    dropped();
                }
            }
            Err(ended) => {
                let wait = if ended == RecvTimeoutError::Disconnected { LAST } else { AGAIN };
                // What is not acknowledged is kept, in bounds, and sent again the next time.
                if let Err(e) = producer.flush(wait) {
                    tracing::debug!("served predictions: {e}");
                }
                if ended == RecvTimeoutError::Disconnected {
                    return;
                }
            }
        }
    }
}

impl Drop for Sender {
    /// What is in the queue is sent yet, within the producer's deadlines.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It has no panic to tell of that the log has not.
            let _ = thread.join();
        }
    }
}
