//! What decides the fold: the part of the configuration that is recorded in genesis.

use features::{EventSpec, LabelSource, Start, TopicId};
use learners::LearnerSpec;
use serde::{Deserialize, Serialize};

/// Everything that decides what is learned. Two folds with equal configurations, journals and logs are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldConfig {
    /// The topics, in the order that numbers them: those of events, then that of labels.
    pub topics: Vec<String>,
    /// Where a new model begins in them.
    pub start: Start,
    /// How events are read.
    pub event: EventSpec,
    /// The learner that serves.
    pub learner: LearnerSpec,
    /// Learners that run beside it.
    pub challengers: Vec<LearnerSpec>,
    /// The seed of every learner that names none.
    pub seed: u64,
    /// The byte budget of every learner that names none.
    pub max_bytes: u64,
    /// The drift detector on each learner's loss.
    pub detector: String,
    /// Losses for one false alarm.
    pub false_alarms: u64,
    /// What is done about a drift.
    pub on_drift: OnDrift,
    /// The least mean gain (in error rate, or in loss brought into 0..1) for which a challenger is promoted, in millionths.
    pub min_gain_ppm: u32,
    /// How much later the target's value is predicted.
    pub horizon: Horizon,
    /// How labels that come later are waited for, and the topic they come on, if there is one: the last of `topics`.
    /// `None`: every event is learned at once.
    pub labels: Option<Labels>,
    /// The topic of answers that were served to requests with an id, if what was served is scored; it is one of `topics`.
    pub requests: Option<String>,
}

impl FoldConfig {
    /// Labels come so much later, or on the topic of `labels`, which joins the topics read.
    pub fn wait_for_labels(&mut self, horizon: Horizon, labels: Labels) {
        self.horizon = horizon;
        self.event.label = match horizon {
            _ if !labels.topic.is_empty() => LabelSource::Topic,
            Horizon::Now | Horizon::Delay(_) => LabelSource::Event,
            Horizon::Ms(_) | Horizon::Events(_) => LabelSource::Later,
        };
        if !labels.topic.is_empty() && !self.topics.contains(&labels.topic) {
            self.topics.push(labels.topic.clone());
        }
        self.labels = (horizon != Horizon::Now || !labels.topic.is_empty()).then_some(labels);
    }

    /// What was served is scored: its topic joins the topics read.
    pub fn score_served(&mut self, topic: &str) {
        if !self.topics.iter().any(|name| name == topic) {
            self.topics.push(topic.to_owned());
        }
        self.requests = Some(topic.to_owned());
    }

    /// The topic that labels come on, if there is one.
    pub fn labels_topic(&self) -> Option<TopicId> {
        self.place(&self.labels.as_ref()?.topic)
    }

    /// The topic of answers that were served, if they are scored.
    pub fn requests_topic(&self) -> Option<TopicId> {
        self.place(self.requests.as_ref()?)
    }

    fn place(&self, topic: &str) -> Option<TopicId> {
        let place = self.topics.iter().position(|name| name == topic)?;
        u16::try_from(place).ok().map(TopicId)
    }
}

/// What is done about a drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDrift {
    /// A fresh challenger learns from the warning on; a challenger that is better is promoted.
    Challenge,
    /// It is told, nothing else.
    Alert,
}

/// How much later the target's value is predicted, by entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Horizon {
    /// The value in the event itself.
    #[default]
    Now,
    /// The value in the entity's first event that is so many milliseconds (≥ 1) later.
    Ms(u64),
    /// The value in the entity's event so many (≥ 1) events later.
    Events(u64),
    /// The value in the event itself, but learned only after so many more events were predicted.
    Delay(u64),
}

/// Rows that wait for their labels, bounded three ways; and the topic that labels come on, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// `{"id", "target", "at"?}`; empty: labels come with later events (see [`Horizon`]).
    pub topic: String,
    /// Milliseconds of event time that a row waits.
    pub at_most_ms: u64,
    /// Rows that wait.
    pub rows: u64,
    /// Bytes that they hold.
    pub bytes: u64,
}

impl Default for Labels {
    /// One day, 1,000,000 rows, 1 GiB; no topic.
    fn default() -> Self {
        Self { topic: String::new(), at_most_ms: 86_400_000, rows: 1_000_000, bytes: 1 << 30 }
    }
}
