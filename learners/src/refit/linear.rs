//! Elastic net and logistic regression of linfa, as one flat array of weights.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::fit::{FitError, FitSpec, Labels, Matrix};

const MAX_ITERATIONS: u32 = 200;

/// Scores: one for a value or for the second of two classes, else one a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Linear {
    /// Score by score.
    weights: Vec<f64>,
    intercepts: Vec<f64>,
}

fn failed(e: impl std::fmt::Display) -> FitError {
    FitError::Library(e.to_string())
}

impl Linear {
    /// Fits a linear model to the matrix.
    pub(super) fn fit(spec: &FitSpec, matrix: &Matrix) -> Result<Self, FitError> {
        let x = Array2::from_shape_vec((matrix.rows, matrix.columns), matrix.x.clone()).map_err(failed)?;
        match &matrix.y {
            Labels::Values(y) => Self::elastic_net(spec, x, y),
            Labels::Classes(y, 2) => Self::two_classes(spec, x, y),
            Labels::Classes(y, classes) => {
                let bytes = classes * (matrix.columns + 1) * size_of::<f64>();
                if bytes > spec.max_bytes { Err(FitError::TooLarge(bytes)) } else { Self::classes(spec, x, y) }
            }
        }
    }

    fn elastic_net(spec: &FitSpec, x: Array2<f64>, y: &[f64]) -> Result<Self, FitError> {
        let params = ElasticNet::params().penalty(spec.penalty).l1_ratio(0.5).max_iterations(MAX_ITERATIONS);
        let fitted = params.fit(&Dataset::new(x, Array1::from(y.to_vec()))).map_err(failed)?;
        Ok(Self { weights: fitted.hyperplane().to_vec(), intercepts: vec![fitted.intercept()] })
    }

    fn two_classes(spec: &FitSpec, x: Array2<f64>, y: &[u32]) -> Result<Self, FitError> {
        // linfa sums the loss; the penalty is relative to its mean.
        let params = LogisticRegression::default()
            .alpha(spec.penalty * y.len() as f64)
            .max_iterations(u64::from(MAX_ITERATIONS));
        let fitted = params.fit(&Dataset::new(x, Array1::from(y.to_vec()))).map_err(failed)?;
        // linfa scores the more frequent class.
        let sign = if fitted.labels().pos.class == 1 { 1.0 } else { -1.0 };
        let weights = fitted.params().iter().map(|w| sign * w).collect();
        Ok(Self { weights, intercepts: vec![sign * fitted.intercept()] })
    }

    fn classes(spec: &FitSpec, x: Array2<f64>, y: &[u32]) -> Result<Self, FitError> {
        let params = MultiLogisticRegression::default()
            .alpha(spec.penalty * y.len() as f64)
            .max_iterations(u64::from(MAX_ITERATIONS));
        let fitted = params.fit(&Dataset::new(x, Array1::from(y.to_vec()))).map_err(failed)?;
        let weights = fitted.params().t().iter().copied().collect();
        Ok(Self { weights, intercepts: fitted.intercept().to_vec() })
    }

    fn scores(&self, x: &[f64]) -> impl Iterator<Item = f64> {
        let dot = move |weights: &[f64]| weights.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        self.weights
            .chunks_exact(x.len())
            .zip(&self.intercepts)
            .map(move |(weights, intercept)| dot(weights) + intercept)
    }

    /// The one score.
    pub(super) fn value(&self, x: &[f64]) -> f64 {
        self.scores(x).next().unwrap_or(0.0)
    }

    /// One probability a class: the logistic function of the one score, or the softmax of all.
    pub(super) fn probabilities_into(&self, x: &[f64], out: &mut Vec<f64>) {
        if self.intercepts.len() == 1 {
            let second = 1.0 / (1.0 + libm::exp(-self.value(x)));
            out.extend([1.0 - second, second]);
            return;
        }
        out.extend(self.scores(x));
        let highest = out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        out.iter_mut().for_each(|score| *score = libm::exp(*score - highest));
        let sum: f64 = out.iter().sum();
        out.iter_mut().for_each(|p| *p /= sum);
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.weights) + size_of_val(&*self.intercepts)
    }

    /// Whether scores are finite too: encoded numbers are at most 10.
    pub(super) fn is_finite(&self) -> bool {
        self.weights.iter().chain(&self.intercepts).all(|w| w.abs() < 1e290)
    }

    /// Whether there are as many scores as these columns and classes (or one value) need.
    pub(super) fn is_sound(&self, columns: usize, classes: Option<usize>) -> bool {
        let scores = classes.filter(|classes| *classes > 2).unwrap_or(1);
        columns > 0 && self.intercepts.len() == scores && self.weights.len() == scores * columns
    }
}

#[cfg(test)]
mod tests {
    use super::super::fit::ModelKind;
    use super::super::tests::{matrix, spec};
    use super::*;
    use features::Task;
    use linfa::traits::Predict;

    fn dataset<T: Clone>(matrix: &Matrix, y: &[T]) -> Dataset<f64, T, ndarray::Ix1> {
        let x = Array2::from_shape_vec((matrix.rows, matrix.columns), matrix.x.clone()).unwrap();
        Dataset::new(x, Array1::from(y.to_vec()))
    }

    fn close(ours: &[f64], theirs: &[f64]) {
        assert_eq!(ours.len(), theirs.len());
        assert!(ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + b.abs())), "{ours:?} {theirs:?}");
    }

    // The library sums in another order, so the last bits differ.

    #[test]
    fn values_are_those_of_linfa() {
        let matrix = matrix(400, 0);
        let Labels::Values(y) = &matrix.y else { unreachable!() };
        let params = ElasticNet::params().penalty(0.001).l1_ratio(0.5).max_iterations(MAX_ITERATIONS);
        let data = dataset(&matrix, y);
        let theirs = params.fit(&data).unwrap().predict(&data).to_vec();
        let linear = Linear::fit(&spec(ModelKind::Linear, Task::Regression), &matrix).unwrap();
        let ours: Vec<f64> = matrix.x.chunks(matrix.columns).map(|x| linear.value(x)).collect();
        close(&ours, &theirs);
    }

    #[test]
    fn probabilities_of_two_classes_are_those_of_linfa() {
        for flipped in [false, true] {
            let mut matrix = matrix(400, 2);
            let Labels::Classes(y, _) = &mut matrix.y else { unreachable!() };
            y.iter_mut().for_each(|class| *class ^= u32::from(flipped));
            let data = dataset(
                &matrix,
                match &matrix.y {
                    Labels::Classes(y, _) => y,
                    Labels::Values(_) => unreachable!(),
                },
            );
            let fitted = LogisticRegression::default().alpha(0.4).max_iterations(200).fit(&data).unwrap();
            let theirs = fitted.predict_probabilities(data.records());
            let linear = Linear::fit(&spec(ModelKind::Linear, Task::Classification), &matrix).unwrap();
            for (x, p) in matrix.x.chunks(matrix.columns).zip(theirs) {
                let mut ours = Vec::new();
                linear.probabilities_into(x, &mut ours);
                let p = if fitted.labels().pos.class == 1 { p } else { 1.0 - p };
                close(&ours, &[1.0 - p, p]);
            }
        }
    }

    #[test]
    fn probabilities_of_many_classes_are_those_of_linfa() {
        let matrix = matrix(400, 5);
        let Labels::Classes(y, _) = &matrix.y else { unreachable!() };
        let data = dataset(&matrix, y);
        let fitted = MultiLogisticRegression::default().alpha(0.4).max_iterations(200).fit(&data).unwrap();
        let theirs = fitted.predict_probabilities(data.records());
        let linear = Linear::fit(&spec(ModelKind::Linear, Task::Classification), &matrix).unwrap();
        for (x, theirs) in matrix.x.chunks(matrix.columns).zip(theirs.rows()) {
            let mut ours = Vec::new();
            linear.probabilities_into(x, &mut ours);
            close(&ours, &theirs.to_vec());
        }
    }
}
