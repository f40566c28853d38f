//! Labels somebody posts, on their way to a model's labels topic: told as taken only when Kafka has them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use features::Task;
use streams::{Outgoing, Producer, SinkError};
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore};

use crate::config::KafkaConfig;

/// Posts under way at a time, those that wait for their turn among them.
const AT_A_TIME: usize = 64;
/// How long a post may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Why labels were not told as taken.
#[derive(Debug, Error)]
pub enum NotPosted {
    /// Too many posts are under way.
    #[error("{AT_A_TIME} posts of labels are under way; try again")]
    Busy,
    /// No acknowledgement in time. The labels may still arrive: one that is posted again counts once.
    #[error("Kafka has not acknowledged the labels within {} seconds; they may still arrive", .0.as_secs_f64())]
    TooLate(Duration),
    /// The client or Kafka refused.
    #[error(transparent)]
    Refused(#[from] SinkError),
}

/// The way to one labels topic.
pub struct LabelOutlet {
    /// What its labels are to be.
    pub task: Task,
    /// Bytes of a name in them.
    pub text: usize,
    topic: String,
    brokers: String,
    options: Vec<(String, String)>,
    within: Duration,
    room: Semaphore,
    /// The producer, started with the first post. One post has it at a time: a flush waits for all that was sent.
    producer: Arc<Mutex<Option<Producer>>>,
}

impl fmt::Debug for LabelOutlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LabelOutlet({})", self.topic)
    }
}

impl LabelOutlet {
    /// The way to `topic`; names in its labels have at most `text` bytes.
    pub fn new(task: Task, text: usize, topic: &str, kafka: &KafkaConfig) -> Self {
        Self {
            task,
            text,
            topic: topic.to_owned(),
            brokers: kafka.brokers.clone(),
            options: kafka.options.clone(),
            within: WITHIN,
            room: Semaphore::new(AT_A_TIME),
            producer: Arc::default(),
        }
    }

    /// The same with another deadline.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Sends labels and waits, at most ten seconds, until Kafka has all of them.
    ///
    /// # Errors
    /// Some are not known to be there.
    pub async fn post(&self, labels: Vec<Outgoing>) -> Result<(), NotPosted> {
        let until = Instant::now() + self.within;
        let late = || NotPosted::TooLate(self.within);
        let _room = self.room.try_acquire().map_err(|_| NotPosted::Busy)?;
        let turn = tokio::time::timeout(self.within, Arc::clone(&self.producer).lock_owned());
        let mut turn = turn.await.map_err(|_| late())?;
        let (brokers, options, topic) = (self.brokers.clone(), self.options.clone(), self.topic.clone());
        // Goes on when the request is given up: its turn ends with its deadline.
        let sending = tokio::task::spawn_blocking(move || {
            let left = || until.saturating_duration_since(Instant::now());
            let producer = match &mut *turn {
                Some(producer) => producer,
                none => none.insert(Producer::start(&brokers, &options, &topic)?),
            };
            for label in &labels {
                producer.send(label, left())?;
            }
            producer.flush(left())
        });
        match sending.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(SinkError::NotAcknowledged { .. } | SinkError::Full { .. })) => Err(late()),
            Ok(Err(refused)) => Err(refused.into()),
            // It panicked, or the process is ending.
            Err(_) => Err(late()),
        }
    }
}
