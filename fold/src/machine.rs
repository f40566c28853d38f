//! The fold itself: the state, and how a batch or a decision changes it.

use std::sync::Arc;

use features::{EventTime, Kind, NextOffset, Record, Schema, Target};
use learners::{Evidence, Learner, LearnerSpec, Scratch, SpecError};
use thiserror::Error;

use crate::chunk::Segment;
use crate::happening::Happenings;
use crate::living::{Act, LIFE, Living, Moment, is_fresh, strongest};
use crate::slot::{Slot, challenge, is_baseline};
use crate::{
    Chunk, Counts, Decision, FoldConfig, LabelCounts, Live, ModelSnapshot, OnDrift, Position, Rejected, Role, Standing,
    What,
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
struct Workspace {
    observer: features::Observer,
    row: Vec<f64>,
    scratch: Scratch,
    found: Vec<(usize, Evidence)>,
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
    workspace: Workspace,
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
            config: Arc::new(config),
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
        chunk.began = (self.version, self.counts.events);
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
                    let target = seen.target.expect("the label is in the event");
                    let grown = seen.grown.then(|| self.schema.kinds());
                    chunk.rows(row.len(), grown).push(row, seen.at, seen.entity, target);
                    chunk.learned.push(index);
                }
            }
        }
    }

    /// Every learner predicts each row of the chunk, is scored, and learns from it, in the order of the rows; what is to
    /// be done about decay is done between two rows.
    pub fn train(&mut self, chunk: &mut Chunk) {
        let mut said = std::mem::take(&mut chunk.outcomes);
        for slot in &mut self.slots {
            slot.outcomes.clear();
            slot.outcomes_from = 0;
            slot.study(chunk.segments(), (0, 0), &mut self.workspace.scratch);
        }
        let mut champion = self.champion();
        let mut place = 0;
        for (s, Segment { grown, rows }) in chunk.segments().iter().enumerate() {
            if let Some(kinds) = grown {
                self.kinds.clone_from(kinds);
            }
            for (i, (row, target)) in rows.iter().enumerate() {
                said.extend(self.slots[champion].outcome(place));
                let moment = Moment {
                    version: chunk.began.0 + chunk.learned[place] as u64 + 1,
                    events: chunk.began.1 + place as u64 + 1,
                    at: row.at,
                };
                place += 1;
                if self.judge(champion, place - 1, target, moment) {
                    if let Some(fresh) = self.slots.last_mut().filter(|slot| slot.since == moment.events) {
                        fresh.outcomes_from = place;
                        fresh.study(chunk.segments(), (s, i + 1), &mut self.workspace.scratch);
                    }
                    champion = self.champion();
                }
            }
        }
        chunk.outcomes = said;
    }

    /// Scores what every learner had said about a row and does what follows from it. True if the learners, or the role
    /// of one, changed.
    fn judge(&mut self, champion: usize, place: usize, target: Target, moment: Moment) -> bool {
        let on_drift = self.config.on_drift;
        let slot = &mut self.slots[champion];
        let Some(outcome) = slot.outcome(place) else { return false };
        let loss = slot.monitor.observe(&outcome, target);
        let found = &mut self.workspace.found;
        found.clear();
        let mut leaves = false;
        for (i, slot) in self.slots.iter_mut().enumerate() {
            let Some(outcome) = slot.outcome(place).filter(|_| i != champion) else { continue };
            let own = slot.monitor.observe(&outcome, target);
            found.extend(slot.promotion.as_mut().and_then(|test| Some((i, test.observe(loss, own)?))));
            if let Some(left) = &mut slot.expires {
                *left -= 1;
                leaves |= *left == 0;
            }
        }
        let promoted = strongest(found.drain(..)).filter(|_| on_drift == OnDrift::Challenge);
        let happenings = &mut self.happenings;
        let act = self.living.after_loss(&self.slots[champion], loss, on_drift, |what| happenings.note(moment, what));
        let changed = act.is_some() || promoted.is_some() || leaves;
        if let Some((challenger, evidence)) = promoted {
            self.promote(challenger, Some(evidence), moment);
        }
        if leaves {
            self.drop_slots(moment, |slot| slot.expires == Some(0));
        }
        match act.filter(|_| promoted.is_none()) {
            Some(Act::BeginFresh) => self.begin_fresh(moment),
            Some(Act::EndFresh) => self.slots.retain(|slot| !slot.is_fresh()),
            None => {}
        }
        changed
    }

    /// The champion's place among the learners.
    fn champion(&self) -> usize {
        self.slots.iter().position(|slot| slot.role == Role::Champion).expect("there is always one")
    }

    /// A learner of the champion's specification begins anew beside it, unless one did so lately.
    fn begin_fresh(&mut self, moment: Moment) {
        if self.slots.iter().any(|slot| slot.is_fresh() && is_fresh(slot.since, moment.events)) {
            return;
        }
        self.drop_slots(moment, Slot::is_fresh);
        let spec = self.slots[self.champion()].spec.clone();
        let generation = self.slots.iter().filter(|slot| slot.spec == spec).map(|slot| slot.generation).max();
        let mut slot = Slot::new(&self.config, self.born, &spec, Role::Challenger).expect("one like it was built");
        slot.generation = generation.unwrap_or(0) + 1;
        (slot.configured, slot.fresh, slot.since, slot.expires) = (false, true, moment.events, Some(LIFE));
        slot.learner.grow(&self.kinds);
        self.born += 1;
        self.happenings.note(moment, What::Challenger { learner: slot.name() });
        self.slots.push(slot);
    }

    fn drop_slots(&mut self, moment: Moment, leaves: impl Fn(&Slot) -> bool) {
        for slot in self.slots.extract_if(.., |slot| leaves(slot)) {
            self.happenings.note(moment, What::Dropped { learner: slot.name() });
        }
    }

    fn promote(&mut self, place: usize, evidence: Option<Evidence>, moment: Moment) {
        let champion = self.champion();
        let (from, to) = (self.slots[champion].name(), self.slots[place].name());
        self.happenings.note(moment, What::Promotion { from, to, evidence });
        self.living.promoted(self.slots[champion].monitor.report().rolling_loss);
        let successor = !self.slots[place].configured && self.slots[place].spec == self.slots[champion].spec;
        let old = &mut self.slots[champion];
        old.role = if is_baseline(&old.spec) { Role::Baseline } else { Role::Challenger };
        if successor {
            (old.configured, old.expires) = (false, Some(LIFE));
        }
        let new = &mut self.slots[place];
        (new.role, new.fresh, new.expires) = (Role::Champion, false, None);
        new.configured |= successor;
        new.monitor.deployed();
        // Held against another champion, every challenger begins anew.
        for slot in &mut self.slots {
            slot.promotion = (slot.role == Role::Challenger).then(|| challenge(&self.config));
        }
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
            labels: LabelCounts::default(),
            position: self.position.clone(),
            counts: self.counts,
            last_event: self.last_event,
        }
    }
}
