//! Bernstein online aggregation with the gradient trick, on the absolute loss: a share of weights for experts whose losses
//! have no known range and may be shifted.
//!
//! With g the loss's gradient at the mean of the experts, l_m = g·(p_m - mean) is what following m would have cost more;
//! R_m += -l_m - η_m l_m², w_m ∝ η_m exp(η_m R_m), η_m = min(1/(2 E_m), √(ln M / V_m)), E_m the largest |l_m| and V_m the
//! sum of l_m². Wintenberger, Optimal learning with Bernstein online aggregation, 2017.

use serde::{Deserialize, Serialize};

use crate::maths;

/// What is known of an expert.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Expert {
    regret: f64,
    squares: f64,
    largest: f64,
    weight: f64,
}

/// The experts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Boa {
    experts: Vec<Expert>,
}

impl Boa {
    /// Equal weights.
    pub(crate) fn new(experts: usize) -> Self {
        Self { experts: vec![Expert { weight: 1.0 / experts as f64, ..Expert::default() }; experts] }
    }

    /// The weighted mean of what the experts said.
    pub(crate) fn combine(&self, said: &[f64]) -> f64 {
        self.experts.iter().zip(said).map(|(expert, p)| expert.weight * p).sum()
    }

    /// Learns the truth of what was said; all numbers in one unit, best that of usual errors.
    pub(crate) fn learn(&mut self, said: &[f64], mean: f64, y: f64) {
        let slope = if y > mean {
            -1.0
        } else if y < mean {
            1.0
        } else {
            0.0
        };
        let log = libm::log(self.experts.len() as f64);
        let mut top = f64::NEG_INFINITY;
        for (expert, p) in self.experts.iter_mut().zip(said) {
            let loss = slope * (p - mean);
            expert.largest = expert.largest.max(loss.abs());
            expert.squares += loss * loss;
            let rate = expert.rate(log);
            expert.regret += -loss - rate * loss * loss;
            expert.weight = rate * expert.regret;
            top = top.max(expert.weight);
        }
        let mut sum = 0.0;
        for expert in &mut self.experts {
            expert.weight = expert.rate(log) * maths::exp(expert.weight - top);
            sum += expert.weight;
        }
        let equal = 1.0 / self.experts.len() as f64;
        for expert in &mut self.experts {
            expert.weight = if sum > 0.0 && sum.is_finite() { expert.weight / sum } else { equal };
        }
    }

    pub(crate) fn weights(&self) -> impl Iterator<Item = f64> {
        self.experts.iter().map(|expert| expert.weight)
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.experts)
    }

    pub(crate) fn is_sound(&self, experts: usize) -> bool {
        self.experts.len() == experts
    }
}

impl Expert {
    fn rate(&self, log: f64) -> f64 {
        if self.largest > 0.0 { (0.5 / self.largest).min((log / self.squares).sqrt()) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::mix;

    #[test]
    fn follows_the_better_expert_and_then_the_other() {
        let mut boa = Boa::new(3);
        let mut late = [0.0; 2];
        for t in 0..4_000_u64 {
            let y = (mix(t) % 100) as f64 / 10.0;
            let said = if t < 2_000 { [y + 0.1, 5.0, y - 3.0] } else { [5.0, y + 0.1, y - 3.0] };
            let mean = boa.combine(&said);
            if t % 2_000 >= 1_500 {
                late[t as usize / 2_000] += (mean - y).abs() / 500.0;
            }
            boa.learn(&said, mean, y);
        }
        assert!(late[0] < 0.2 && late[1] < 2.0, "{late:?}");
        assert!((boa.experts.iter().map(|expert| expert.weight).sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
