//! Records on their way out: kept in order until their broker has them. No checkpoint passes one that is not acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use streams::{Outgoing, Sink, SinkError};
use thiserror::Error;
use tracing::warn;

/// How long what was sent may take to be acknowledged before a checkpoint is given up.
const WITHIN: Duration = Duration::from_secs(20);
/// A queue that does not move is told of no more often.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Makes a sink when the first record for it is there.
pub type MakeSink = Box<dyn FnMut() -> Result<Sink, SinkError> + Send>;

/// What leaves a model's pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlet {
    /// Records that cannot be learned from.
    DeadLetters,
    /// What the champion said about each event.
    Predictions,
    /// How the learners do.
    Scores,
}

impl Outlet {
    fn name(self) -> &'static str {
        match self {
            Self::DeadLetters => "dead letters",
            Self::Predictions => "predictions",
            Self::Scores => "scores",
        }
    }
}

/// Why records did not get out.
#[derive(Debug, Error)]
#[error("{outlet}: {error}")]
pub struct NotSent {
    outlet: &'static str,
    error: SinkError,
}

/// A model's records on their way out, by outlet.
pub struct Outbox {
    model: String,
    queues: Vec<Queue>,
    waiting: Arc<AtomicUsize>,
    told: Option<Instant>,
}

struct Queue {
    outlet: Outlet,
    make: MakeSink,
    open: Option<Sink>,
    /// Those the producer had no room for, or that could not be sent yet.
    unsent: VecDeque<Outgoing>,
}

impl Outbox {
    /// Nothing is to be sent yet.
    pub fn new(model: &str, sinks: Vec<(Outlet, MakeSink)>) -> Self {
        let queue = |(outlet, make)| Queue { outlet, make, open: None, unsent: VecDeque::new() };
        let queues = sinks.into_iter().map(queue).collect();
        Self { model: model.to_owned(), queues, waiting: Arc::default(), told: None }
    }

    /// Counts the records that wait: who hands records over adds theirs.
    pub fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }

    /// Takes records in and sends what can be sent.
    pub fn push(&mut self, outlet: Outlet, records: Vec<Outgoing>) {
        match self.queues.iter_mut().find(|queue| queue.outlet == outlet) {
            Some(queue) => queue.unsent.extend(records),
            // Nobody hears it.
            None => drop(self.waiting.fetch_sub(records.len(), Ordering::AcqRel)),
        }
        self.try_send();
    }

    /// Sends what can be sent without waiting.
    pub fn try_send(&mut self) {
        for queue in &mut self.queues {
            let Err(e) = queue.send(&self.waiting, Duration::ZERO) else { continue };
            // A queue that is full for a moment is no news.
            if !matches!(e.error, SinkError::Full { .. }) && self.told.is_none_or(|told| told.elapsed() > TOLD_EVERY) {
                warn!(model = self.model, "records wait: {e}");
                self.told = Some(Instant::now());
            }
        }
    }

    /// Whether something waits that will get out as soon as there is room.
    pub fn is_moving(&self) -> bool {
        self.queues.iter().any(|queue| queue.open.is_some() && !queue.unsent.is_empty())
    }

    /// Returns once every record taken in is acknowledged.
    ///
    /// # Errors
    /// The broker does not take them in time.
    pub fn acknowledge(&mut self) -> Result<(), NotSent> {
        let until = Instant::now() + WITHIN;
        let left = || until.saturating_duration_since(Instant::now());
        for queue in &mut self.queues {
            queue.send(&self.waiting, left())?;
            queue.open.as_ref().map_or(Ok(()), |sink| sink.flush(left())).map_err(|e| queue.failed(e))?;
        }
        Ok(())
    }
}

impl Queue {
    fn send(&mut self, waiting: &AtomicUsize, wait: Duration) -> Result<(), NotSent> {
        let until = Instant::now() + wait;
        while let Some(record) = self.unsent.front() {
            let sink = match &self.open {
                Some(sink) => sink,
                None => match (self.make)() {
                    Ok(sink) => self.open.insert(sink),
                    Err(e) => return Err(self.failed(e)),
                },
            };
            let sent = sink.send(record, until.saturating_duration_since(Instant::now()));
            sent.map_err(|e| self.failed(e))?;
            waiting.fetch_sub(1, Ordering::AcqRel);
            self.unsent.pop_front();
        }
        Ok(())
    }

    fn failed(&self, error: SinkError) -> NotSent {
        NotSent { outlet: self.outlet.name(), error }
    }
}
