//! What happens, to all who listen: bounded, never waiting for a listener. One who was away for a while gets what is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

/// Events kept for listeners that come back.
const KEPT: usize = 2_048;
/// Events that may wait for one listener; a slower one takes up again from what is kept.
const WAITING: usize = 256;

/// Something to tell.
#[derive(Debug)]
pub struct Event {
    /// Grows from event to event and over restarts: about microseconds since the Unix epoch.
    pub id: u64,
    /// The model it is about.
    pub model: String,
    /// `sample`, `happening` or `truth`.
    pub kind: &'static str,
    /// A JSON object with the model's name in it.
    pub data: String,
}

impl Event {
    /// Something that happened at a moment (milliseconds since the Unix epoch), the first one at it.
    pub(super) fn new(model: &str, kind: &'static str, at_ms: i64, what: &impl Serialize) -> Self {
        let data = serde_json::to_string(&Data { model, what }).expect("plain data has a JSON form");
        let id = u64::try_from(at_ms).unwrap_or(0).saturating_mul(1_000);
        Self { id, model: model.to_owned(), kind, data }
    }
}

/// What happens, as it happens.
#[derive(Debug)]
pub struct Feed(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    kept: VecDeque<Arc<Event>>,
    last_id: u64,
    /// `None`: nobody is told any more.
    listeners: Option<broadcast::Sender<Arc<Event>>>,
}

impl Default for Feed {
    fn default() -> Self {
        let listeners = Some(broadcast::Sender::new(WAITING));
        Self(Mutex::new(Inner { kept: VecDeque::new(), last_id: 0, listeners }))
    }
}

#[derive(Serialize)]
struct Data<'a, T> {
    model: &'a str,
    #[serde(flatten)]
    what: &'a T,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells that something happened at a moment (milliseconds since the Unix epoch).
    pub(super) fn tell(&self, model: &str, kind: &'static str, at_ms: i64, what: &impl Serialize) {
        let mut event = Event::new(model, kind, at_ms, what);
        let mut inner = self.lock();
        event.id = event.id.max(inner.last_id + 1);
        inner.last_id = event.id;
        let event = Arc::new(event);
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(Arc::clone(&event));
        if let Some(listeners) = &inner.listeners {
            // An error says that nobody listens.
            let _ = listeners.send(event);
        }
    }

    /// What was told after the event `after` and is kept (none without it), and what will be told from now on.
    pub(super) fn listen(&self, after: Option<u64>) -> (VecDeque<Arc<Event>>, broadcast::Receiver<Arc<Event>>) {
        let inner = self.lock();
        let missed = match after {
            Some(after) => inner.kept.range(inner.kept.partition_point(|event| event.id <= after)..).cloned().collect(),
            None => VecDeque::new(),
        };
        let receiver = match &inner.listeners {
            Some(listeners) => listeners.subscribe(),
            // Its sender is gone: it ends at once.
            None => broadcast::Sender::new(1).subscribe(),
        };
        (missed, receiver)
    }

    /// Whether everything told after this event is kept.
    pub(super) fn knows(&self, id: u64) -> bool {
        self.lock().kept.front().is_some_and(|first| first.id <= id)
    }

    /// Tells nobody anything any more: all who listen come to an end.
    pub fn close(&self) {
        self.lock().listeners = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_who_comes_back_misses_nothing_kept() {
        let feed = Feed::default();
        for at_ms in [5, 5, 4, 6] {
            feed.tell("m", "sample", at_ms, &serde_json::json!({ "at_ms": at_ms }));
        }
        let ids = |after| feed.listen(after).0.iter().map(|event| event.id).collect::<Vec<_>>();
        assert_eq!(ids(Some(0)), [5_000, 5_001, 5_002, 6_000]);
        assert_eq!(ids(Some(5_001)), [5_002, 6_000]);
        assert!(ids(None).is_empty());
        assert_eq!(feed.listen(Some(0)).0[0].data, r#"{"model":"m","at_ms":5}"#);
        for _ in 0..KEPT + 10 {
            feed.tell("m", "sample", 7, &serde_json::json!({}));
        }
        assert_eq!(ids(Some(0)).len(), KEPT);
    }

    #[test]
    fn who_listens_hears_what_comes_until_it_is_closed() {
        let feed = Feed::default();
        let (_, mut receiver) = feed.listen(None);
        feed.tell("m", "sample", 1, &serde_json::json!({}));
        assert_eq!(receiver.try_recv().unwrap().id, 1_000);
        feed.close();
        assert_eq!(receiver.try_recv().unwrap_err(), broadcast::error::TryRecvError::Closed);
        assert_eq!(feed.listen(None).1.try_recv().unwrap_err(), broadcast::error::TryRecvError::Closed);
    }
}
