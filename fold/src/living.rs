//! What is done about decay: after every loss, in the order of rows, so that batches and restarts change nothing.
//!
//! When the champion's verdict becomes a warning, a fresh challenger of its specification begins to learn. It leaves
//! when the warning passes. A drift confirms it, or begins one if none is younger than [`FRESH`]: then it has [`LIFE`]
//! losses, whatever warnings come and pass meanwhile. There is one at a time.
//!
//! Every challenger is held against the champion by [`learners::Promotion`] from its birth on; the first one that is
//! better by it is promoted. The old champion goes on as a challenger, for [`LIFE`] losses if the new one has taken its
//! place. With [`OnDrift::Alert`] it is only told.

use std::collections::VecDeque;

use learners::{Evidence, Signal};
use serde::{Deserialize, Serialize};

use crate::OnDrift;
use crate::happening::What;
use crate::slot::Slot;

/// Losses that a fresh challenger, or a champion that was replaced by its like, has to prove itself.
pub(crate) const LIFE: u64 = 20_000;
/// A fresh challenger older than this is no answer to a new drift.
const FRESH: u64 = 5_000;
/// How often the champion's loss is noted to know later what it was, and how many notes are kept.
const NOTE_EVERY: u64 = 128;
const NOTES: usize = 64;
/// Losses after a promotion until its effect is told, and the blocks in which the served loss is watched until then.
const EFFECT: u64 = 1_000;
const BLOCK: u64 = 100;

/// What a loss asks to do about the fresh challenger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// A fresh challenger is to learn from the next row on, unless there is one.
    Begin,
    /// The fresh challenger is to have its whole life; one that is too old leaves, and another begins.
    Confirm,
    /// The fresh challenger was for nothing, unless it was confirmed.
    End,
}

/// Mean of some losses.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    fn push(&mut self, loss: f64) {
        self.sum += loss;
        self.count += 1;
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// A promotion whose effect is being measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Effect {
    before: Option<f64>,
    at: Option<f64>,
    after: Mean,
    block: Mean,
    recovered_after: Option<u64>,
}

/// The champion's state of health as far as it decides what is done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Living {
    verdict: Signal,
    /// Losses of the champion, and each time its fading mean.
    notes: VecDeque<(u64, f64)>,
    /// The champion's loss since the drift was raised.
    since_drift: Mean,
    /// Its fading mean before the drift.
    before: Option<f64>,
    effect: Option<Effect>,
}

impl Living {
    /// Takes in the champion's loss; tells what has happened, and asks for what is to be done.
    pub(crate) fn after_loss(
        &mut self,
        champion: &Slot,
        loss: f64,
        on_drift: OnDrift,
        mut tell: impl FnMut(What),
    ) -> Option<Act> {
        let name = || champion.name();
        let monitor = &champion.monitor;
        let (was, now) = (std::mem::replace(&mut self.verdict, monitor.verdict()), monitor.verdict());
        let mut act = None;
        if was == Signal::Drift && now != Signal::Drift {
            if let Some((incident, (ended, end))) = monitor.incident().and_then(|i| Some((i, i.end?))) {
                tell(What::DriftOver { learner: name(), end, lasted: ended - incident.at });
            }
            (self.before, self.since_drift) = (None, Mean::default());
        }
        match (was, now) {
            (Signal::Stable | Signal::Drift, Signal::Warning) => {
                tell(What::Warning { learner: name() });
                act = Some(Act::Begin);
            }
            (Signal::Warning, Signal::Stable) => {
                tell(What::WarningOver { learner: name() });
                act = Some(Act::End);
            }
            (Signal::Stable | Signal::Warning, Signal::Drift) => {
                if let Some(incident) = monitor.incident() {
                    self.before = self.noted_before(incident.onset);
                    tell(What::Drift { learner: name(), incident: incident.clone() });
                }
                act = Some(Act::Confirm);
            }
            _ => {}
        }
        if now == Signal::Drift {
            self.since_drift.push(loss);
        }
        self.note(champion);
        if let Some(effect) = &mut self.effect {
            effect.push(loss);
            if effect.after.count == EFFECT {
                tell(What::Effect {
                    learner: name(),
                    before: effect.before,
                    at: effect.at,
                    after: effect.after.sum / EFFECT as f64,
                    recovered_after: effect.recovered_after,
                });
                self.effect = None;
            }
        }
        act.filter(|_| on_drift == OnDrift::Challenge)
    }

    /// Another learner serves from now on; `rolling` is the old champion's loss.
    pub(crate) fn promoted(&mut self, rolling: Option<f64>) {
        self.effect = Some(Effect {
            before: self.before,
            at: self.since_drift.get().or(rolling),
            after: Mean::default(),
            block: Mean::default(),
            recovered_after: None,
        });
        let effect = self.effect.take();
        *self = Self { effect, ..Self::default() };
    }

    fn note(&mut self, champion: &Slot) {
        let losses = champion.monitor.losses();
        if losses.is_multiple_of(NOTE_EVERY)
            && let Some(fading) = champion.monitor.fading_loss()
        {
            if self.notes.len() == NOTES {
                self.notes.pop_front();
            }
            self.notes.push_back((losses, fading));
        }
    }

    /// The fading loss noted last before so many losses.
    fn noted_before(&self, losses: u64) -> Option<f64> {
        let before = self.notes.iter().rev().find(|(at, _)| *at <= losses);
        before.or(self.notes.front()).map(|(_, loss)| *loss)
    }
}

impl Effect {
    fn push(&mut self, loss: f64) {
        self.after.push(loss);
        self.block.push(loss);
        if self.block.count == BLOCK {
            let mean = self.block.sum / BLOCK as f64;
            self.block = Mean::default();
            if let (Some(before), Some(at), None) = (self.before, self.at, self.recovered_after)
                && (mean - before).abs() < (mean - at).abs()
            {
                self.recovered_after = Some(self.after.count);
            }
        }
    }
}

/// The challenger to promote: of those with enough evidence the one with most of it.
pub(crate) fn strongest(found: impl Iterator<Item = (usize, Evidence)>) -> Option<(usize, Evidence)> {
    found.reduce(|best, next| if next.1.log_e > best.1.log_e { next } else { best })
}

/// Whether a fresh challenger is one that still answers a drift now.
pub(crate) fn is_fresh(since: u64, events: u64) -> bool {
    events - since <= FRESH
}
