//! A learner of the model with what watches it.

use std::sync::Arc;

use features::Schema;
use learners::{AnyLearner, Learner, LearnerSpec, Monitor, Outcome, Prediction, Promotion, Scratch, SpecError};

use crate::chunk::{Segment, Step};
use crate::snapshot::INPUTS;
use crate::waiting::{Ready, Waiting};
use crate::{FoldConfig, LateReport, Role, Standing};

/// The chance that a challenger which is no better is ever promoted; shared by those that challenge at once.
const ALPHA: f64 = 0.05;

/// One learner.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Never used twice within a model.
    pub(crate) id: u32,
    pub(crate) spec: LearnerSpec,
    /// 1 for the first learner of this specification.
    pub(crate) generation: u32,
    pub(crate) role: Role,
    /// One of those that the configuration names, or what has taken its place.
    pub(crate) configured: bool,
    /// Never was champion.
    pub(crate) fresh: bool,
    /// Fresh, and a drift came of the warning that it was born of.
    pub(crate) confirmed: bool,
    /// Events learned from when it was born.
    pub(crate) since: u64,
    /// Losses after which it leaves, unless it is promoted before.
    pub(crate) expires: Option<u64>,
    /// What speaks for promoting it; challengers alone have it.
    pub(crate) promotion: Option<Promotion>,
    pub(crate) learner: AnyLearner,
    pub(crate) monitor: Monitor,
    /// What it said about the rows of the chunk at hand, from row `outcomes_from` on. Not part of the state.
    outcomes: Vec<Outcome>,
    outcomes_from: usize,
    /// Which of these rows it was not asked about; their outcome is made up.
    unasked: Vec<usize>,
}

impl Slot {
    pub(crate) fn new(config: &FoldConfig, id: u32, spec: &LearnerSpec, role: Role) -> Result<Self, SpecError> {
        let task = config.event.task;
        let max_bytes = usize::try_from(config.max_bytes).unwrap_or(usize::MAX);
        Ok(Self {
            id,
            spec: spec.clone(),
            generation: 1,
            role,
            configured: true,
            fresh: false,
            confirmed: false,
            since: 0,
            expires: None,
            promotion: (role == Role::Challenger).then(|| challenge(config)),
            learner: AnyLearner::build(spec, task, config.seed, max_bytes)?,
            monitor: Monitor::new(task, &config.detector, config.false_alarms as f64)?,
            outcomes: Vec::new(),
            outcomes_from: 0,
            unasked: Vec::new(),
        })
    }

    /// What it is called in this model.
    pub(crate) fn name(&self) -> String {
        if self.generation == 1 { self.spec.to_string() } else { format!("{}#{}", self.spec, self.generation) }
    }

    /// Born of a warning, and not promoted since.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// What it will say is about the rows of a chunk from this one on.
    pub(crate) fn begin_chunk(&mut self, from: usize) {
        self.outcomes.clear();
        self.unasked.clear();
        self.outcomes_from = from;
    }

    /// What it said about row `i` of the chunk at hand, if it was there and asked.
    pub(crate) fn outcome(&self, i: usize) -> Option<Outcome> {
        let i = i.checked_sub(self.outcomes_from)?;
        let asked = self.unasked.is_empty() || self.unasked.binary_search(&i).is_err();
        self.outcomes.get(i).filter(|_| asked).copied()
    }

    /// Predicts each row of the chunk from row `row` of segment `segment` on, notes what it said, and learns it.
    pub(crate) fn study(&mut self, segments: &[Segment], (segment, row): (usize, usize), scratch: &mut Scratch) {
        let mut prediction = Prediction::default();
        for (s, Segment { grown, rows }) in segments.iter().enumerate().skip(segment) {
            if s > segment || row == 0 {
                if let Some(kinds) = grown {
                    self.learner.grow(kinds);
                }
                self.learner.test_then_train(rows, scratch, &mut self.outcomes);
                continue;
            }
            for (row, target) in rows.iter().skip(row) {
                self.learner.predict_into(&row, scratch, &mut prediction);
                self.outcomes.push(Outcome::of(&prediction, target));
                self.learner.learn(&row, target, 1.0);
            }
        }
    }

    /// Goes through steps where labels come later: what it says about a row waits with the row.
    pub(crate) fn follow(&mut self, steps: &[Step], waiting: &mut Waiting, scratch: &mut Scratch) {
        let (mut prediction, mut memory) = (Prediction::default(), Vec::new());
        for step in steps {
            match step {
                Step::Grow(kinds) => self.learner.grow(kinds),
                Step::Predict(number) => {
                    // It may have left already, with every row of its block.
                    if let Some(row) = waiting.row(*number) {
                        memory.clear();
                        self.learner.remember(&row, scratch, &mut prediction, &mut memory);
                        waiting.attach(*number, self.id, &prediction);
                        if !memory.is_empty() {
                            waiting.attach_memory(*number, self.id, &memory);
                        }
                    }
                }
                Step::Learn(Ready { row, target }) => {
                    if waiting.prediction(*row, self.id, &mut prediction) {
                        self.outcomes.push(Outcome::of(&prediction, *target));
                    } else {
                        self.unasked.push(self.outcomes.len());
                        self.outcomes.push(Outcome::Value(0.0));
                    }
                    let kept = waiting.memory(*row, self.id);
                    let row = waiting.row(*row).expect("it is held until it is learned");
                    match kept {
                        Some(memory) => self.learner.learn_remembered(&row, memory, *target, 1.0),
                        None => self.learner.learn(&row, *target, 1.0),
                    }
                }
            }
        }
    }

    /// `schema` knows what columns and classes are called.
    pub(crate) fn standing(&self, schema: Option<&Arc<Schema>>) -> Standing {
        let explanation = self.learner.explain();
        let field = |column: usize| Some(&*schema?.fields().get(column)?.name);
        Standing {
            learner: self.name(),
            role: self.role,
            since: self.since,
            report: LateReport::of(self.monitor.scores(), schema),
            verdict: self.monitor.verdict(),
            drifts: self.monitor.drifts(),
            incident: self.monitor.incident().cloned(),
            evidence: self.promotion.as_ref().map(Promotion::evidence),
            evidence_needed: self.promotion.as_ref().map(Promotion::threshold),
            bytes: self.learner.bytes(),
            inputs: explanation.inputs(field, INPUTS),
            members: explanation.members,
        }
    }
}

/// A challenger's test against the champion, from now on.
pub(crate) fn challenge(config: &FoldConfig) -> Promotion {
    // Those of the configuration, and one that is fresh or was champion.
    let challengers = config.challengers.len() + 1;
    Promotion::new(config.event.task, ALPHA / challengers as f64, f64::from(config.min_gain_ppm) / 1e6)
}

/// Whether the learner of this name is what any model must beat, not one to serve.
pub(crate) fn is_baseline(spec: &LearnerSpec) -> bool {
    matches!(spec.name.as_str(), "no_change" | "majority" | "mean")
}
