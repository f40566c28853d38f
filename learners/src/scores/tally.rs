//! What scores of classification are made of: counts over a set of events, each with a weight.

use serde::{Deserialize, Serialize};

use crate::outcome::{RANKED, RANKS};

/// Bins of confidence.
pub(super) const BINS: usize = 10;
/// No class was predicted.
pub(super) const NOBODY: u32 = u32::MAX;

/// One event, as far as it counts. Its numbers are multiples of 2⁻³² and small, so that sums over a window are exact,
/// and so is taking an event out of them again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub truth: u32,
    /// [`NOBODY`] if no class was known.
    pub predicted: u32,
    /// The last label came again.
    pub same: bool,
    /// It was the most frequent label so far.
    pub common: bool,
    pub confidence: f64,
    pub log_loss: f64,
    pub brier: f64,
    pub ranks: [u8; RANKED],
}

/// Counts of some events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub events: f64,
    pub right: f64,
    pub same: f64,
    pub common: f64,
    pub log_loss: f64,
    pub brier: f64,
    pub bins: [Bin; BINS],
    pub classes: Vec<ClassTally>,
    /// For each class and rank of its probability: events that have other labels, and that have its. Of no class if there
    /// are more than are ranked.
    pub ranks: Vec<[f64; 2]>,
}

/// Events by confidence.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Bin {
    pub right: f64,
    pub confidence: f64,
}

/// Events by class.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct ClassTally {
    pub truths: f64,
    pub predictions: f64,
    pub right: f64,
}

impl Tally {
    /// So many classes are known from now on: none of the events had another label, nor gave it a probability.
    pub fn know(&mut self, classes: usize) {
        self.classes.resize(classes, ClassTally::default());
        if classes > RANKED {
            self.ranks = Vec::new();
        }
        while classes <= RANKED && self.ranks.len() < classes * RANKS {
            self.ranks.push([self.events, 0.0]);
            self.ranks.resize(self.ranks.len() + RANKS - 1, [0.0; 2]);
        }
    }

    /// Takes in an event of known classes.
    pub fn add(&mut self, event: &Event, weight: f64) {
        let right = if event.predicted == event.truth { weight } else { 0.0 };
        let only = |flag: bool| if flag { weight } else { 0.0 };
        self.events += weight;
        self.right += right;
        self.same += only(event.same);
        self.common += only(event.common);
        self.log_loss += weight * event.log_loss;
        self.brier += weight * event.brier;
        let bin = &mut self.bins[((event.confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.right += right;
        bin.confidence += weight * event.confidence;
        let truth = &mut self.classes[event.truth as usize];
        truth.truths += weight;
        truth.right += right;
        if event.predicted != NOBODY {
            self.classes[event.predicted as usize].predictions += weight;
        }
        for (class, (places, rank)) in self.ranks.chunks_exact_mut(RANKS).zip(event.ranks).enumerate() {
            places[usize::from(rank)][usize::from(class == event.truth as usize)] += weight;
        }
    }

    /// Counts each event `by` as much: a power of two, so that nothing is rounded.
    pub fn scale(&mut self, by: f64) {
        let sums = [&mut self.events, &mut self.right, &mut self.same, &mut self.common];
        sums.into_iter().chain([&mut self.log_loss, &mut self.brier]).for_each(|x| *x *= by);
        self.bins.iter_mut().for_each(|bin| *bin = Bin { right: bin.right * by, confidence: bin.confidence * by });
        for class in &mut self.classes {
            let ClassTally { truths, predictions, right } = *class;
            *class = ClassTally { truths: truths * by, predictions: predictions * by, right: right * by };
        }
        self.ranks.iter_mut().flatten().for_each(|x| *x *= by);
    }

    /// The shares of events with this label, with this prediction, with both.
    pub fn shares(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let of = self.events;
        self.classes.iter().map(move |class| (class.truths / of, class.predictions / of, class.right / of))
    }

    /// Bytes held beside its own size.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.classes) + size_of_val(&*self.ranks)
    }
}
