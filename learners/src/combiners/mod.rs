//! How several members' probabilities become one answer. Both rules run beside each other, and a mixture of the two, with
//! the labels' shares as a third, decides: stacking is sharper, the mixture is safe.

mod boa;
mod mixture;
mod regression;
mod stacking;

use serde::{Deserialize, Serialize};

pub(crate) use self::mixture::Mixture;
pub(crate) use self::regression::{Council, CouncilWork};
pub(crate) use self::stacking::Stacking;

/// What each class is given of a member's answer whatever it says.
const FLOOR: f64 = 0.02;
/// What the mixtures share out at every event.
const SHARE: f64 = 0.001;
/// Voices of the last mixture: stacking, the safe mixture, the first member.
const VOICES: usize = 3;

/// Stacking with a safety net.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Blend {
    stacking: Stacking,
    safe: Mixture,
    last: Mixture,
}

/// Memory that a blend works in.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlendWork {
    /// Members' probabilities with the floor, one row a member.
    floored: Vec<f64>,
    /// Their centred log-odds.
    odds: Vec<f64>,
    /// The voices of the last mixture, one row each.
    voices: Vec<f64>,
    gradient: Vec<f64>,
    gain: Vec<f64>,
}

impl Blend {
    pub(crate) fn new(members: usize) -> Self {
        Self { stacking: Stacking::new(members), safe: Mixture::new(members, SHARE), last: Mixture::new(VOICES, SHARE) }
    }

    /// One answer of what the members said, a row of `classes` probabilities each; that of the first is also a voice of
    /// its own.
    pub(crate) fn combine(&self, said: &[f64], classes: usize, work: &mut BlendWork, out: &mut [f64]) {
        let share = FLOOR / classes as f64;
        work.floored.clear();
        work.floored.extend(said.iter().map(|p| (1.0 - FLOOR) * p + share));
        stacking::odds(&work.floored, classes, &mut work.odds);
        work.voices.clear();
        work.voices.resize(VOICES * classes, 0.0);
        let (stacked, rest) = work.voices.split_at_mut(classes);
        let (safe, first) = rest.split_at_mut(classes);
        self.stacking.combine(&work.odds, stacked);
        self.safe.combine(&work.floored, safe);
        first.copy_from_slice(&work.floored[..classes]);
        self.last.combine(&work.voices, out);
    }

    /// Learns the label of what was just combined in `work`.
    pub(crate) fn learn(&mut self, work: &mut BlendWork, classes: usize, class: usize, weight: f64) {
        let stacked = &work.voices[..classes];
        self.stacking.learn(&work.odds, stacked, class, weight, &mut work.gradient, &mut work.gain);
        self.safe.learn(&work.floored, classes, class);
        self.last.learn(&work.voices, classes, class);
    }

    /// Weights of the members in the stack and in the safe mixture.
    pub(crate) fn weights(&self) -> impl Iterator<Item = (f64, f64)> {
        self.stacking.weights().iter().copied().zip(self.safe.weights().iter().copied())
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.stacking.bytes() + self.safe.bytes() + self.last.bytes()
    }

    /// Operations an event.
    pub(crate) fn operations(members: usize, classes: usize) -> f64 {
        (2 * members * members + 40 * members * classes) as f64
    }

    pub(crate) fn bytes_of(members: usize) -> usize {
        Self::new(members).bytes()
    }

    pub(crate) fn served(&self) -> Self {
        Self { stacking: self.stacking.served(), safe: self.safe.clone(), last: self.last.clone() }
    }

    pub(crate) fn is_sound(&self, members: usize) -> bool {
        self.stacking.is_sound(members) && self.safe.is_sound(members) && self.last.is_sound(VOICES)
    }
}
