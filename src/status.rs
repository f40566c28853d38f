//! How a model's pipeline is doing: written by the pipeline, read by endpoints and metrics, never on a predict's path.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// What a pipeline is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It opens its state.
    Starting,
    /// A topic does not exist yet.
    WaitingForTopic {
        /// Its name.
        topic: String,
    },
    /// It reads again what was folded after the checkpoint it started from.
    Replaying {
        /// The version reached.
        version: u64,
        /// The version to reach.
        until: u64,
    },
    /// It learns from what comes.
    Live,
    /// Its state cannot be written for now: it goes on by itself once it can.
    Paused {
        /// Why.
        reason: String,
    },
    /// It has stopped; what was published last is still served.
    Stopped {
        /// Why.
        reason: String,
    },
}

impl Phase {
    /// Its name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::WaitingForTopic { .. } => "waiting_for_topic",
            Self::Replaying { .. } => "replaying",
            Self::Live => "live",
            Self::Paused { .. } => "paused",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// Whether what is served may lag behind what was or could be learned: the journal's end is not reached yet, or never
    /// will be, or it cannot be written.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Starting | Self::Replaying { .. } | Self::Paused { .. } | Self::Stopped { .. })
    }

    /// Why the model is not up to date; `None` if it is.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Starting => Some("the model is starting".into()),
            Self::WaitingForTopic { topic } => Some(format!("waiting for topic {topic} to exist")),
            Self::Replaying { version, until } => Some(format!("replaying the journal: version {version} of {until}")),
            Self::Live => None,
            Self::Paused { reason } => Some(format!("learning pauses until its state can be written: {reason}")),
            Self::Stopped { reason } => Some(format!("stopped, the model is stale: {reason}")),
        }
    }
}

/// Records waiting in one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Lag {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// Records waiting.
    pub messages: i64,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckpointInfo {
    /// Records and decisions folded into it.
    pub version: u64,
    /// Hash of all its sections, 64 hexadecimal digits.
    pub state_hash: String,
    /// When it was taken, in milliseconds since the Unix epoch; RFC 3339 text in replies.
    #[serde(rename = "at", serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at_ms: i64,
}

/// A kept version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionInfo {
    /// Its checkpoint.
    #[serde(flatten)]
    pub checkpoint: CheckpointInfo,
    /// Events learned from.
    pub events: u64,
    /// The serving learner.
    pub learner: String,
    /// Bytes of all its sections.
    pub bytes: u64,
}

/// Everything known about a pipeline at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// Partitions it is stopped in while the others go on, each with its reason.
    pub stopped_partitions: Vec<String>,
    /// Records waiting, by partition.
    pub lag: Vec<Lag>,
    /// The newest checkpoint.
    pub checkpoint: Option<CheckpointInfo>,
    /// Kept versions, the newest first.
    pub versions: Vec<VersionInfo>,
}

/// The shared status of one model.
#[derive(Debug)]
pub struct ModelStatus {
    /// The model's topics in the order that numbers them.
    pub topics: Vec<String>,
    /// The detector that watches its learners' losses.
    pub detector: String,
    /// For requests, which take no lock.
    is_stale: AtomicBool,
    now: Mutex<Status>,
}

impl ModelStatus {
    /// A model that is starting, with its topics in configured order and its detector.
    pub fn new(topics: Vec<String>, detector: &str) -> Self {
        let now = Status {
            phase: Phase::Starting,
            stopped_partitions: Vec::new(),
            lag: Vec::new(),
            checkpoint: None,
            versions: Vec::new(),
        };
        Self { topics, detector: detector.to_owned(), is_stale: AtomicBool::new(true), now: Mutex::new(now) }
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        // Every write is one assignment: a panic elsewhere cannot leave half of one.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy.
    pub fn get(&self) -> Status {
        self.lock().clone()
    }

    /// It is doing something else now.
    pub fn set_phase(&self, phase: Phase) {
        let is_stale = phase.is_stale();
        let mut now = self.lock();
        now.phase = phase;
        self.is_stale.store(is_stale, Ordering::Release);
    }

    /// Whether what is served is stale ([`Phase::is_stale`]). A request asks before it loads what is served: then what was
    /// published before it became up to date is never told as fresh.
    pub fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::Acquire)
    }

    /// The reasons of partitions that are stopped; none = all go on.
    pub fn set_stopped_partitions(&self, reasons: Vec<String>) {
        self.lock().stopped_partitions = reasons;
    }

    /// Records waiting: (topic, partition, messages).
    pub fn set_lag(&self, lag: Vec<(String, i32, i64)>) {
        let lag = lag.into_iter().map(|(topic, partition, messages)| Lag { topic, partition, messages }).collect();
        self.lock().lag = lag;
    }

    /// A checkpoint was taken.
    pub fn set_checkpoint(&self, checkpoint: CheckpointInfo) {
        self.lock().checkpoint = Some(checkpoint);
    }

    /// The versions kept now, the newest first.
    pub fn set_versions(&self, versions: Vec<VersionInfo>) {
        self.lock().versions = versions;
    }
}

fn rfc3339<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    match jiff::Timestamp::from_millisecond(*ms) {
        Ok(at) => serializer.collect_str(&at),
        Err(_) => serializer.serialize_none(),
    }
}
