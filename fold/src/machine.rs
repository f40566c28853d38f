//! The fold itself: the state, and how a batch or a decision changes it.

use std::sync::Arc;

use features::{EventTime, NextOffset, Record, Schema, Target};
use learners::{AnyLearner, Learner, LearnerSpec, Monitor, Outcome, Scratch, SpecError};
use thiserror::Error;

use crate::happening::Happenings;
use crate::{
    Chunk, Counts, Decision, FoldConfig, LabelCounts, Live, ModelSnapshot, Position, Rejected, Role, Standing,
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

/// A learner of the model with what watches it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) spec: LearnerSpec,
    pub(crate) role: Role,
    pub(crate) learner: AnyLearner,
    pub(crate) monitor: Monitor,
}

impl Slot {
    fn standing(&self) -> Standing {
        Standing {
            learner: self.spec.to_string(),
            role: self.role,
            since: 0,
            report: self.monitor.report(),
            verdict: self.monitor.verdict(),
            drifts: self.monitor.drifts(),
            incident: self.monitor.incident().cloned(),
            evidence: None,
            evidence_needed: None,
            bytes: self.learner.bytes(),
        }
    }
}

/// Memory used again and again; not part of the state.
#[derive(Debug, Default)]
struct Workspace {
    observer: features::Observer,
    row: Vec<f64>,
    scratch: Scratch,
    outcomes: Vec<Outcome>,
}

/// The state of a model: a pure function of genesis, journal and log.
#[derive(Debug)]
pub struct Fold {
    pub(crate) config: Arc<FoldConfig>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) position: Position,
    pub(crate) version: u64,
    pub(crate) counts: Counts,
    pub(crate) last_event: EventTime,
    pub(crate) happenings: Happenings,
    workspace: Workspace,
}

impl Fold {
    /// The state before the first record.
    ///
    /// # Errors
    /// The configuration names a learner or detector that cannot be built.
    pub fn genesis(config: FoldConfig, start: Position) -> Result<Self, GenesisError> {
        let schema = Arc::new(Schema::new(Arc::new(config.event.clone())));
        let mut slots: Vec<Slot> = Vec::new();
        for (i, spec) in std::iter::once(&config.learner).chain(&config.challengers).enumerate() {
            if slots.iter().any(|slot| slot.spec == *spec) {
                return Err(GenesisError::Twice(spec.clone()));
            }
            let max_bytes = usize::try_from(config.max_bytes).unwrap_or(usize::MAX);
            let mut learner = AnyLearner::build(spec, config.event.task, config.seed, max_bytes)?;
            learner.grow(&schema.kinds());
            let role = match spec.name.as_str() {
                _ if i == 0 => Role::Champion,
                "no_change" | "majority" | "mean" => Role::Baseline,
                _ => Role::Challenger,
            };
            let monitor = Monitor::new(config.event.task, &config.detector, config.false_alarms as f64)?;
            slots.push(Slot { spec: spec.clone(), role, learner, monitor });
        }
        Ok(Self {
            config: Arc::new(config),
            schema,
            slots,
            position: start,
            version: 0,
            counts: Counts::default(),
            last_event: EventTime(i64::MIN),
            happenings: Happenings::default(),
            workspace: Workspace::default(),
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
        let Workspace { observer, row, .. } = &mut self.workspace;
        for (index, record) in records.iter().enumerate() {
            self.version += 1;
            self.position.insert(record.from, NextOffset(record.offset + 1));
            if record.payload.is_none() {
                self.counts.tombstones += 1;
                continue;
            }
            match Schema::observe(&mut self.schema, observer, record, row) {
                Err(reason) => {
                    self.counts.rejected += 1;
                    chunk.rejected.push(Rejected { index, reason });
                }
                Ok(seen) => {
                    self.counts.events += 1;
                    self.counts.unusable_values += u64::from(seen.unusable);
                    self.last_event = self.last_event.max(seen.at);
                    let grown = seen.grown.then(|| self.schema.kinds());
                    chunk.rows(row.len(), grown).push(row, seen.at, seen.entity, seen.target);
                    chunk.learned.push(index);
                }
            }
        }
    }

    /// Every learner predicts each row of the chunk, is scored, and learns from it, in the order of the rows.
    pub fn train(&mut self, chunk: &mut Chunk) {
        let Workspace { scratch, outcomes, .. } = &mut self.workspace;
        let mut champions = std::mem::take(&mut chunk.outcomes);
        for slot in &mut self.slots {
            for segment in chunk.segments() {
                if let Some(kinds) = &segment.grown {
                    slot.learner.grow(kinds);
                }
                outcomes.clear();
                slot.learner.test_then_train(&segment.rows, scratch, outcomes);
                score(&mut slot.monitor, outcomes, segment.rows.targets());
                if slot.role == Role::Champion {
                    champions.extend_from_slice(outcomes);
                }
            }
        }
        chunk.outcomes = champions;
    }

    /// Folds a decision.
    pub fn decide(&mut self, decision: &Decision) {
        self.version += 1;
        match *decision {
            Decision::AddPartition { from, start } => {
                self.position.insert(from, start);
            }
        }
    }

    /// The model as it is, for serving.
    pub fn snapshot(&mut self) -> ModelSnapshot {
        let standings = self.slots.iter().map(Slot::standing).collect();
        let champion = &mut self.slots[0];
        ModelSnapshot {
            version: self.version,
            learner: champion.spec.to_string(),
            schema: Arc::clone(&self.schema),
            model: champion.learner.freeze(),
            standings,
            happenings: self.happenings.iter().cloned().collect(),
            live: Live::Follow,
            labels: LabelCounts::default(),
            position: self.position.clone(),
            counts: self.counts,
            last_event: self.last_event,
        }
    }
}

fn score(monitor: &mut Monitor, outcomes: &[Outcome], targets: &[Target]) {
    debug_assert_eq!(outcomes.len(), targets.len(), "a learner notes one outcome a row");
    for (outcome, target) in outcomes.iter().zip(targets) {
        monitor.observe(outcome, *target);
    }
}
