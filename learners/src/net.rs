//! A small net: one layer of 32 tanh units beside a linear skip, every weight with a step of its own (AdaGrad).
//!
//! out = V tanh(U x) + S x. U begins random, by the seed and an input's place, V and S at 0. Learning goes back through V
//! as it was before the step; the skip takes half the rate. Inputs that are 0 cost nothing in the hidden layer.
//!
//! Rumelhart et al., Learning representations by back-propagating errors, 1986; Duchi et al. 2011.

use serde::{Deserialize, Serialize};

use crate::adagrad::{AdaGrad, step};
use crate::inputs::mix;
use crate::lanes::{add_scaled32, padded};
use crate::maths;

/// Hidden units.
pub(crate) const HIDDEN: usize = 32;
/// What every G begins with.
const START: f32 = 1e-6;

/// The weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Net {
    seed: u64,
    rate: f32,
    skip_rate: f32,
    inputs: usize,
    /// One row of `HIDDEN` an input.
    hidden: Vec<f32>,
    squares: Vec<f32>,
    out: AdaGrad,
    skip: AdaGrad,
}

impl Net {
    /// `skip_rate` is that of the linear part.
    pub(crate) fn new(rate: f64, skip_rate: f64, seed: u64) -> Self {
        let (out, skip) = (AdaGrad::new(START), AdaGrad::new(START));
        let (rate, skip_rate) = (rate as f32, skip_rate as f32);
        Self { seed, rate, skip_rate, inputs: 0, hidden: vec![], squares: vec![], out, skip }
    }

    /// Room for so many inputs and outputs, and the bytes it takes; `None` if these are more than `room`.
    pub(crate) fn fit(&mut self, inputs: usize, outputs: usize, room: usize) -> Option<usize> {
        let bytes = Self::bytes_of(inputs, outputs);
        if bytes > room {
            return None;
        }
        let size = 1.0 / libm::sqrt(inputs.max(1) as f64);
        for input in self.inputs..inputs {
            let from = mix(self.seed ^ mix(input as u64));
            self.hidden.extend((0..HIDDEN as u64).map(|h| (normal(from.wrapping_add(h)) * size) as f32));
        }
        self.squares.resize(self.hidden.len(), START);
        self.inputs = self.inputs.max(inputs);
        self.out.fit(HIDDEN, outputs);
        self.skip.fit(inputs, outputs);
        Some(bytes)
    }

    /// Adds each output's score to `scores` and leaves the hidden units' values in `hidden`. `x` is as long as the inputs,
    /// padded to whole lanes.
    pub(crate) fn forward(&self, x: &[f32], hidden: &mut Vec<f32>, scores: &mut [f32]) {
        let mut sums = [0.0; HIDDEN];
        for (x, row) in x.iter().zip(self.hidden.as_chunks::<HIDDEN>().0) {
            if *x != 0.0 {
                for (sum, w) in sums.iter_mut().zip(row) {
                    *sum += x * w;
                }
            }
        }
        hidden.clear();
        hidden.extend(sums.iter().map(|s| maths::tanh(f64::from(*s)) as f32));
        self.out.scores(hidden, scores);
        self.skip.scores(x, scores);
    }

    /// Learns from the errors (what is missing to the truth, one an output) of the `forward` that left `hidden`.
    pub(crate) fn backward(&mut self, x: &[f32], hidden: &[f32], errors: &[f32]) {
        let mut back = [0.0; HIDDEN];
        for (output, error) in errors.iter().enumerate() {
            add_scaled32(&mut back, *error, self.out.row(output));
        }
        back.iter_mut().zip(hidden).for_each(|(b, h)| *b *= 1.0 - h * h);
        self.out.step(hidden, errors, self.rate);
        self.skip.step(x, errors, self.skip_rate);
        let rows = self.hidden.as_chunks_mut::<HIDDEN>().0.iter_mut().zip(self.squares.as_chunks_mut::<HIDDEN>().0);
        for (x, (weights, squares)) in x.iter().zip(rows) {
            if *x != 0.0 {
                step(weights, squares, &back, *x, self.rate);
            }
        }
    }

    /// Operations with so many inputs and outputs.
    pub(crate) fn operations(inputs: usize, outputs: usize) -> usize {
        500 + 4 * inputs * HIDDEN + outputs * (20 + 6 * (inputs + HIDDEN))
    }

    fn bytes_of(inputs: usize, outputs: usize) -> usize {
        2 * inputs * HIDDEN * size_of::<f32>() + AdaGrad::bytes_of(HIDDEN, outputs) + AdaGrad::bytes_of(inputs, outputs)
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.hidden) + size_of_val(&*self.squares) + self.out.bytes() + self.skip.bytes()
    }

    /// Whether its parts fit together and to so many inputs and outputs.
    pub(crate) fn is_sound(&self, inputs: usize, outputs: usize) -> bool {
        self.inputs == inputs
            && self.hidden.len() == inputs * HIDDEN
            && self.squares.len() == self.hidden.len()
            && self.out.is_sound()
            && self.skip.is_sound()
            && self.out.bytes() == AdaGrad::bytes_of(HIDDEN, outputs)
            && self.skip.bytes() == AdaGrad::bytes_of(padded(inputs), outputs)
    }
}

/// A normal number by Box and Muller.
pub(crate) fn normal(place: u64) -> f64 {
    let unit = |x: u64| ((mix(x) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    libm::sqrt(-2.0 * libm::log(unit(place))) * libm::cos(std::f64::consts::TAU * unit(!place))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squared loss on x0·x1, which no linear model can tell: the net learns it, its skip alone does not.
    #[test]
    fn learns_what_a_line_cannot() {
        let mut net = Net::new(0.1, 0.05, 1);
        net.fit(3, 1, 1 << 20).unwrap();
        let (mut hidden, mut late) = (vec![], 0.0);
        for t in 0..4_000_u64 {
            let unit = |i: u64| (mix(3 * t + i) % 2_000) as f32 / 1_000.0 - 1.0;
            let x = [1.0, unit(0), unit(1), 0.0, 0.0, 0.0, 0.0, 0.0];
            let y = if x[1] * x[2] > 0.0 { 1.0 } else { -1.0 };
            let mut score = [0.0];
            net.forward(&x, &mut hidden, &mut score);
            net.backward(&x, &hidden, &[y - score[0]]);
            late += if t >= 3_000 && score[0] * y < 0.0 { 1.0 } else { 0.0 };
        }
        assert!(late < 150.0, "{late} of 1,000 wrong");
    }

    #[test]
    fn is_refused_where_there_is_no_room() {
        let mut net = Net::new(0.1, 0.05, 1);
        let bytes = net.fit(9, 2, 1 << 20).unwrap();
        assert_eq!(bytes, net.bytes());
        assert!(net.is_sound(9, 2) && !net.is_sound(10, 2) && !net.is_sound(9, 3));
        assert_eq!(net.fit(10, 2, bytes), None);
    }
}
