//! How well a learner does: over all its events, over the last 1,000, and fading; beside the last label again.
//!
//! One call an event, made before the learner sees the label. Classification counts a wrong class (or none) as loss 1,
//! regression the absolute error. Definitions: [`Report`]; kappa from the frequencies of labels and predictions (Cohen
//! 1960), kappa-T against the last label again (Žliobaitė et al. 2015), fading by Gama et al. 2013.
//!
//! Numbers that leave floating point (targets near ±1e308) are absent from the report, never NaN or infinite: for good
//! in the sums over all events, for 1,000 events in the rolling ones.

use features::{ClassId, Target, Task};
use serde::{Deserialize, Serialize};

use crate::rolling::Rolling;
use crate::{Outcome, Report};

/// Events of the rolling window.
pub const WINDOW: usize = 1_000;
/// What an event counts of the next in the fading loss.
const FADING: f64 = 0.999;
/// Bins of confidence.
const BINS: usize = 10;
/// The least probability that the log loss sees.
const FLOOR: f64 = 1e-15;

/// The scores of one learner.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scores {
    events: u64,
    tally: Tally,
    last: Option<Target>,
    rolling: Rolling,
    baseline: Rolling,
    fading: f64,
    fading_weight: f64,
    best: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "one a learner; a pointer would cost more")]
enum Tally {
    Classes(Classes),
    Values(Values),
}

impl Scores {
    /// No events yet.
    pub fn new(task: Task) -> Self {
        let tally = match task {
            Task::Classification => Tally::Classes(Classes::default()),
            Task::Regression => Tally::Values(Values::default()),
        };
        let (rolling, baseline) = (Rolling::new(WINDOW), Rolling::new(WINDOW));
        Self { events: 0, tally, last: None, rolling, baseline, fading: 0.0, fading_weight: 0.0, best: None }
    }

    /// Takes in what was predicted and what was right; returns the loss, and that of the no-change baseline: 0 or 1, or
    /// the absolute error (at most [`f64::MAX`]).
    ///
    /// # Panics
    /// An outcome or target of the other task.
    pub fn update(&mut self, outcome: &Outcome, target: Target) -> (f64, f64) {
        self.events += 1;
        let (loss, baseline) = match (&mut self.tally, outcome, target, self.last) {
            (Tally::Classes(classes), Outcome::Class { predicted, confidence, p_true }, Target::Class(truth), last) => {
                let same = last == Some(target);
                let right = classes.update(*predicted, *confidence, *p_true, truth, same);
                (f64::from(u8::from(!right)), f64::from(u8::from(!same)))
            }
            (Tally::Values(values), Outcome::Value(predicted), Target::Value(truth), last) => {
                let last = if let Some(Target::Value(last)) = last { last } else { 0.0 };
                (values.update(*predicted, truth, self.events as f64), (truth - last).abs().min(f64::MAX))
            }
            _ => unreachable!("scores, outcome and target are of one task"),
        };
        self.last = Some(target);
        self.rolling.push(loss);
        self.baseline.push(baseline);
        self.fading = (self.fading * FADING + loss).min(f64::MAX);
        self.fading_weight = self.fading_weight * FADING + 1.0;
        if self.rolling.is_full() {
            let sum = self.rolling.sum();
            self.best = Some(self.best.map_or(sum, |best| best.min(sum)));
        }
        (loss, baseline)
    }

    /// The learner serves from now on: the best loss so far no longer counts.
    pub fn deployed(&mut self) {
        self.best = None;
    }

    /// Events scored.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// All numbers that apply.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        if self.events == 0 {
            return report;
        }
        match &self.tally {
            Tally::Classes(classes) => classes.report(self.events as f64, &mut report),
            Tally::Values(values) => values.report(self.events as f64, &mut report),
        }
        report.rolling_loss = self.rolling.mean();
        report.fading_loss = Some(self.fading / self.fading_weight);
        report.best_loss = finite(self.best.map_or(f64::NAN, |sum| sum / WINDOW as f64));
        report.baseline_loss = self.baseline.mean();
        report
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let tally = match &self.tally {
            Tally::Classes(classes) => size_of_val(&*classes.truths) + size_of_val(&*classes.predictions),
            Tally::Values(_) => 0,
        };
        size_of::<Self>() + tally + self.rolling.bytes() + self.baseline.bytes()
    }
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// What classification counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Classes {
    right: u64,
    /// How often the last label came again.
    same: u64,
    /// Events by true class.
    truths: Vec<u64>,
    /// Events by predicted class.
    predictions: Vec<u64>,
    likelihood: Likelihood,
    bins: [Bin; BINS],
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Bin {
    right: u64,
    confidence: f64,
}

impl Classes {
    fn update(&mut self, predicted: Option<ClassId>, confidence: f64, p_true: f64, truth: ClassId, same: bool) -> bool {
        let right = predicted == Some(truth);
        self.right += u64::from(right);
        self.same += u64::from(same);
        count(&mut self.truths, truth);
        if let Some(class) = predicted {
            count(&mut self.predictions, class);
        }
        self.likelihood.push(p_true);
        let bin = &mut self.bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.right += u64::from(right);
        bin.confidence += confidence;
        right
    }

    fn report(&self, events: f64, report: &mut Report) {
        let accuracy = self.right as f64 / events;
        let same = self.same as f64 / events;
        let pairs = self.truths.iter().zip(&self.predictions);
        let chance: f64 = pairs.map(|(t, p)| (*t as f64 / events) * (*p as f64 / events)).sum();
        let gaps: f64 = self.bins.iter().map(|bin| (bin.right as f64 - bin.confidence).abs()).sum();
        report.accuracy = Some(accuracy);
        // With nothing left to win there is no kappa.
        report.kappa = finite((accuracy - chance) / (1.0 - chance));
        report.kappa_t = finite((accuracy - same) / (1.0 - same));
        report.log_loss = Some(-self.likelihood.log() / events);
        report.ece = finite(gaps / events);
    }
}

fn count(counts: &mut Vec<u64>, class: ClassId) {
    let class = class.0 as usize;
    if class >= counts.len() {
        counts.resize(class + 1, 0);
    }
    counts[class] += 1;
}

/// A product of probabilities, its logarithm taken only when it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Likelihood {
    /// The product is `product * 2^(-512 * shifts)`.
    product: f64,
    shifts: u64,
}

impl Default for Likelihood {
    fn default() -> Self {
        Self { product: 1.0, shifts: 0 }
    }
}

impl Likelihood {
    const SHIFT: f64 = f64::from_bits((1023 + 512) << 52);

    fn push(&mut self, p: f64) {
        self.product *= p.max(FLOOR);
        if self.product * Self::SHIFT < 1.0 {
            self.product *= Self::SHIFT;
            self.shifts += 1;
        }
    }

    fn log(&self) -> f64 {
        libm::log(self.product) - self.shifts as f64 * 512.0 * std::f64::consts::LN_2
    }
}

/// What regression sums up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Values {
    absolute: f64,
    squared: f64,
    /// Mean of the targets, and the sum of their squared deviations from it (Welford).
    mean: f64,
    spread: f64,
}

impl Values {
    fn update(&mut self, predicted: f64, truth: f64, events: f64) -> f64 {
        let loss = (truth - predicted).abs().min(f64::MAX);
        self.absolute += loss;
        self.squared += loss * loss;
        let off = truth - self.mean;
        self.mean += off / events;
        self.spread += off * (truth - self.mean);
        loss
    }

    fn report(&self, events: f64, report: &mut Report) {
        report.mae = finite(self.absolute / events);
        report.rmse = finite((self.squared / events).sqrt());
        report.r2 = finite(1.0 - self.squared / self.spread);
    }
}

#[cfg(test)]
mod tests;
