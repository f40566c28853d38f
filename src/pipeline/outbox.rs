//! Dead letters on their way out: kept in order until their broker has them. No checkpoint passes one that is not acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use features::Record;
use fold::Rejected;
use streams::{DeadLetter, DeadLetters, SinkError};
use tracing::warn;

/// How long dead letters may take to be acknowledged before a checkpoint is given up.
const WITHIN: Duration = Duration::from_secs(20);

/// Makes the dead letters' producer when the first one is there.
pub type MakeDeadLetters = Box<dyn FnMut() -> Result<DeadLetters, SinkError> + Send>;

/// The dead letters of one batch, and the names of the topics they came from.
pub struct Letters {
    /// By number.
    pub topics: Vec<String>,
    /// Each with what was wrong with it.
    pub records: Vec<(Record, Rejected)>,
}

/// A model's dead letters on their way out.
pub struct Outbox {
    model: String,
    make: MakeDeadLetters,
    open: Option<DeadLetters>,
    /// Letters the producer had no room for, or that could not be sent yet.
    unsent: VecDeque<Letters>,
    waiting: Arc<AtomicUsize>,
}

impl Outbox {
    /// Nothing is to be sent yet.
    pub fn new(model: &str, make: MakeDeadLetters) -> Self {
        Self { model: model.to_owned(), make, open: None, unsent: VecDeque::new(), waiting: Arc::default() }
    }

    /// Counts the records that wait: who hands over letters adds theirs.
    pub fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }

    /// Takes letters in and sends what can be sent.
    pub fn push(&mut self, letters: Letters) {
        self.unsent.push_back(letters);
        self.try_send();
    }

    /// Sends what can be sent without waiting.
    pub fn try_send(&mut self) {
        if let Err(e) = self.send_all(Duration::ZERO) {
            warn!(model = self.model, "dead letters wait: {e}");
        }
    }

    /// Returns once every letter taken in is acknowledged.
    ///
    /// # Errors
    /// The broker does not take them in time.
    pub fn acknowledge(&mut self) -> Result<(), SinkError> {
        self.send_all(WITHIN)?;
        self.open.as_ref().map_or(Ok(()), |sink| sink.flush(WITHIN))
    }

    fn send_all(&mut self, wait: Duration) -> Result<(), SinkError> {
        while let Some(letters) = self.unsent.front() {
            let sink = match &self.open {
                Some(sink) => sink,
                None => self.open.insert((self.make)()?),
            };
            let reasons: Vec<_> = letters.records.iter().map(|(_, rejected)| rejected.reason.to_string()).collect();
            let outgoing: Vec<_> = letters
                .records
                .iter()
                .zip(&reasons)
                .map(|((record, rejected), reason)| DeadLetter {
                    record,
                    topic: &letters.topics[usize::from(record.from.topic.0)],
                    class: rejected.reason.class(),
                    reason,
                })
                .collect();
            sink.send(&outgoing, wait)?;
            self.waiting.fetch_sub(outgoing.len(), Ordering::AcqRel);
            self.unsent.pop_front();
        }
        Ok(())
    }
}
