//! A Bayes mixture whose weights never quite die: fixed share.
//!
//! P = Σ w_m p_m; after the label w_m ∝ w_m p_m(y), then w ← (1 - share)·w + share/M. Its log loss is within
//! ln M + (changes)·ln(M/share) of the best sequence of members. Herbster & Warmuth, Tracking the best expert, 1998.
//!
//! Where labels come late, what was said in the meantime was said in ignorance of each other's outcome: a weight is
//! multiplied by p_m(y)^η then. Joulani, György & Szepesvári, Online learning under delayed feedback, 2013.

use serde::{Deserialize, Serialize};

use crate::maths;

/// A weight a member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Mixture {
    share: f64,
    weights: Vec<f64>,
}

impl Mixture {
    /// Equal weights; `share` in 0..1.
    pub(crate) fn new(members: usize, share: f64) -> Self {
        Self { share, weights: vec![1.0 / members as f64; members] }
    }

    /// The mixture of the members' probabilities, a row each.
    pub(crate) fn combine(&self, said: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (weight, said) in self.weights.iter().zip(said.chunks_exact(out.len())) {
            out.iter_mut().zip(said).for_each(|(p, said)| *p += weight * said);
        }
    }

    /// Learns the label of what was said, at the rate η, above 0 and at most 1.
    pub(crate) fn learn(&mut self, said: &[f64], classes: usize, class: usize, rate: f64) {
        let mut sum = 0.0;
        for (weight, said) in self.weights.iter_mut().zip(said.chunks_exact(classes)) {
            *weight *= if rate < 1.0 { maths::exp(rate * maths::ln(said[class])) } else { said[class] };
            sum += *weight;
        }
        let equal = 1.0 / self.weights.len() as f64;
        for weight in &mut self.weights {
            let own = if sum > 0.0 { *weight / sum } else { equal };
            *weight = (1.0 - self.share) * own + self.share * equal;
        }
    }

    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.weights)
    }

    pub(crate) fn is_sound(&self, members: usize) -> bool {
        self.weights.len() == members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_member_wins_and_the_other_comes_back() {
        let mut mixture = Mixture::new(2, 0.001);
        let said = [0.9, 0.1, 0.5, 0.5];
        let mut out = [0.0; 2];
        (0..50).for_each(|_| mixture.learn(&said, 2, 0, 1.0));
        mixture.combine(&said, &mut out);
        assert!((out[0] - 0.9).abs() < 0.001 && (out[0] + out[1] - 1.0).abs() < 1e-12);
        (0..10).for_each(|_| mixture.learn(&said, 2, 1, 1.0));
        mixture.combine(&said, &mut out);
        assert!(out[0] < 0.51, "{}", out[0]);
    }

    #[test]
    fn late_labels_count_less() {
        let said = [0.9, 0.1, 0.5, 0.5];
        let after = |labels: usize, rate: f64| {
            let mut mixture = Mixture::new(2, 0.0);
            (0..labels).for_each(|_| mixture.learn(&said, 2, 0, rate));
            mixture.weights[0]
        };
        assert!((after(8, 0.25) - after(2, 1.0)).abs() < 1e-12, "four at a quarter of the rate are one");
    }
}
