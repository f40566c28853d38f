//! The pointer between the trainer and the requests: the trainer swaps it, a request loads it once.
//!
//! Absent on purpose: a lock, a reference to the trainer, a way to change what was published.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use features::Task;
use fold::{Live, ModelSnapshot};
use serde::Serialize;
use utoipa::ToSchema;

/// What answers requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answering {
    /// The champion, which this learner is.
    Follow(String),
    /// The model as it was at this version.
    Pinned(u64),
}

impl Answering {
    /// What `live` comes to while `champion` is the champion.
    pub fn new(live: Live, champion: &str) -> Self {
        match live {
            Live::Follow => Self::Follow(champion.to_owned()),
            Live::Pinned(version) => Self::Pinned(version),
        }
    }
}

/// A model as requests see it: immutable and whole.
#[derive(Clone, Debug)]
pub struct Served {
    /// The model's name.
    pub name: String,
    /// The model that answers, at its version.
    pub model: Arc<ModelSnapshot>,
    /// The newest model: the same one, unless a version is pinned.
    pub newest: Arc<ModelSnapshot>,
    /// When what answers was published: milliseconds since the Unix epoch, by this machine's clock.
    pub published_at_ms: i64,
}

impl Served {
    /// The newest model, which answers itself.
    pub fn following(name: &str, newest: ModelSnapshot, published_at_ms: i64) -> Self {
        let newest = Arc::new(newest);
        Self { name: name.to_owned(), model: Arc::clone(&newest), newest, published_at_ms }
    }

    /// What it predicts.
    pub fn task(&self) -> Task {
        self.model.schema.spec().task
    }

    /// Milliseconds since it was published, never negative.
    pub fn age_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.published_at_ms).max(0)
    }

    /// Whether it has learned from an event: before that it has nothing to say.
    pub fn has_learned(&self) -> bool {
        self.model.counts.events > 0
    }
}

/// The writing end; there is one.
#[derive(Debug)]
pub struct Publisher(Arc<ArcSwapOption<Served>>);

/// The reading end.
#[derive(Clone, Debug)]
pub struct LiveModel(Arc<ArcSwapOption<Served>>);

/// A live model that shows `first` until something is published.
pub fn live_model(first: Option<Served>) -> (Publisher, LiveModel) {
    let slot = Arc::new(ArcSwapOption::from_pointee(first));
    (Publisher(Arc::clone(&slot)), LiveModel(slot))
}

impl Publisher {
    /// Shows `served` from now on. Requests under way keep what they loaded.
    pub fn publish(&mut self, served: Served) {
        self.0.store(Some(Arc::new(served)));
    }
}

impl LiveModel {
    /// What is live; `None` before the first publication. Wait-free. A request calls this once and takes version,
    /// learner, prediction and age from what it got.
    pub fn load(&self) -> Option<Arc<Served>> {
        self.0.load_full()
    }
}
