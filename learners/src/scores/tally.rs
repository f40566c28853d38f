//! What scores of classification are made of: counts over a set of events, each with a weight.

use serde::{Deserialize, Serialize};

use crate::outcome::{RANKED, RANKS};

/// Bins of confidence.
pub(super) const BINS: usize = 10;
/// No class was predicted.
pub(super) const NOBODY: u32 = u32::MAX;

/// One event, as far as it counts.
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

/// What an event is counted with: one weight, or two side by side, which costs no more.
pub(super) trait Weight: Copy + Default {
    /// So many times this.
    fn times(self, by: f64) -> Self;
    /// This much more.
    fn more(&mut self, by: Self);
}

impl Weight for f64 {
    #[inline(always)]
    fn times(self, by: f64) -> Self {
        self * by
    }

    #[inline(always)]
    fn more(&mut self, by: Self) {
        *self += by;
    }
}

impl Weight for [f64; 2] {
    #[inline(always)]
    fn times(self, by: f64) -> Self {
        [self[0] * by, self[1] * by]
    }

    #[inline(always)]
    fn more(&mut self, by: Self) {
        self[0] += by[0];
        self[1] += by[1];
    }
}

/// Counts of some events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally<W = f64> {
    pub events: W,
    pub right: W,
    pub same: W,
    pub common: W,
    pub log_loss: W,
    pub brier: W,
    pub bins: [Bin<W>; BINS],
    pub classes: Vec<ClassTally<W>>,
    /// For each class and rank of its probability: events that have other labels, and that have its. Of no class if there
    /// are more than are ranked.
    pub ranks: Vec<[W; 2]>,
}

/// Events by confidence.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Bin<W> {
    pub right: W,
    pub confidence: W,
}

/// Events by class.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct ClassTally<W = f64> {
    pub truths: W,
    pub predictions: W,
    pub right: W,
}

impl<W: Weight> Tally<W> {
    /// So many classes are known from now on: none of the events had another label, nor gave it a probability.
    pub fn know(&mut self, classes: usize) {
        self.classes.resize(classes, ClassTally::default());
        if classes > RANKED {
            self.ranks = Vec::new();
        }
        while classes <= RANKED && self.ranks.len() < classes * RANKS {
            self.ranks.push([self.events, W::default()]);
            self.ranks.resize(self.ranks.len() + RANKS - 1, [W::default(); 2]);
        }
    }

    /// Takes in an event of known classes.
    #[inline]
    pub fn add(&mut self, event: &Event, weight: W) {
        self.events.more(weight);
        self.log_loss.more(weight.times(event.log_loss));
        self.brier.more(weight.times(event.brier));
        let bin = &mut self.bins[((event.confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.confidence.more(weight.times(event.confidence));
        let truth = &mut self.classes[event.truth as usize];
        truth.truths.more(weight);
        if event.predicted == event.truth {
            self.right.more(weight);
            bin.right.more(weight);
            truth.right.more(weight);
        }
        if event.same {
            self.same.more(weight);
        }
        if event.common {
            self.common.more(weight);
        }
        if event.predicted != NOBODY {
            self.classes[event.predicted as usize].predictions.more(weight);
        }
        for (class, (places, rank)) in self.ranks.chunks_exact_mut(RANKS).zip(event.ranks).enumerate() {
            places[usize::from(rank)][usize::from(class == event.truth as usize)].more(weight);
        }
    }

    /// The same counts as `by` makes of each.
    pub fn map<V: Weight>(&self, by: impl Fn(W) -> V) -> Tally<V> {
        Tally {
            events: by(self.events),
            right: by(self.right),
            same: by(self.same),
            common: by(self.common),
            log_loss: by(self.log_loss),
            brier: by(self.brier),
            bins: self.bins.map(|bin| Bin { right: by(bin.right), confidence: by(bin.confidence) }),
            classes: self
                .classes
                .iter()
                .map(|class| ClassTally {
                    truths: by(class.truths),
                    predictions: by(class.predictions),
                    right: by(class.right),
                })
                .collect(),
            ranks: self.ranks.iter().map(|[others, own]| [by(*others), by(*own)]).collect(),
        }
    }

    /// Bytes held beside its own size.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.classes) + size_of_val(&*self.ranks)
    }
}

impl Tally {
    /// The shares of events with this label, with this prediction, with both.
    pub fn shares(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let of = self.events;
        self.classes.iter().map(move |class| (class.truths / of, class.predictions / of, class.right / of))
    }
}
