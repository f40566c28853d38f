//! What was seen of every model over time, for charts: samples by the wall clock, happenings as they were first seen. A
//! cache: nothing is learned from it, and it may be lost.
//!
//! One thread ([`start`]) looks at what is live four times a second; endpoints read [`History`].

mod feed;
mod model;
mod recorder;
mod sample;
mod saved;
mod tiers;
mod window;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fold::Happening;
use tokio::sync::broadcast::Receiver;

pub use feed::{Event, Feed};
pub use model::{HappeningSeen, Truth};
pub use recorder::{Handle, Recorder, Recording, start};
pub use sample::Sample;

use model::ModelHistory;

/// The folder in a state folder where histories are saved.
pub const FOLDER: &str = "history";

/// Takes away what was saved of a model in a state folder.
///
/// # Errors
/// The file system refuses.
pub fn remove(state: &Path, model: &str) -> io::Result<()> {
    saved::remove(&state.join(FOLDER), model)
}

/// Every model's history, and the feed of what comes.
#[derive(Debug, Default)]
pub struct History {
    models: Mutex<BTreeMap<String, ModelHistory>>,
    /// What comes, as it comes.
    pub feed: Feed,
}

/// What a model's history holds between two moments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The oldest first, no two nearer than the step that was asked for.
    pub samples: Vec<Sample>,
    /// The oldest first.
    pub happenings: Vec<HappeningSeen>,
    /// Known changes of a simulated world.
    pub truth: Vec<Truth>,
}

impl History {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, ModelHistory>> {
        // A panic while it was held has lost a sample at most.
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a model's history anew.
    pub fn forget(&self, model: &str) {
        self.lock().remove(model);
    }

    fn knows(&self, model: &str) -> bool {
        self.lock().contains_key(model)
    }

    /// Adds a sample of a model, and tells it.
    pub fn record(&self, model: &str, sample: Sample) {
        self.feed.tell(model, "sample", sample.at_ms, &sample);
        self.lock().entry(model.to_owned()).or_default().tiers.push(&sample);
    }

    /// Adds those of a model's latest happenings (the oldest first) that were not seen before, and tells them.
    ///
    /// `each` gets every new one's predecessors and, last, itself.
    pub fn see(&self, model: &str, latest: &[Happening], now_ms: i64, mut each: impl FnMut(&[HappeningSeen])) {
        let mut models = self.lock();
        let history = models.entry(model.to_owned()).or_default();
        for i in history.see(latest, now_ms) {
            self.feed.tell(model, "happening", now_ms, &history.happenings[i]);
            each(&history.happenings[..=i]);
        }
    }

    /// Adds a change of a simulated world, and tells it.
    pub fn tell_truth(&self, model: &str, truth: Truth) {
        self.feed.tell(model, "truth", truth.at_ms, &truth);
        self.lock().entry(model.to_owned()).or_default().add_truth(truth);
    }

    /// What was told after the event `after` (none without it), and what will be told from now on. Where the feed has
    /// forgotten so old events, or another process has told them, happenings are taken from what is kept of the models.
    pub fn listen(&self, after: Option<u64>) -> (VecDeque<Arc<Event>>, Receiver<Arc<Event>>) {
        // In this order: what happens in between comes twice rather than not at all.
        let (mut missed, receiver) = self.feed.listen(after);
        let Some(after) = after.filter(|&after| !self.feed.knows(after)) else { return (missed, receiver) };
        let known = missed.front().map_or(u64::MAX, |first| first.id);
        let mut older = Vec::new();
        for (model, history) in &*self.lock() {
            older.extend(history.happenings.iter().map(|seen| Event::new(model, "happening", seen.seen_ms, seen)));
        }
        // Their ids are the first of their millisecond.
        older.retain(|event| after / 1_000 * 1_000 <= event.id && event.id < known);
        older.sort_by_key(|event| event.id);
        older.into_iter().rev().for_each(|event| missed.push_front(Arc::new(event)));
        (missed, receiver)
    }

    /// What is kept of a model from one moment to another, both in milliseconds since the Unix epoch and included.
    pub fn view(&self, model: &str, from: i64, to: i64, step_ms: i64) -> View {
        let models = self.lock();
        let Some(history) = models.get(model) else { return View::default() };
        let within = |at: i64| from <= at && at <= to;
        View {
            samples: history.tiers.between(from, to, step_ms),
            happenings: history.happenings.iter().filter(|seen| within(seen.seen_ms)).cloned().collect(),
            truth: history.truth.iter().filter(|truth| within(truth.at_ms)).cloned().collect(),
        }
    }
}
