//! How several members' probabilities become one answer. Both rules run beside each other, and a mixture of the two, with
//! the labels' shares as a third, decides: stacking is sharper, the mixture is safe.

mod boa;
mod ledger;
mod mixture;
mod regression;
mod stacking;

use serde::{Deserialize, Serialize};

use crate::explain::shares;

use self::ledger::Ledger;
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
    ledger: Ledger,
    /// Labels learned.
    #[serde(skip)]
    learned: u64,
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
        Self {
            stacking: Stacking::new(members),
            safe: Mixture::new(members, SHARE),
            last: Mixture::new(VOICES, SHARE),
            ledger: Ledger::new(members),
            learned: 0,
        }
    }

    /// Labels learned so far.
    pub(crate) fn learned(&self) -> u64 {
        self.learned
    }

    /// The same, which has learned so many: its saved form does not say.
    pub(crate) fn having_learned(self, learned: u64) -> Self {
        Self { learned, ..self }
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

    /// Learns the label of what was just combined in `work`; the members had said it when so many labels were learned.
    pub(crate) fn learn(&mut self, work: &mut BlendWork, classes: usize, class: usize, weight: f64, learned: u64) {
        let late = self.learned.saturating_sub(learned);
        let rate = if late == 0 { 1.0 } else { 1.0 / (1.0 + late as f64).sqrt() };
        self.learned += 1;
        let stacked = &work.voices[..classes];
        self.stacking.learn(&work.odds, stacked, class, weight, &mut work.gradient, &mut work.gain);
        self.safe.learn(&work.floored, classes, class, rate);
        self.last.learn(&work.voices, classes, class, rate);
        self.ledger.note(&work.floored, classes, class);
    }

    /// Each member's share of the answer, its weight in the stack, and its fading log loss. A weight in the stack counts as
    /// far as the member knows anything: its loss below that of `classes` equal chances, as a part of it.
    pub(crate) fn members(&self, classes: usize) -> impl Iterator<Item = (f64, f64, Option<f64>)> {
        let ignorant = libm::log(classes.max(2) as f64);
        let known = |loss: Option<f64>| loss.map_or(1.0, |loss| (1.0 - loss / ignorant).max(0.0));
        let sizes = self.stacking.weights().iter().zip(self.ledger.losses()).map(|(weight, loss)| weight * known(loss));
        let stacked = shares(&sizes.collect::<Vec<_>>());
        let [stack, safe, first] = self.last.weights() else { unreachable!("there are three voices") };
        let part = move |(i, (stacked, own)): (usize, (f64, &f64))| {
            stack * stacked + safe * own + if i == 0 { *first } else { 0.0 }
        };
        let parts = stacked.into_iter().zip(self.safe.weights()).enumerate().map(part);
        parts.zip(self.stacking.weights()).zip(self.ledger.losses()).map(|((part, weight), loss)| (part, *weight, loss))
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.stacking.bytes() + self.safe.bytes() + self.last.bytes() + self.ledger.bytes()
    }

    /// Operations an event.
    pub(crate) fn operations(members: usize, classes: usize) -> f64 {
        (2 * members * members + 40 * members * classes) as f64
    }

    pub(crate) fn bytes_of(members: usize) -> usize {
        Self::new(members).bytes()
    }

    pub(crate) fn served(&self) -> Self {
        Self {
            stacking: self.stacking.served(),
            safe: self.safe.clone(),
            last: self.last.clone(),
            ledger: self.ledger.clone(),
            learned: self.learned,
        }
    }

    pub(crate) fn is_sound(&self, members: usize) -> bool {
        let mixtures = self.safe.is_sound(members) && self.last.is_sound(VOICES);
        mixtures && self.stacking.is_sound(members) && self.ledger.is_sound(members)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::inputs::mix;

    /// The first two say next to nothing, and one takes back what the other says.
    #[test]
    fn weights_of_those_that_know_nothing_are_no_part() {
        let (mut blend, mut work, mut out) = (Blend::new(3), BlendWork::default(), [0.0; 2]);
        for t in 0..3_000_u64 {
            let class = (mix(t) % 2) as usize;
            let right = if mix(t + 1_000_000) % 10 < 8 { class } else { 1 - class };
            let told = if right == 0 { [0.7, 0.3] } else { [0.3, 0.7] };
            blend.combine(&[[0.505, 0.495], [0.495, 0.505], told].concat(), 2, &mut work, &mut out);
            blend.learn(&mut work, 2, class, 1.0, t);
        }
        blend.stacking.weights = vec![4.0, -4.0, 1.0];
        let parts: Vec<f64> = blend.members(2).map(|(share, ..)| share).collect();
        assert!(parts[2] > 0.9, "{parts:?}");
    }

    /// One member is right 8 times of 10, the other nearly always for 150 events and nearly never for the next 150. By
    /// the time that its labels are there it does the contrary.
    #[test]
    fn what_comes_too_late_to_be_followed_is_not_followed() {
        let log_loss = |told: bool| {
            let (mut blend, mut work, mut out) = (Blend::new(3), BlendWork::default(), [0.0; 2]);
            let (mut late, mut loss) = (VecDeque::new(), 0.0);
            for t in 0..12_000_u64 {
                let class = (mix(t) % 2) as usize;
                let sure = |p: f64| if class == 0 { [p, 1.0 - p] } else { [1.0 - p, p] };
                let steady = sure(if mix(t + 1_000_000) % 10 < 8 { 0.8 } else { 0.2 });
                let said = [[0.5; 2], steady, sure(if t / 150 % 2 == 0 { 0.95 } else { 0.05 })].concat();
                blend.combine(&said, 2, &mut work, &mut out);
                loss -= libm::log(out[class]) / 12_000.0;
                late.push_back((said, class, blend.learned()));
                if late.len() > 150 {
                    let (said, class, learned) = late.pop_front().expect("there is one");
                    blend.combine(&said, 2, &mut work, &mut out);
                    let learned = if told { learned } else { blend.learned() };
                    blend.learn(&mut work, 2, class, 1.0, learned);
                }
            }
            loss
        };
        let (told, not_told) = (log_loss(true), log_loss(false));
        assert!(told < 0.65 && told < 0.5 * not_told, "{told}, {not_told}; the steady member alone has .50");
    }
}
