//! What scores of regression are made of: sums over a set of events.

use serde::{Deserialize, Serialize};

use crate::rolling::Sum;

/// Sums of some events. A number too large for floating point stays the largest there is in means and deviations, and
/// becomes infinite in sums.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Totals {
    pub events: f64,
    /// Absolute errors.
    pub absolute: f64,
    /// Squared errors.
    pub squared: f64,
    /// Absolute errors of the last target again.
    pub naive: f64,
    /// Pinball losses of the interval's ends.
    pub pinball: f64,
    /// Targets within the interval.
    pub covered: f64,
    /// Mean of the targets.
    pub mean: f64,
    /// Squared deviations of the targets from their mean.
    pub deviation: f64,
}

impl Totals {
    /// Each event counts `by` as much.
    pub fn fade(&self, by: f64) -> Self {
        let less = |x: f64| x.min(f64::MAX) * by;
        Self {
            events: less(self.events),
            absolute: less(self.absolute),
            squared: less(self.squared),
            naive: less(self.naive),
            pinball: less(self.pinball),
            covered: less(self.covered),
            mean: self.mean,
            deviation: less(self.deviation),
        }
    }
}

impl Sum for Totals {
    const NONE: Self = Self {
        events: 0.0,
        absolute: 0.0,
        squared: 0.0,
        naive: 0.0,
        pinball: 0.0,
        covered: 0.0,
        mean: 0.0,
        deviation: 0.0,
    };

    /// Means and deviations by Chan, Golub & LeVeque, Updating formulae and a pairwise algorithm for computing sample
    /// variances, 1979.
    fn plus(&self, other: &Self) -> Self {
        let events = self.events + other.events;
        let share = if events > 0.0 { other.events / events } else { 0.0 };
        let apart = held(other.mean - self.mean);
        let between = held(held(apart * share) * held(apart * self.events));
        Self {
            events,
            absolute: self.absolute + other.absolute,
            squared: self.squared + other.squared,
            naive: self.naive + other.naive,
            pinball: self.pinball + other.pinball,
            covered: self.covered + other.covered,
            mean: held(self.mean + apart * share),
            deviation: held(self.deviation + other.deviation + between),
        }
    }
}

fn held(x: f64) -> f64 {
    x.clamp(-f64::MAX, f64::MAX)
}
