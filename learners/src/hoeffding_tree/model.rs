//! The linear models in a regression tree's leaves, and the scale that they share.
//!
//! A model works on standardised numbers within ± 5 and learns by normalised steps, so that no row can throw it off
//! (FIMT-DD's perceptron can be). A missing number counts as the mean. Predictions stay near the targets seen.

use serde::{Deserialize, Serialize};

use super::moments::Moments;

/// Standardised numbers stay within ± this.
const FAR: f64 = 5.0;

/// Means and spreads of all numbers and of the target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Scale {
    weight: Vec<f64>,
    mean: Vec<f64>,
    m2: Vec<f64>,
    target: Moments,
    low: f64,
    high: f64,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            weight: vec![],
            mean: vec![],
            m2: vec![],
            target: Moments::default(),
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }
}

/// The share of an error that a model corrects after `seen` rows.
pub(super) fn step(seen: f64) -> f64 {
    0.1 / (1.0 + 0.001 * seen) + 0.01
}

impl Scale {
    pub(super) fn grow(&mut self, lanes: usize) {
        for array in [&mut self.weight, &mut self.mean, &mut self.m2] {
            array.resize(lanes, 0.0);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        3 * size_of_val(&*self.weight)
    }

    pub(super) fn sound(&self, lanes: usize) -> bool {
        [&self.weight, &self.mean, &self.m2].iter().all(|array| array.len() == lanes)
    }

    /// Takes in a row's numbers and its target.
    pub(super) fn learn(&mut self, x: &[f64], y: f64, weight: f64) {
        for (((&v, total), mean), m2) in x.iter().zip(&mut self.weight).zip(&mut self.mean).zip(&mut self.m2) {
            let here = !v.is_nan();
            let w = if here { weight } else { 0.0 };
            let d = if here { v - *mean } else { 0.0 };
            *total += w;
            let new = *mean + d * (w / if *total > 0.0 { *total } else { 1.0 });
            *m2 += w * d * (if here { v } else { new } - new);
            *mean = new;
        }
        self.target.add(y, weight);
        self.low = self.low.min(y);
        self.high = self.high.max(y);
    }

    /// Writes the numbers in units of their spread, 0 where missing.
    pub(super) fn standardise(&self, x: &[f64], z: &mut Vec<f64>) {
        z.clear();
        z.extend(x.iter().zip(&self.weight).zip(&self.mean).zip(&self.m2).map(|(((&v, &total), &mean), &m2)| {
            let sd = (m2 / if total > 0.0 { total } else { 1.0 }).sqrt();
            let z = (v - mean) / if sd > 0.0 { sd } else { 1.0 };
            let z = if z < FAR { z } else { FAR };
            let z = if z > -FAR { z } else { -FAR };
            if v.is_nan() || sd <= 0.0 { 0.0 } else { z }
        }));
    }

    /// What `model` says of a standardised row.
    pub(super) fn predict(&self, model: &[f64], z: &[f64]) -> f64 {
        if self.target.weight <= 0.0 {
            return 0.0;
        }
        let margin = 0.5 * (self.high - self.low);
        let y = self.target.mean + dot(model, z) * self.target.sd();
        y.clamp(self.low - margin, self.high + margin)
    }

    /// Moves `model` towards `y`.
    pub(super) fn improve(&self, model: &mut [f64], z: &[f64], y: f64, step: f64, weight: f64) {
        let sd = self.target.sd();
        let error = if sd > 0.0 { (y - self.target.mean) / sd - dot(model, z) } else { 0.0 };
        let error = error.clamp(-FAR, FAR);
        let norm = 1.0 + z.iter().map(|z| z * z).sum::<f64>();
        // More than the whole error is never corrected.
        let step = (step * weight).min(1.0) * error / norm;
        let (constant, weights) = model.split_last_mut().expect("every model has a constant");
        for (w, z) in weights.iter_mut().zip(z) {
            *w += step * z;
        }
        *constant += step;
    }
}

fn dot(model: &[f64], z: &[f64]) -> f64 {
    let (constant, weights) = model.split_last().expect("every model has a constant");
    constant + weights.iter().zip(z).map(|(w, z)| w * z).sum::<f64>()
}
