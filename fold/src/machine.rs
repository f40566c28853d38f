//! The fold itself: the state, and how a batch or a decision changes it.

use std::sync::Arc;

use features::{EventTime, Kind, LabelSource, NextOffset, Record, Reject, Row, Schema, TopicId};
use learners::{Evidence, Learner, LearnerSpec, Prediction, Scratch, SpecError};
use thiserror::Error;

use crate::chunk::Step;
use crate::happening::{Happenings, Moment};
use crate::living::Living;
use crate::slot::{Slot, is_baseline};
use crate::waiting::{Id, Join, Ready, Waiting};
use crate::{
    Chunk, Counts, Decision, FoldConfig, Live, ModelSnapshot, Position, Rejected, Role, Served, Standing, What,
};

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

/// Memory used again and again; not part of the state.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    observer: features::Observer,
    labels: features::Observer,
    requests: features::Observer,
    said: Prediction,
    row: Vec<f64>,
    ready: Vec<Ready>,
    pub(crate) scratch: Scratch,
    pub(crate) found: Vec<(usize, Evidence)>,
}

/// The state of a model: a pure function of genesis, journal and log.
#[derive(Debug)]
pub struct Fold {
    pub(crate) config: Arc<FoldConfig>,
    pub(crate) schema: Arc<Schema>,
    /// In the order they were born; one is the champion.
    pub(crate) slots: Vec<Slot>,
    pub(crate) born: u32,
    /// The columns' kinds as the learners know them.
    pub(crate) kinds: Vec<Kind>,
    pub(crate) living: Living,
    pub(crate) live: Live,
    pub(crate) position: Position,
    pub(crate) version: u64,
    pub(crate) counts: Counts,
    pub(crate) last_event: EventTime,
    pub(crate) happenings: Happenings,
    /// Only where labels come later.
    pub(crate) waiting: Option<Waiting>,
    /// Only where what was served is scored.
    pub(crate) served: Option<Served>,
    labels_topic: Option<TopicId>,
    requests_topic: Option<TopicId>,
    pub(crate) workspace: Workspace,
}

impl Fold {
    /// The state before the first record.
    ///
    /// # Errors
    /// The configuration names a learner or detector that cannot be built.
    pub fn genesis(config: FoldConfig, start: Position) -> Result<Self, GenesisError> {
        let schema = Arc::new(Schema::new(Arc::new(config.event.clone())));
        let kinds = schema.kinds();
        let mut slots: Vec<Slot> = Vec::new();
        for (i, spec) in std::iter::once(&config.learner).chain(&config.challengers).enumerate() {
            if slots.iter().any(|slot| slot.spec == *spec) {
                return Err(GenesisError::Twice(spec.clone()));
            }
            let role = match i {
                0 => Role::Champion,
                _ if is_baseline(spec) => Role::Baseline,
                _ => Role::Challenger,
            };
            let mut slot = Slot::new(&config, i as u32, spec, role)?;
            slot.learner.grow(&kinds);
            slots.push(slot);
        }
        Ok(Self {
            schema,
            born: slots.len() as u32,
            slots,
            kinds,
            living: Living::default(),
            live: Live::Follow,
            position: start,
            version: 0,
            counts: Counts::default(),
            last_event: EventTime(i64::MIN),
            happenings: Happenings::default(),
            // Those of the configuration, and one that is fresh.
            waiting: Waiting::new(&config, config.challengers.len() + 2),
            served: config.requests.is_some().then(|| Served::new(&config)),
            labels_topic: config.labels_topic(),
            requests_topic: config.requests_topic(),
            workspace: Workspace::default(),
            config: Arc::new(config),
        })
    }

    /// What decides the fold.
    pub fn config(&self) -> &FoldConfig {
        &self.config
    }

    /// Records and decisions folded.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How far each partition has been folded.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// What became of the records.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The columns and classes seen.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Reads a batch: position, version, counts and schema move on, rows and rejects land in `chunk`. Every decoded
    /// chunk is to be trained before the next one is decoded.
    pub fn decode(&mut self, records: &[Record], chunk: &mut Chunk) {
        chunk.clear();
        chunk.began = (self.version, self.counts.events);
        for (index, record) in records.iter().enumerate() {
            self.version += 1;
            self.position.insert(record.from, NextOffset(record.offset + 1));
            if record.payload.is_none() {
                self.counts.tombstones += 1;
                continue;
            }
            let topic = Some(record.from.topic);
            let read = if self.labels_topic == topic {
                self.decode_label(record, index, chunk)
            } else if self.requests_topic == topic {
                self.decode_served(record)
            } else {
                self.decode_event(record, index, chunk)
            };
            if let Err(reason) = read {
                self.counts.rejected += 1;
                chunk.rejected.push(Rejected { index, reason });
            }
        }
    }

    fn decode_event(&mut self, record: &Record, index: usize, chunk: &mut Chunk) -> Result<(), Reject> {
        let Workspace { observer, row, ready, .. } = &mut self.workspace;
        let seen = Schema::observe(&mut self.schema, observer, record, row)?;
        self.counts.unusable_values += u64::from(seen.unusable);
        self.last_event = self.last_event.max(seen.at);
        let grown = seen.grown.then(|| self.schema.kinds());
        let mut id = || match observer.id() {
            Some(name) => Id::of(name),
            None => Id::of_place(&self.config.topics[usize::from(record.from.topic.0)], record),
        };
        if let (Some(served), Some(target), LabelSource::Event) =
            (&mut self.served, seen.target, self.config.event.label)
        {
            served.label(id(), target);
        }
        match (&mut self.waiting, seen.target) {
            (None, Some(target)) => {
                self.counts.events += 1;
                chunk.rows(row.len(), grown).push(row, seen.at, seen.entity, target);
                chunk.learned.push(index);
            }
            (None, None) => unreachable!("an event whose label never comes is rejected"),
            (Some(waiting), target) => {
                let id = self.labels_topic.is_some().then(&mut id);
                let row = Row { values: row, at: seen.at, entity: seen.entity };
                let answer = self.schema.classes().len().max(1);
                chunk.steps.extend(grown.map(Step::Grow));
                let number = waiting.observe(&row, id, target, answer, ready);
                chunk.steps.extend(number.map(Step::Predict));
                self.counts.events += ready.len() as u64;
                chunk.learned.extend(ready.iter().map(|_| index));
                chunk.steps.extend(ready.drain(..).map(Step::Learn));
            }
        }
        Ok(())
    }

    fn decode_label(&mut self, record: &Record, index: usize, chunk: &mut Chunk) -> Result<(), Reject> {
        let label = Schema::observe_label(&mut self.schema, &mut self.workspace.labels, record)?;
        let (id, target) = (Id::of(label.id), label.target);
        if let Some(served) = &mut self.served {
            served.label(id, target);
        }
        if let Some(Join::Joined(row)) = self.waiting.as_mut().map(|waiting| waiting.label(id, target)) {
            self.counts.events += 1;
            chunk.learned.push(index);
            chunk.steps.push(Step::Learn(Ready { row, target }));
        }
        Ok(())
    }

    fn decode_served(&mut self, record: &Record) -> Result<(), Reject> {
        let Workspace { requests, said, .. } = &mut self.workspace;
        let seen = self.schema.observe_served(requests, record, &mut said.probabilities)?;
        let (id, at) = (Id::of(seen.id), seen.at);
        said.value = seen.value;
        if let Some(served) = &mut self.served {
            served.answered(id, at, said);
        }
        Ok(())
    }

    /// Folds a decision.
    pub fn decide(&mut self, decision: &Decision) {
        self.version += 1;
        let moment = Moment { version: self.version, events: self.counts.events, at: self.last_event };
        match decision {
            Decision::AddPartition { from, start } => {
                self.position.insert(*from, *start);
            }
            Decision::Promote { learner } => {
                if let Some(place) = self.slots.iter().position(|slot| slot.name() == *learner)
                    && place != self.champion()
                {
                    self.promote(place, None, moment);
                }
            }
            Decision::Pin { version } => {
                self.live = Live::Pinned(*version);
                self.happenings.note(moment, What::Pinned { version: *version });
            }
            Decision::Follow => {
                self.live = Live::Follow;
                self.happenings.note(moment, What::Followed);
            }
        }
    }

    /// The learners' names, the champion's first.
    pub fn learners(&self) -> Vec<String> {
        let mut slots: Vec<&Slot> = self.slots.iter().collect();
        slots.sort_by_key(|slot| slot.role != Role::Champion);
        slots.into_iter().map(Slot::name).collect()
    }

    /// Which model is to be served.
    pub fn live(&self) -> Live {
        self.live
    }

    /// The model as it is, for serving.
    pub fn snapshot(&mut self) -> ModelSnapshot {
        let mut standings: Vec<Standing> = self.slots.iter().map(Slot::standing).collect();
        standings.sort_by_key(|standing| standing.role != Role::Champion);
        let champion = self.champion();
        let champion = &mut self.slots[champion];
        ModelSnapshot {
            version: self.version,
            learner: champion.name(),
            schema: Arc::clone(&self.schema),
            model: champion.learner.freeze(),
            standings,
            happenings: self.happenings.iter().cloned().collect(),
            live: self.live,
            labels: self.waiting.as_ref().map(Waiting::counts).unwrap_or_default(),
            served: self.served.as_ref().map(Served::report),
            position: self.position.clone(),
            counts: self.counts,
            last_event: self.last_event,
        }
    }
}
