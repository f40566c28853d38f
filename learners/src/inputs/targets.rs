//! What is known of the targets so far, as inputs: the last five differences, how far the last value is from its fading
//! mean, and the last value. By entity where events have one, for the first so many entities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::scale::Scale;

/// Values kept of an entity: one more than there are differences.
const LAGS: usize = 6;
/// Inputs: differences, distance from the fading mean, the value.
pub(crate) const INPUTS: usize = LAGS - 1 + 2;
/// Rate of the fading mean.
const RATE: f64 = 0.1;
/// Entities with a history of their own.
const ENTITIES: usize = 4_096;

/// One sequence of targets: the newest first.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct History {
    count: u8,
    lags: [f64; LAGS],
    fading: f64,
}

impl History {
    fn learn(&mut self, y: f64) {
        self.fading = if self.count == 0 { y } else { self.fading + RATE * (y - self.fading) };
        self.lags.rotate_right(1);
        self.lags[0] = y;
        self.count = (self.count + 1).min(LAGS as u8);
    }

    /// Raw inputs; those for which too little is known are missing.
    fn inputs(&self) -> [f64; INPUTS] {
        let mut inputs = [f64::NAN; INPUTS];
        let count = usize::from(self.count);
        for (i, input) in inputs.iter_mut().enumerate().take(count.saturating_sub(1)) {
            *input = self.lags[i] - self.lags[i + 1];
        }
        if count > 0 {
            inputs[INPUTS - 2] = self.lags[0] - self.fading;
            inputs[INPUTS - 1] = self.lags[0];
        }
        inputs
    }
}

/// All sequences, and the scale of each input.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Targets {
    all: History,
    by_entity: BTreeMap<u64, History>,
    scales: [Scale; INPUTS],
}

impl Targets {
    fn of(&self, entity: u64) -> &History {
        self.by_entity.get(&entity).unwrap_or(&self.all)
    }

    /// What is known to a row of this entity: the last value, and the inputs as they are (missing ones NaN).
    pub(crate) fn known(&self, entity: u64) -> (Option<f64>, [f64; INPUTS]) {
        let history = self.of(entity);
        ((history.count > 0).then_some(history.lags[0]), history.inputs())
    }

    /// The scale of input `i`.
    pub(crate) fn scale(&self, i: usize) -> &Scale {
        &self.scales[i]
    }

    /// A row's target comes: the inputs known to it count for the scales.
    pub(crate) fn learn(&mut self, entity: u64, inputs: &[f64], y: f64, room: usize) {
        for (scale, x) in self.scales.iter_mut().zip(inputs) {
            scale.update(*x);
        }
        let fits = self.by_entity.len() < ENTITIES && room > size_of::<(u64, History)>();
        if entity != 0 && (fits || self.by_entity.contains_key(&entity)) {
            self.by_entity.entry(entity).or_default().learn(y);
        } else {
            self.all.learn(y);
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.by_entity.len() * size_of::<(u64, History)>()
            + INPUTS * (Scale::BYTES - size_of::<Scale>())
    }

    pub(crate) fn is_sound(&self) -> bool {
        let sound = |h: &History| usize::from(h.count) <= LAGS;
        sound(&self.all) && self.by_entity.values().all(sound) && self.scales.iter().all(Scale::is_sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_distance_and_value_by_entity() {
        let mut targets = Targets::default();
        assert_eq!(targets.known(0).0, None);
        assert!(targets.known(0).1.iter().all(|x| x.is_nan()));
        [1.0, 4.0, 2.0].iter().for_each(|y| targets.learn(7, &[], *y, 1 << 20));
        targets.learn(0, &[], 9.0, 1 << 20);
        let (last, inputs) = targets.known(7);
        assert_eq!((last, &inputs[..2]), (Some(2.0), &[-2.0, 3.0][..]));
        assert!(inputs[2].is_nan());
        let fading = 1.0 + 0.1 * 3.0;
        let fading = fading + 0.1 * (2.0 - fading);
        assert!((inputs[5] - (2.0 - fading)).abs() < 1e-12 && inputs[6] == 2.0);
        assert_eq!(targets.known(0).0, Some(9.0));
        assert_eq!(targets.known(8).0, Some(9.0), "an entity not seen yet: the common one");
    }
}
