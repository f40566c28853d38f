//! Where records come from: Kafka and files look the same to the pipeline.

use std::time::Duration;

use features::{NextOffset, PartitionId, Record};
use thiserror::Error;

/// What a source has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceEvent {
    /// Records; those of one partition are in offset order and follow on what was delivered before.
    Records(Vec<Record>),
    /// An assigned partition has nothing more to read for now.
    CaughtUp {
        /// Which.
        from: PartitionId,
        /// The first offset that will come, when one comes.
        next: NextOffset,
    },
    /// A partition nobody assigned yet; reading of it begins after [`Source::assign`].
    Discovered {
        /// Which.
        from: PartitionId,
        /// Where a new model begins in it.
        start: NextOffset,
    },
    /// A topic does not exist (yet); it is looked for again.
    TopicMissing {
        /// Its name.
        topic: String,
    },
    /// The log does not hold the offset to read next: this partition is stopped, the others go on.
    Gap {
        /// Which.
        from: PartitionId,
        /// What was to be read next.
        wanted: NextOffset,
        /// The oldest offset kept.
        low: i64,
        /// The offset the next record will get.
        high: i64,
    },
    /// A file was read to its end; nothing will come any more.
    End,
}

/// Why a source cannot go on. The pipeline makes a new one, a limited number of times.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The broker or the client library.
    #[error("kafka: {0}")]
    Kafka(String),
    /// A file cannot be read.
    #[error("{path}: {message}")]
    File {
        /// Which.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// The thread that reads has ended.
    #[error("the reader has stopped")]
    Stopped,
}

/// A log of records in partitions.
pub trait Source: Send {
    /// The next thing it has to tell, waiting at most `wait`; `None` = nothing came.
    ///
    /// # Errors
    /// The source is broken and must be made anew.
    fn poll(&mut self, wait: Duration) -> Result<Option<SourceEvent>, SourceError>;

    /// Begins (or begins again) to read partitions, each from its first offset not yet processed.
    ///
    /// # Errors
    /// The source is broken and must be made anew.
    fn assign(&mut self, partitions: &[(PartitionId, NextOffset)]) -> Result<(), SourceError>;

    /// Reads a partition no more, until it is assigned again; what was read of it may still come.
    ///
    /// # Errors
    /// The source is broken and must be made anew.
    fn stop(&mut self, _partition: PartitionId) -> Result<(), SourceError> {
        Ok(())
    }

    /// Tells the outside how far the model's checkpoints have come (for lag tools); never waits.
    fn committed(&mut self, _positions: &[(PartitionId, NextOffset)]) {}

    /// Records waiting in each assigned partition, as far as known.
    fn lag(&self) -> Vec<(PartitionId, i64)> {
        Vec::new()
    }
}
