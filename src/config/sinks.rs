//! `[models.M.predictions]` and `[models.M.scores]`: topics that hear what a model said and how it does.

use super::labels;
use super::units::Every;
use super::walk::{Key, key, set};

/// Where scores go, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The topic, if there is one.
    pub topic: Option<String>,
    /// Each time so many more events have been learned from; at least 1.
    pub every: u64,
}

impl Default for Scores {
    fn default() -> Self {
        Self { topic: None, every: 1_000 }
    }
}

pub(super) const PREDICTIONS: &[Key<Option<String>>] = labels::REQUESTS;

pub(super) const SCORES: &[Key<Scores>] = &[
    key("topic", |c, n| labels::optional_topic(&mut c.topic, n)),
    key("every", |c, n| {
        let every = n.every(std::time::Duration::MAX).ok();
        let events = every.and_then(|every| if let Every::Events(events) = every { Some(events) } else { None });
        set(
            &mut c.every,
            events.ok_or_else(|| n.error(format!("expected \"1000 events\" or the like, got {}", n.shown()))),
        )
    }),
];
