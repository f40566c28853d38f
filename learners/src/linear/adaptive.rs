//! The update rule of `linear`: a step of its own for every weight, safe at any rate.

use super::{Rule, weights::dot};

/// Adaptive gradient steps: weight j moves by rate · g·xⱼ / √Gⱼ, where Gⱼ sums (g·xⱼ)² over the last `memory` events or
/// so (it fades, so the model never stops following a stream that changes).
///
/// The step is damped by 1 / (1 + c·rate·weight·Σ xⱼ²/√Gⱼ) with c the loss's greatest curvature: that is the implicit
/// step against the loss's quadratic bound. For the squared loss it is exact and never moves the answer past the label,
/// whatever rate and weight.
///
/// Duchi et al., Adaptive subgradient methods, 2011; Ross et al., Normalized online learning, 2013; Kulis & Bartlett,
/// Implicit online learning, 2010.
#[derive(Clone, Debug)]
pub struct Adaptive {
    rate: f64,
    /// What is kept of G from event to event.
    keep: f64,
}

/// Added to G at every event, so that no division is by zero.
const FLOOR: f64 = 1e-12;

impl Adaptive {
    /// `rate` > 0; `memory` ≥ 1 in events.
    pub fn new(rate: f64, memory: f64) -> Self {
        Self { rate, keep: 1.0 - 1.0 / memory }
    }
}

impl Rule<2> for Adaptive {
    fn step(
        &self,
        inputs: &[f64],
        [weights, sums]: [&mut [f64]; 2],
        steps: &mut [f64],
        gradient: f64,
        curvature: f64,
        weight: f64,
    ) {
        let energy = weight * gradient * gradient;
        for ((step, sum), &x) in steps.iter_mut().zip(sums).zip(inputs) {
            *sum = *sum * self.keep + energy * x * x + FLOOR;
            *step = x / sum.sqrt();
        }
        let rate = self.rate * weight;
        let along = -rate * gradient / (1.0 + curvature * rate * dot(steps, inputs));
        for (w, step) in weights.iter_mut().zip(steps) {
            *w += along * *step;
        }
    }
}
