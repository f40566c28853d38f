//! How well a learner does: over all its events, over the last 1,000, and fading; beside the last label again.
//!
//! One call an event, made before the learner sees the label. Classification counts a wrong class (or none) as loss 1,
//! regression the absolute error. Every score is a file here: a function of what [`tally::Tally`] counts, or
//! [`totals::Totals`] sums up, over a set of events, of which there are three. Fading by Gama et al. 2013.
//!
//! Numbers that leave floating point (targets near ±1e308) are absent from the report, never NaN or infinite: for good
//! in the sums over all events, for 1,000 events in the rolling ones.

mod accuracy;
mod auc;
mod brier;
mod classes;
mod ece;
mod f1;
mod kappa;
mod kappa_m;
mod kappa_t;
mod log_loss;
mod mae;
mod mase;
mod mcc;
mod pinball;
mod r2;
mod rmse;
mod spread;
mod tally;
mod totals;
mod values;

use features::{Target, Task};
use serde::{Deserialize, Serialize};

use self::classes::Classes;
use self::values::Values;
use crate::{Outcome, Report};

/// Events of the rolling window.
pub const WINDOW: usize = 1_000;
/// What an event counts of the next in fading scores.
const FADING: f64 = 0.999;

/// The scores of one learner.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scores {
    events: u64,
    kept: Kept,
    /// The lowest sum of losses over a full window.
    best: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "one a learner; a pointer would cost more")]
enum Kept {
    Classes(Classes),
    Values(Values),
}

impl Scores {
    /// No events yet.
    pub fn new(task: Task) -> Self {
        let kept = match task {
            Task::Classification => Kept::Classes(Classes::default()),
            Task::Regression => Kept::Values(Values::default()),
        };
        Self { events: 0, kept, best: None }
    }

    /// Takes in what was predicted and what was right; returns the loss, and that of the no-change baseline: 0 or 1, or
    /// the absolute error (at most [`f64::MAX`]).
    ///
    /// # Panics
    /// An outcome or target of the other task.
    pub fn update(&mut self, outcome: &Outcome, target: Target) -> (f64, f64) {
        self.events += 1;
        let (losses, window) = match (&mut self.kept, target) {
            (Kept::Classes(classes), Target::Class(truth)) => (classes.update(outcome, truth), classes.full_window()),
            (Kept::Values(values), Target::Value(truth)) => (values.update(outcome, truth), values.full_window()),
            _ => unreachable!("scores, outcome and target are of one task"),
        };
        if let Some(sum) = window {
            self.best = Some(self.best.map_or(sum, |best| best.min(sum)));
        }
        losses
    }

    /// The learner serves from now on: the best loss so far no longer counts.
    pub fn deployed(&mut self) {
        self.best = None;
    }

    /// Events scored.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// [`Report::rolling_loss`] alone.
    pub fn rolling_loss(&self) -> Option<f64> {
        match &self.kept {
            Kept::Classes(classes) => classes.rolling_loss(),
            Kept::Values(values) => values.rolling_loss(),
        }
    }

    /// [`Report::fading_loss`] alone.
    pub fn fading_loss(&self) -> Option<f64> {
        match &self.kept {
            Kept::Classes(classes) => classes.fading_loss(),
            Kept::Values(values) => values.fading_loss(),
        }
    }

    /// What is added to the next prediction for the ends of its interval, as far as it is known; of regression only.
    pub fn ends(&self) -> Option<[f64; 2]> {
        match &self.kept {
            Kept::Classes(_) => None,
            Kept::Values(values) => Some(values.ends()),
        }
    }

    /// Whether a report does not have to go over all events of the window.
    pub fn report_is_cheap(&self) -> bool {
        matches!(self.kept, Kept::Values(_))
    }

    /// All numbers that apply.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        if self.events == 0 {
            return report;
        }
        match &self.kept {
            Kept::Classes(classes) => classes.report(&mut report),
            Kept::Values(values) => values.report(&mut report),
        }
        (report.rolling_loss, report.fading_loss) = (self.rolling_loss(), self.fading_loss());
        report.best_loss = finite(self.best.map_or(f64::NAN, |sum| sum / WINDOW as f64));
        report
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.kept {
                Kept::Classes(classes) => classes.bytes(),
                Kept::Values(values) => values.bytes(),
            }
    }
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

#[cfg(test)]
mod tests;
