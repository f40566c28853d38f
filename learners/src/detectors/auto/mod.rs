//! The default detector: has the loss risen for good, beyond what autocorrelation and seasons explain?
//!
//! Every 8 losses, once there are 512, all cuts of the losses into an older and a newer part are scored by the
//! likelihood ratio of two means against one (`ratio.rs`), over an exponential histogram (`histogram.rs`). The score is
//! divided by the inflation that autocorrelation causes (`tau.rs`), and a rise has to exceed what a season explains
//! (`season.rs`) by `min_effect`.
//!
//! - A fall is no alarm: from a score of 8 on the part after it serves as a second reference, from 12 on the part before
//!   is forgotten.
//! - A rise is a warning from 6 on (until the score is below 3), and drift from `h = ln(budget) - 0.1` on: one
//!   incident. What came before the change becomes the base.
//! - In drift a further rise escalates; `recovery.rs` says when it is over: stable again, with the base. 4,000 losses
//!   without (since the alarm, the last escalation or fall): stable again, the new level is normal.
//!
//! `h` is calibrated by simulation (docs/benchmarks.md), not proved. Losses are 0 or 1, or real in 0..=1.
//!
//! Cost: a loss takes about five times as long as with ADWIN; 5.2 KiB and 56 bytes for each doubling of the losses since the last change.

mod former;
mod histogram;
mod ratio;
mod recovery;
mod season;
mod tau;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::incident::{Change, Turn};
use crate::{Detector, Params, Signal, SpecError};
pub(super) use former::Former;
use histogram::{Histogram, Lot};
use ratio::{Cut, Guard};
use recovery::Recovery;
use season::Season;
use tau::Tau;

/// Losses between two checks, and before the first.
const CLOCK: u64 = 8;
const WARM_UP: f64 = 512.0;
/// Scores of a rise.
const WARNING: f64 = 6.0;
const CALM: f64 = 3.0;
/// Scores of a fall.
const MARK: f64 = 8.0;
const FORGET: f64 = 12.0;
/// Losses after which a risen loss is the new normal.
const PATIENCE: u64 = 4_000;

/// The detector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Auto {
    threshold: f64,
    min_effect: f64,
    seen: u64,
    histogram: Histogram,
    base: Option<Lot>,
    /// Losses since the last mark of a fall.
    mark: Option<u64>,
    tau: Tau,
    season: Season,
    warning: bool,
    drift: Option<Drift>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Drift {
    /// Losses since the alarm, the last escalation or fall.
    age: u64,
    recovery: Recovery,
}

impl Auto {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "auto",
        idea: "likelihood ratio of the loss before and after every moment, guarded against autocorrelation and seasons",
        cost: "about five times the time of adwin a loss, 5.2 KiB and 56 bytes for each doubling of the losses since the last change",
        paper: "docs/benchmarks.md, section Decay detectors",
        keeps_budget: true,
        budget: "by the threshold ln(budget) - 0.1",
        params: &[
            ParamInfo {
                name: "budget",
                range: "1e3..1e12",
                default: "of false_alarms",
                help: "losses for one false alarm",
            },
            ParamInfo { name: "min_effect", range: "0..0.5", default: "0.01", help: "the least rise that counts" },
        ],
    };

    /// Layout of the saved state; 1: [`Former`].
    pub(super) const LAYOUT: u16 = 2;
    /// Losses for one false alarm.
    pub const BUDGET: f64 = 1_000_000.0;
    /// The least rise that counts.
    pub const MIN_EFFECT: f64 = 0.01;

    /// Nothing observed yet. `budget` ≥ 1,000; `0 <= min_effect < 1`.
    pub fn new(budget: f64, min_effect: f64) -> Self {
        Self {
            threshold: libm::log(budget) - 0.1,
            min_effect,
            seen: 0,
            histogram: Histogram::default(),
            base: None,
            mark: None,
            tau: Tau::new(),
            season: Season::default(),
            warning: false,
            drift: None,
        }
    }

    pub(super) fn build(params: &Params<'_>, budget: Option<f64>) -> Result<Self, SpecError> {
        let budget = budget.unwrap_or(Self::BUDGET).clamp(1e3, 1e12);
        let budget = params.number("budget", budget, 1e3, 1e12)?;
        Ok(Self::new(budget, params.number("min_effect", Self::MIN_EFFECT, 0.0, 0.5)?))
    }

    /// What the detector says now: drift as long as an incident is open.
    pub fn signal(&self) -> Signal {
        match (&self.drift, self.warning) {
            (Some(_), _) => Signal::Drift,
            (None, true) => Signal::Warning,
            (None, false) => Signal::Stable,
        }
    }

    /// Takes in the next loss (0..=1), and says what it changes.
    pub fn step(&mut self, loss: f64) -> Option<Turn> {
        self.seen += 1;
        self.histogram.push(loss);
        self.mark = self.mark.map(|newer| newer + 1);
        self.tau.push(loss);
        self.season.push(loss, self.tau.tau * self.tau.variance);
        if let Some(drift) = &mut self.drift {
            drift.age += 1;
            if drift.recovery.push(loss, &self.tau) {
                self.histogram = Histogram::default();
                (self.drift, self.mark) = (None, None);
                return Some(Turn::Over);
            }
            if drift.age >= PATIENCE {
                (self.drift, self.base) = (None, None);
                return Some(Turn::Rebaselined(self.histogram.total().mean()));
            }
        }
        if self.seen.is_multiple_of(CLOCK) { self.check() } else { None }
    }

    fn guard(&self) -> Guard {
        let (swing, tau) = (self.season.swing, self.tau.tau);
        let least_newer = if tau > 1.0 { 32.0 * tau } else { 4.0 };
        Guard { effect: self.min_effect + swing, swing, phi: self.tau.phi, least_newer }
    }

    fn check(&mut self) -> Option<Turn> {
        let guard = self.guard();
        // In drift the base is another world.
        let base = self.base.filter(|_| self.drift.is_none()).unwrap_or_default();
        let rows = self.histogram.total();
        let total = Lot { count: base.count + rows.count, sum: base.sum + rows.sum };
        if total.count < WARM_UP {
            return None;
        }
        let least = if self.warning { CALM } else { WARNING.next_down() };
        let mut rise = Cut { score: least, ..Cut::default() };
        let mut fall = Cut { score: MARK, ..Cut::default() };
        let base = (base.count > 0.0).then_some(base);
        guard.scan(base.into_iter().chain(self.histogram.lots()), total, &mut rise, &mut fall);
        if let Some(newer) = self.mark {
            let (lots, total) = self.since(newer as f64, rows);
            guard.scan(lots, total, &mut rise, &mut fall);
        }
        if fall.score > MARK {
            self.fallen(&fall);
        }
        if rise.score >= self.threshold {
            return Some(self.risen(&rise, guard.effect));
        }
        let warned = if self.warning { rise.score > CALM } else { rise.score >= WARNING };
        self.warning = warned && self.drift.is_none();
        None
    }

    /// The lots whose losses are all among the newest `newer` of `total`, and their total.
    fn since(&self, newer: f64, mut total: Lot) -> (impl Iterator<Item = Lot>, Lot) {
        let mut skip = 0;
        for lot in self.histogram.lots() {
            if total.count <= newer {
                break;
            }
            total.count -= lot.count;
            total.sum -= lot.sum;
            skip += 1;
        }
        (self.histogram.lots().skip(skip), total)
    }

    fn fallen(&mut self, cut: &Cut) {
        let newer = cut.newer.count as u64;
        if cut.score < FORGET {
            self.mark = Some(newer);
            return;
        }
        self.histogram.keep(newer);
        self.mark = self.mark.filter(|mark| *mark < newer);
        match &mut self.drift {
            Some(drift) => drift.age = 0,
            None => self.base = None,
        }
    }

    fn risen(&mut self, cut: &Cut, effect: f64) -> Turn {
        let (newer, after) = (cut.newer.count as u64, cut.newer.mean());
        self.histogram.keep(newer);
        (self.warning, self.mark) = (false, None);
        let escalated = self.drift.is_some();
        if !escalated {
            self.base = Some(cut.older);
        }
        let before = self.base.unwrap_or_default().mean();
        self.drift = Some(Drift { age: 0, recovery: Recovery::new(before, after, effect) });
        let change = Change { newer, before, after };
        if escalated { Turn::Escalated(change) } else { Turn::Raised(change) }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.histogram.bytes() + self.season.bytes()
    }
}

impl Detector for Auto {
    fn update(&mut self, loss: f64) -> Signal {
        self.step(loss);
        self.signal()
    }
}
