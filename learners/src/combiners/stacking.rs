//! Second-order stacking of log-odds: one weight a member, for all classes; a weight may be negative.
//!
//! With X_mk = ln p_mk - mean_k ln p_mk the answer is q = softmax(Σ w_m X_m). After label y, v_m = X_my - Σ_k q_k X_mk is
//! the gradient, and w += gain of v under λ = .9998 ([`Gain`]), beginning with a hundredth of the unit matrix. A weight is
//! held within ±8; should an answer become no number, the weights begin anew.
//! Wolpert, Stacked generalization, 1992; Hazan et al. 2007.

use serde::{Deserialize, Serialize};

use crate::gain::Gain;
use crate::lanes::{LANES, add_scaled, dot};
use crate::maths;
use crate::members::softmax;

const KEEP: f64 = 0.9998;
const PRIOR: f64 = 0.01;
/// The trace a member beyond which the matrix is scaled back.
const MOST_TRACE: f64 = 0.04;
const MOST_WEIGHT: f64 = 8.0;

/// A weight a member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stacking {
    pub(super) weights: Vec<f64>,
    gain: Gain,
}

/// Writes the centred logarithms of rows of `classes` positive probabilities.
pub(crate) fn odds(said: &[f64], classes: usize, odds: &mut Vec<f64>) {
    odds.clear();
    odds.extend(said.iter().map(|p| maths::ln(*p)));
    for row in odds.chunks_exact_mut(classes) {
        let mean = row.iter().sum::<f64>() / classes as f64;
        row.iter_mut().for_each(|x| *x -= mean);
    }
}

impl Stacking {
    /// Equal weights.
    pub(crate) fn new(members: usize) -> Self {
        let mut gain = Gain::new(KEEP, PRIOR, MOST_TRACE);
        gain.grow(members);
        Self { weights: vec![1.0 / members as f64; members], gain }
    }

    /// The answer to the members' centred log-odds.
    pub(crate) fn combine(&self, odds: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (weight, odds) in self.weights.iter().zip(odds.chunks_exact(out.len())) {
            add_scaled(out, *weight, odds);
        }
        softmax(out);
    }

    /// Learns the label of what was just answered.
    pub(crate) fn learn(
        &mut self,
        odds: &[f64],
        answer: &[f64],
        class: usize,
        weight: f64,
        gradient: &mut Vec<f64>,
        gain: &mut Vec<f64>,
    ) {
        gradient.clear();
        gradient.extend(odds.chunks_exact(answer.len()).map(|row| row[class] - dot(row, answer)));
        gradient.resize(gradient.len().div_ceil(LANES) * LANES, 0.0);
        self.gain.step(gradient, 1.0 / weight, gain);
        for (w, gain) in self.weights.iter_mut().zip(gain) {
            *w = (*w + *gain).clamp(-MOST_WEIGHT, MOST_WEIGHT);
        }
        if self.weights.iter().any(|w| w.is_nan()) {
            *self = Self::new(self.weights.len());
        }
    }

    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub(crate) fn bytes(&self) -> usize {
        self.gain.bytes() + size_of_val(&*self.weights)
    }

    pub(crate) fn served(&self) -> Self {
        Self { weights: self.weights.clone(), gain: self.gain.stripped() }
    }

    pub(crate) fn is_sound(&self, members: usize) -> bool {
        self.weights.len() == members && self.gain.is_sound() && (self.gain.size() == members || self.gain.size() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::mix;

    /// Member 0 says the truth too timidly, member 1 says nothing, member 2 the contrary of half the truth: the stack is
    /// surer than any, and member 2 counts negatively.
    #[test]
    fn sharpens_the_timid_and_turns_the_liar_round() {
        let mut stacking = Stacking::new(3);
        let (mut log_loss, mut out) = (0.0, [0.0; 2]);
        let (mut x, mut gradient, mut gain) = (vec![], vec![], vec![]);
        for t in 0..3_000_u64 {
            let class = (mix(t) % 2) as usize;
            let right = |p: f64| if class == 0 { [p, 1.0 - p] } else { [1.0 - p, p] };
            let liar = if mix(t + 1_000_000).is_multiple_of(4) { 0.9 } else { 0.1 };
            let said = [right(0.6), [0.5; 2], right(liar)].concat();
            odds(&said, 2, &mut x);
            stacking.combine(&x, &mut out);
            if t >= 2_000 {
                log_loss -= libm::log(out[class]) / 1_000.0;
            }
            stacking.learn(&x, &out, class, 1.0, &mut gradient, &mut gain);
        }
        assert!(log_loss < 0.3, "{log_loss}: the best member alone has .51");
        assert!(stacking.weights[2] < 0.0, "{:?}", stacking.weights);
    }
}
