//! Every metric, its name and what it means. What a process counts stands in [`Metrics`]; what can be read off the
//! models is read off them when somebody asks ([`Gauges`]), so that nothing is counted twice.

mod gauges;
mod latency;

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry as Page;

use crate::registry::Registry;
use gauges::Gauges;
use latency::Latency;

pub use latency::Latencies;

/// Names and values of labels.
type Labels<const N: usize> = [(&'static str, String); N];

/// What this process counts.
#[derive(Clone, Debug)]
pub struct Metrics {
    predict_requests: Family<Labels<2>, Counter>,
    predict_duration: Family<Labels<1>, Histogram>,
    /// The same in finer buckets, for the history; not on the page.
    predict_latency: Family<Labels<1>, Latency>,
    model_swaps: Family<Labels<2>, Counter>,
    checkpoint_duration: Family<Labels<1>, Histogram>,
    requests_dropped: Family<Labels<1>, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            predict_requests: Family::default(),
            // 50 µs to 1.6 s.
            predict_duration: Family::new_with_constructor(|| Histogram::new(exponential_buckets(50e-6, 2.0, 16))),
            predict_latency: Family::default(),
            model_swaps: Family::default(),
            // 1 ms to 33 s.
            checkpoint_duration: Family::new_with_constructor(|| Histogram::new(exponential_buckets(1e-3, 2.0, 16))),
            requests_dropped: Family::default(),
        }
    }
}

impl Metrics {
    fn register(&self, page: &mut Page) {
        page.register(
            "perennial_predict_requests",
            "Predict requests answered, by HTTP status; of unknown models without a name",
            self.predict_requests.clone(),
        );
        page.register(
            "perennial_predict_duration_seconds",
            "Time from a predict request's headers to its answer",
            self.predict_duration.clone(),
        );
        page.register(
            "perennial_model_swaps",
            "Times the live model was replaced, by reason",
            self.model_swaps.clone(),
        );
        page.register(
            "perennial_checkpoint_duration_seconds",
            "Time from serialising a checkpoint to its being durable",
            self.checkpoint_duration.clone(),
        );
        page.register(
            "perennial_requests_dropped",
            "Served predictions with an id that there was no room to remember in the requests topic",
            self.requests_dropped.clone(),
        );
    }

    /// A predict request was answered.
    pub fn predicted(&self, model: &str, status: u16, took: Duration) {
        self.predict_requests.get_or_create(&[("model", model.to_owned()), ("code", status.to_string())]).inc();
        self.predict_duration.get_or_create(&[("model", model.to_owned())]).observe(took.as_secs_f64());
        self.predict_latency.get_or_create(&[("model", model.to_owned())]).record(took);
    }

    /// How long a model's predict requests took, all since the start.
    pub fn latencies(&self, model: &str) -> Latencies {
        self.predict_latency.get_or_create(&[("model", model.to_owned())]).read()
    }

    /// The live model was replaced; `reason` is one of a few words (`publish`, `start`, …).
    pub fn swapped(&self, model: &str, reason: &str) {
        self.model_swaps.get_or_create(&[("model", model.to_owned()), ("reason", reason.to_owned())]).inc();
    }

    /// A checkpoint became durable.
    pub fn checkpointed(&self, model: &str, took: Duration) {
        self.checkpoint_duration.get_or_create(&[("model", model.to_owned())]).observe(took.as_secs_f64());
    }

    /// A served prediction was not remembered.
    pub fn request_dropped(&self, model: &str) {
        self.requests_dropped.get_or_create(&[("model", model.to_owned())]).inc();
    }

    /// The page that Prometheus reads (OpenMetrics 1.0 text), at `now_ms` since the Unix epoch.
    pub fn render(&self, models: &Registry, now_ms: i64) -> String {
        let mut page = Page::default();
        self.register(&mut page);
        Gauges::read(models, now_ms).register(&mut page);
        let mut text = String::new();
        encode(&mut text, &page).expect("a String grows");
        text
    }
}
