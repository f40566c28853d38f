//! What is known of the labels so far, as inputs: the last two, how long the last one has run, and fading shares.
//!
//! By entity where events have one, for the first so many entities; later ones share one history. Classes beyond the
//! first 32 share the inputs of the last of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Classes with inputs of their own.
pub(crate) const CLASSES: usize = 32;
/// Inputs of a class: is it the last label, the one before, its fast and its slow share.
const PER_CLASS: usize = 4;
/// Rates of the shares.
const FAST: f64 = 0.2;
const SLOW: f64 = 0.03;
/// A longer run counts as this long.
const LONGEST_RUN: u32 = 50;
/// Entities with a history of their own.
const ENTITIES: usize = 4_096;

/// One sequence of labels.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct History {
    last: Option<u32>,
    before: Option<u32>,
    run: u32,
    fast: Vec<f64>,
    slow: Vec<f64>,
}

impl History {
    fn learn(&mut self, class: u32) {
        self.run = if self.last == Some(class) { self.run.saturating_add(1) } else { 1 };
        (self.before, self.last) = (self.last, Some(class));
        let place = (class as usize).min(CLASSES - 1);
        let known = self.fast.len().max(place + 1);
        for (shares, rate) in [(&mut self.fast, FAST), (&mut self.slow, SLOW)] {
            shares.resize(known, 0.0);
            shares.iter_mut().for_each(|share| *share *= 1.0 - rate);
            shares[place] += rate;
        }
    }

    fn bytes(&self) -> usize {
        size_of::<(u64, Self)>() + size_of_val(&*self.fast) + size_of_val(&*self.slow)
    }
}

/// The labels, or targets, known when a row is predicted: it is learned with these, whenever its own label comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    pub(crate) last: Option<u32>,
    pub(crate) before: Option<u32>,
    /// Regression: the last target.
    pub(crate) value: Option<f64>,
    /// Inputs: ln(1 + run), then four a class; for regression see [`super::targets`].
    pub(crate) inputs: Vec<f64>,
}

impl Known {
    /// As plain numbers, to be kept with a row.
    pub(crate) fn write(&self, out: &mut Vec<f64>) {
        let number = |class: Option<u32>| class.map_or(-1.0, f64::from);
        out.extend([number(self.last), number(self.before), self.value.unwrap_or(f64::NAN)]);
        out.extend_from_slice(&self.inputs);
    }

    /// What [`Known::write`] wrote.
    pub(crate) fn read(&mut self, numbers: &[f64]) {
        let class = |i: usize| numbers.get(i).filter(|x| **x >= 0.0).map(|x| *x as u32);
        (self.last, self.before) = (class(0), class(1));
        self.inputs.clear();
        self.value = numbers.get(2).copied().filter(|y| !y.is_nan());
        self.inputs.extend_from_slice(numbers.get(3..).unwrap_or_default());
    }

    /// Numbers that [`Known::write`] writes if there are so many inputs.
    pub(crate) fn length(inputs: usize) -> usize {
        3 + inputs
    }

    /// Numbers that [`Known::write`] writes at most: so many, and so many more a class.
    pub(crate) fn numbers() -> (usize, usize) {
        (Self::length(1 + super::targets::INPUTS), PER_CLASS)
    }
}

/// Inputs for so many classes.
pub(crate) fn inputs(classes: usize) -> usize {
    1 + PER_CLASS * classes.min(CLASSES)
}

/// All sequences.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Labels {
    all: History,
    by_entity: BTreeMap<u64, History>,
    bytes: usize,
}

impl Labels {
    fn of(&self, entity: u64) -> &History {
        self.by_entity.get(&entity).unwrap_or(&self.all)
    }

    /// What is known now to a row of this entity.
    pub(crate) fn known(&self, entity: u64, classes: usize, out: &mut Known) {
        let history = self.of(entity);
        (out.last, out.before) = (history.last, history.before);
        out.inputs.clear();
        out.inputs.resize(inputs(classes), 0.0);
        out.inputs[0] = libm::log1p(f64::from(history.run.min(LONGEST_RUN)));
        for (place, class) in [(0, history.last), (1, history.before)] {
            if let Some(class) = class {
                out.inputs[1 + PER_CLASS * (class as usize).min(CLASSES - 1) + place] = 1.0;
            }
        }
        for (place, shares) in [(2, &history.fast), (3, &history.slow)] {
            for (class, share) in shares.iter().enumerate() {
                out.inputs[1 + PER_CLASS * class + place] = *share;
            }
        }
    }

    /// A label comes; `room` is how many bytes may be added.
    pub(crate) fn learn(&mut self, entity: u64, class: u32, room: usize) {
        let fits = self.by_entity.len() < ENTITIES && room > size_of::<(u64, History)>() + 16 * CLASSES;
        let own = entity != 0 && (fits || self.by_entity.contains_key(&entity));
        let history = if own { self.by_entity.entry(entity).or_default() } else { &mut self.all };
        let before = if history.last.is_some() { history.bytes() } else { 0 };
        history.learn(class);
        if own {
            self.bytes += history.bytes() - before;
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.all.bytes() + self.bytes
    }

    pub(crate) fn is_sound(&self, classes: usize) -> bool {
        let sound = |h: &History| {
            h.fast.len() <= classes.min(CLASSES)
                && h.fast.len() == h.slow.len()
                && [h.last, h.before].iter().flatten().all(|c| (*c as usize) < classes)
        };
        let bytes: usize = self.by_entity.values().map(History::bytes).sum();
        sound(&self.all) && self.by_entity.values().all(sound) && bytes == self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(labels: &Labels, entity: u64, classes: usize) -> Known {
        let mut known = Known::default();
        labels.known(entity, classes, &mut known);
        known
    }

    #[test]
    fn the_last_labels_their_run_and_their_shares() {
        let mut labels = Labels::default();
        assert_eq!(known(&labels, 0, 0).inputs, [0.0]);
        [0, 1, 1].iter().for_each(|&c| labels.learn(0, c, 1 << 20));
        let k = known(&labels, 0, 2);
        assert_eq!((k.last, k.before), (Some(1), Some(1)));
        let fast = [0.2 * 0.8 * 0.8, 0.2 * 0.8 + 0.2];
        let slow = [0.03 * 0.97 * 0.97, 0.03 * 0.97 + 0.03];
        let expected = [libm::log1p(2.0), 0.0, 0.0, fast[0], slow[0], 1.0, 1.0, fast[1], slow[1]];
        assert_eq!(k.inputs.len(), 9);
        assert!(k.inputs.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{:?}", k.inputs);
        let mut numbers = vec![];
        k.write(&mut numbers);
        let mut read = Known::default();
        read.read(&numbers);
        assert_eq!((read, numbers.len()), (k, Known::length(9)));
    }

    #[test]
    fn every_entity_has_its_own_as_far_as_there_is_room() {
        let mut labels = Labels::default();
        labels.learn(7, 0, 1 << 20);
        labels.learn(8, 1, 1 << 20);
        labels.learn(9, 1, 0);
        assert_eq!(known(&labels, 7, 2).last, Some(0));
        assert_eq!(known(&labels, 8, 2).last, Some(1));
        assert_eq!(known(&labels, 9, 2).last, Some(1), "no room: the common one");
        assert!(labels.is_sound(2) && !labels.is_sound(1));
    }

    #[test]
    fn many_classes_share_the_last_inputs() {
        let mut labels = Labels::default();
        labels.learn(0, 500, 1 << 20);
        let k = known(&labels, 0, 501);
        assert_eq!((k.last, k.inputs.len()), (Some(500), 1 + 4 * CLASSES));
        assert_eq!(k.inputs[1 + 4 * (CLASSES - 1)], 1.0);
    }
}
