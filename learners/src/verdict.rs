//! Whether a learner still does what it did: its scores, a detector on its loss, and the verdict.
//!
//! An alarm makes the verdict [`Signal::Drift`] for the next 1,000 events; further alarms within them lengthen it and
//! count as the same drift. Otherwise the verdict is what the detector says. Deploying the learner ends a drift.

use features::{Target, Task};
use serde::{Deserialize, Serialize};

use crate::bounded::Bounded;
use crate::{AnyDetector, Detector, Outcome, Report, RestoreError, Scores, Section, Signal, SpecError};

/// Events that a drift is held after its last alarm.
const HOLD: u32 = 1_000;

/// Watches one learner.
#[derive(Clone, Debug)]
pub struct Monitor {
    state: State,
    detector: AnyDetector,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    scores: Scores,
    /// Only for losses without a bound.
    bounded: Option<Bounded>,
    verdict: Signal,
    /// Events for which a drift is still held.
    held: u32,
    drifts: u64,
}

impl Monitor {
    /// Nothing observed yet. `detector`: `name:key=value,…` of the catalog of detectors.
    ///
    /// # Errors
    /// An unknown detector or parameter, a value out of range.
    pub fn new(task: Task, detector: &str) -> Result<Self, SpecError> {
        let bounded = (task == Task::Regression).then(Bounded::default);
        let scores = Scores::new(task);
        let state = State { scores, bounded, verdict: Signal::Stable, held: 0, drifts: 0 };
        Ok(Self { state, detector: AnyDetector::build(detector)? })
    }

    /// Takes in what was predicted and what was right, before the learner learns it.
    pub fn observe(&mut self, outcome: &Outcome, target: Target) {
        let state = &mut self.state;
        let loss = state.scores.update(outcome, target);
        let loss = match &mut state.bounded {
            None => Some(loss),
            Some(bounded) => bounded.map(loss),
        };
        let signal = loss.map_or(Signal::Stable, |loss| self.detector.update(loss));
        if signal == Signal::Drift {
            state.drifts += u64::from(state.held == 0);
            state.held = HOLD;
        } else {
            state.held = state.held.saturating_sub(1);
        }
        state.verdict = if state.held > 0 { Signal::Drift } else { signal };
    }

    /// What to think of the learner now.
    pub fn verdict(&self) -> Signal {
        self.state.verdict
    }

    /// How often it has drifted.
    pub fn drifts(&self) -> u64 {
        self.state.drifts
    }

    /// Its scores.
    pub fn report(&self) -> Report {
        self.state.scores.report()
    }

    /// The learner serves from now on: its best loss is counted anew, a drift held is over.
    pub fn deployed(&mut self) {
        self.state.scores.deployed();
        (self.state.verdict, self.state.held) = (Signal::Stable, 0);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.state.scores.bytes()
            + self.state.bounded.as_ref().map_or(0, Bounded::bytes)
            + self.detector.bytes()
    }

    /// Appends the saved form: `monitor`, and a section named after the detector.
    pub fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("monitor", 1, &self.state));
        self.detector.save(out);
    }

    /// Takes over the state that [`Monitor::save`] wrote; `self` is new, of the same task and detector.
    ///
    /// # Errors
    /// A section that is missing, of an unknown version, or unreadable.
    pub fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        self.state = Section::read(sections, "monitor", 1)?;
        self.detector.restore(sections)
    }
}
