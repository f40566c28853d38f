//! FTRL-proximal: the linear model that forgets what does not help.

use features::Task;

use crate::{
    Params, SpecError,
    linear::{LinearModel, Rule},
};

/// Follow the regularised leader, per coordinate: with g the gradient of one weight, n the sum of g² and z that of
/// g - w·(√(n + g²) - √n)/alpha, the weight is 0 where |z| ≤ l1 and (sign(z)·l1 - z) / (l2 + (beta + √n)/alpha)
/// elsewhere.
///
/// McMahan et al., Ad click prediction: a view from the trenches, 2013.
#[derive(Clone, Debug)]
pub struct Proximal {
    /// The rate, > 0.
    pub alpha: f64,
    /// Slows the first steps, ≥ 0.
    pub beta: f64,
    /// Weights whose |z| is no greater are 0, ≥ 0.
    pub l1: f64,
    /// Draws weights to 0, ≥ 0.
    pub l2: f64,
}

/// Logistic and linear regression by FTRL-proximal.
pub type Ftrl = LinearModel<Proximal, 3>;

impl Ftrl {
    pub(crate) fn build(params: &Params<'_>, task: Task) -> Result<Self, SpecError> {
        let usual = if task == Task::Classification { 0.5 } else { 0.2 };
        let rule = Proximal {
            alpha: params.number("alpha", usual, 1e-4, 100.0)?,
            beta: params.number("beta", 1.0, 1e-3, 1000.0)?,
            l1: params.number("l1", 0.0, 0.0, 1e6)?,
            l2: params.number("l2", 0.0, 0.0, 1e6)?,
        };
        Ok(Self::new(rule, task, params.max_bytes()?))
    }
}

impl Rule<3> for Proximal {
    fn step(
        &self,
        inputs: &[f64],
        [weights, sums, squares]: [&mut [f64]; 3],
        _steps: &mut [f64],
        gradient: f64,
        _curvature: f64,
        weight: f64,
    ) {
        let slope = weight * gradient;
        for (((w, z), n), &x) in weights.iter_mut().zip(sums).zip(squares).zip(inputs) {
            let g = slope * x;
            let (before, after) = (n.sqrt(), (*n + g * g).sqrt());
            *z += g - (after - before) / self.alpha * *w;
            *n += g * g;
            let drawn = self.l2 + (self.beta + after) / self.alpha;
            let beyond = (z.abs() - self.l1).max(0.0);
            // Nothing drawn and nothing learned (beta = l2 = 0 before the first gradient): 0, not 0/0.
            *w = if beyond > 0.0 { -beyond.copysign(*z) / drawn } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use features::{ClassId, EntityId, EventTime, Kind, Row, Target};

    use super::*;
    use crate::{Learner, Prediction, Scratch};

    /// Five steps of the update as the paper writes it, one coordinate at a time.
    #[test]
    fn follows_the_paper() {
        let rule = Proximal { alpha: 0.5, beta: 1.0, l1: 0.3, l2: 0.1 };
        let (mut w, mut z, mut n) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        let (mut w2, mut z2, mut n2) = ([0.0_f64; 3], [0.0_f64; 3], [0.0_f64; 3]);
        for t in 0..5 {
            let x = [1.0, f64::from(t) - 2.0, if t % 2 == 0 { 0.0 } else { -3.0 }];
            let gradient = 0.4 - 0.3 * f64::from(t);
            rule.step(&x, [&mut w, &mut z, &mut n], &mut [], gradient, 1.0, 1.0);
            for i in 0..3 {
                let g = gradient * x[i];
                let sigma = (n2[i] + g * g).sqrt() / 0.5 - n2[i].sqrt() / 0.5;
                z2[i] += g - sigma * w2[i];
                n2[i] += g * g;
                let z = z2[i];
                w2[i] = if z.abs() <= 0.3 { 0.0 } else { -(z - z.signum() * 0.3) / (0.1 + (1.0 + n2[i].sqrt()) / 0.5) };
                assert!((w[i] - w2[i]).abs() < 1e-12, "step {t}, weight {i}: {} not {}", w[i], w2[i]);
            }
        }
        assert!(w.iter().any(|&w| w != 0.0));
    }

    /// Twenty columns of noise beside one that tells: with l1, predictions do not hang on the noise at all.
    #[test]
    fn l1_leaves_useless_weights_at_zero() {
        let rule = Proximal { alpha: 0.5, beta: 1.0, l1: 30.0, l2: 0.0 };
        let mut learner = Ftrl::new(rule, Task::Classification, 1 << 20);
        learner.grow(&[Kind::Number; 21]);
        let mut state = 1_u64;
        let mut unit = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for _ in 0..2_000 {
            let values: Vec<f64> = (0..21).map(|_| unit()).collect();
            let row = Row { values: &values, at: EventTime(0), entity: EntityId(0) };
            learner.learn(&row, Target::Class(ClassId(u32::from(values[0] > 0.5))), 1.0);
        }
        let says = |first: f64, noise: f64| {
            let values: Vec<f64> = (0..21).map(|j| if j == 0 { first } else { noise }).collect();
            let row = Row { values: &values, at: EventTime(0), entity: EntityId(0) };
            let mut out = Prediction::default();
            learner.predict_into(&row, &mut Scratch::default(), &mut out);
            out.probabilities[1]
        };
        assert_eq!(says(0.9, 0.0), says(0.9, 1.0));
        assert!(says(0.9, 0.5) > 0.8 && says(0.1, 0.5) < 0.2);
    }
}
