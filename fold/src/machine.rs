//! The fold itself: the state, and how a batch or a decision changes it.

use std::sync::Arc;

use features::{PartitionId, Record, Schema};
use learners::{LearnerSpec, SpecError};
use thiserror::Error;

use crate::happening::Moment;
use crate::learning::Learning;
use crate::reading::Reading;
use crate::slot::Slot;
use crate::waiting::Waiting;
use crate::{Chunk, Counts, Decision, FoldConfig, Live, ModelSnapshot, Position, Role, Tell, What};

/// Why a configuration has no fold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// A learner or detector cannot be built.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Two learners of one specification.
    #[error("learner {0} is named twice")]
    Twice(LearnerSpec),
}

/// The state of a model: a pure function of genesis, journal and log.
#[derive(Debug)]
pub struct Fold {
    pub(crate) reading: Reading,
    pub(crate) learning: Learning,
    /// Only where labels come later.
    pub(crate) waiting: Option<Waiting>,
}

impl Fold {
    /// The state before the first record.
    ///
    /// # Errors
    /// The configuration names a learner or detector that cannot be built.
    pub fn genesis(config: FoldConfig, start: Position) -> Result<Self, GenesisError> {
        let config = Arc::new(config);
        let reading = Reading::new(&config, start);
        let learning = Learning::new(&config, reading.schema.kinds())?;
        // Those of the configuration, and one that is fresh.
        let waiting = Waiting::new(&config, config.challengers.len() + 2);
        let waiting = waiting.map(|waiting| waiting.with_memory(learning.memory()));
        Ok(Self { reading, learning, waiting })
    }

    /// Its halves, which may work side by side: one reads the next batch while the other learns the last one. Where
    /// labels come later they share the rows that wait, and it stays whole.
    ///
    /// # Errors
    /// The fold, whole.
    pub fn apart(self) -> Result<(Reading, Learning), Box<Self>> {
        match self.waiting {
            None => Ok((self.reading, self.learning)),
            Some(_) => Err(Box::new(self)),
        }
    }

    /// The fold of both halves; every batch that was read has been learned.
    pub fn whole(reading: Reading, learning: Learning) -> Self {
        Self { reading, learning, waiting: None }
    }

    /// What decides the fold.
    pub fn config(&self) -> &FoldConfig {
        &self.learning.config
    }

    /// Records and decisions folded.
    pub fn version(&self) -> u64 {
        self.reading.version
    }

    /// How far each partition has been folded.
    pub fn position(&self) -> &Position {
        &self.reading.position
    }

    /// What became of the records.
    pub fn counts(&self) -> Counts {
        self.reading.counts
    }

    /// The columns and classes seen.
    pub fn schema(&self) -> &Schema {
        &self.reading.schema
    }

    /// Reads a batch: position, version, counts and schema move on, rows and rejects land in `chunk`. Every decoded
    /// chunk is to be trained before the next one is trained; where labels come later, before the next one is decoded.
    pub fn decode(&mut self, records: &[Record], chunk: &mut Chunk) {
        self.reading.decode_beside(records, chunk, &mut self.waiting);
    }

    /// Every learner predicts each row of the chunk, is scored once its label is there, and learns from it; a challenger
    /// that begins in the middle of the chunk learns from the rest of it.
    pub fn train(&mut self, chunk: &mut Chunk) {
        self.learning.train_beside(chunk, &mut self.waiting);
    }

    /// What is told of every batch from now on; it changes nothing that is learned.
    pub fn tell(&mut self, tell: Tell) {
        (self.reading.tell, self.learning.tell) = (tell, tell);
    }

    /// Threads that a learner of many members may spread a batch over, from now on; they change nothing that is learned.
    pub fn on_threads(&mut self, threads: usize) {
        self.learning.scratch.threads = threads;
    }

    /// Goes on at a later version of the journal, what lies between left out: its records are gone, which an
    /// [`Decision::AcceptGap`] there says.
    pub fn skip_to(&mut self, version: u64) {
        self.reading.version = version;
    }

    /// Folds a decision.
    pub fn decide(&mut self, decision: &Decision) {
        let Self { reading, learning, .. } = self;
        reading.version += 1;
        let moment = Moment { version: reading.version, events: reading.counts.events, at: reading.last_event };
        match decision {
            Decision::AddPartition { from, start } => {
                reading.position.insert(*from, *start);
            }
            Decision::Promote { learner } => {
                if let Some(place) = learning.slots.iter().position(|slot| slot.name() == *learner)
                    && place != learning.champion()
                {
                    learning.promote(place, None, moment);
                }
            }
            Decision::Pin { version } => {
                learning.live = Live::Pinned(*version);
                learning.happenings.note(moment, What::Pinned { version: *version });
            }
            Decision::Follow => {
                learning.live = Live::Follow;
                learning.happenings.note(moment, What::Followed);
            }
            Decision::Configure { config } => self.reconfigure(config, moment),
            Decision::Carry { .. } => {}
            Decision::AcceptGap { from, first, next, .. } => {
                let PartitionId { topic, partition } = *from;
                reading.position.insert(*from, *next);
                let what = What::Gap { topic: topic.0, partition, first: first.0, next: next.0 };
                learning.happenings.note(moment, what);
            }
        }
    }

    /// The learners' names, the champion's first.
    pub fn learners(&self) -> Vec<String> {
        let mut slots: Vec<&Slot> = self.learning.slots.iter().collect();
        slots.sort_by_key(|slot| slot.role != Role::Champion);
        slots.into_iter().map(Slot::name).collect()
    }

    /// Which model is to be served.
    pub fn live(&self) -> Live {
        self.learning.live
    }

    /// The model as it is, for serving.
    pub fn snapshot(&mut self) -> ModelSnapshot {
        let standings = self.learning.standings(Some(&self.reading.schema));
        let champion = self.learning.champion();
        let champion = &mut self.learning.slots[champion];
        ModelSnapshot {
            version: self.reading.version,
            learner: champion.name(),
            schema: Arc::clone(&self.reading.schema),
            model: champion.learner.freeze(),
            standings,
            happenings: self.learning.happenings.iter().cloned().collect(),
            live: self.learning.live,
            labels: self.waiting.as_ref().map(Waiting::counts).unwrap_or_default(),
            served: self.reading.served.as_ref().map(|served| served.report(Some(&self.reading.schema))),
            position: self.reading.position.clone(),
            counts: self.reading.counts,
            last_event: self.reading.last_event,
        }
    }
}
