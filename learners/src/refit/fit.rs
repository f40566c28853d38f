//! Fits a model of smartcore or linfa to a window and turns it into arrays of our own.

use features::{Target, Task};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Prediction, Scratch};

use super::encode::{Encoder, mean_and_deviation};
use super::forest::Forest;
use super::job::JobData;
use super::linear::Linear;

/// Fewer rows are not worth a fit.
const MIN_ROWS: usize = 20;

/// Which model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelKind {
    RandomForest,
    DecisionTree,
    /// Elastic net (regression) or logistic regression (classification).
    Linear,
}

/// What decides a fit beside its rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct FitSpec {
    pub(super) model: ModelKind,
    pub(super) task: Task,
    pub(super) seed: u64,
    /// Trees of the forest.
    pub(super) trees: u16,
    /// Levels of a tree.
    pub(super) depth: u16,
    /// Fewest rows in a leaf.
    pub(super) leaf: usize,
    /// Strength of the linear models' penalty, relative to the mean loss.
    pub(super) penalty: f64,
    /// Bytes that the fitted model may take.
    pub(super) max_bytes: usize,
}

/// Why there is no new model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum FitError {
    #[error("{0} rows are too few")]
    TooFewRows(usize),
    #[error("all rows are of one class")]
    OneClass,
    #[error("no field varies")]
    NoColumns,
    #[error("the labels are too large to square")]
    HugeLabels,
    #[error("the model would take {0} bytes")]
    TooLarge(usize),
    #[error("the library: {0}")]
    Library(String),
    #[error("the library panicked")]
    Panicked,
    #[error("the fitted model holds numbers that are not finite")]
    NotFinite,
}

/// The rows as the libraries want them.
pub(super) struct Matrix {
    /// Row by row.
    pub(super) x: Vec<f64>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) y: Labels,
}

/// Labels in the model's own terms.
pub(super) enum Labels {
    /// Places in the list of classes.
    Classes(Vec<u32>, usize),
    /// Standardised numbers.
    Values(Vec<f64>),
}

/// What the model's numbers mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Meaning {
    /// The classes of the window, ascending.
    Classes(Vec<u32>),
    /// Deviations from a mean.
    Value { mean: f64, deviation: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Model {
    Forest(Forest),
    Linear(Linear),
}

/// A fitted model in flat arrays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fitted {
    encoder: Encoder,
    meaning: Meaning,
    model: Model,
}

/// Fits. The same specification and rows give the same model.
pub(super) fn fit(spec: &FitSpec, data: &JobData) -> Result<Fitted, FitError> {
    let (encoder, meaning, matrix) = prepare(spec, data)?;
    let seed = spec.seed.wrapping_add(data.started);
    let model = match spec.model {
        ModelKind::Linear => Model::Linear(Linear::fit(spec, &matrix)?),
        ModelKind::DecisionTree | ModelKind::RandomForest => Model::Forest(Forest::fit(spec, seed, &matrix)?),
    };
    let fitted = Fitted { encoder, meaning, model };
    match fitted.bytes() {
        bytes if bytes > spec.max_bytes => Err(FitError::TooLarge(bytes)),
        _ if !fitted.is_finite() => Err(FitError::NotFinite),
        _ => Ok(fitted),
    }
}

fn prepare(spec: &FitSpec, data: &JobData) -> Result<(Encoder, Meaning, Matrix), FitError> {
    let rows = data.window.len();
    if rows < MIN_ROWS {
        return Err(FitError::TooFewRows(rows));
    }
    let (meaning, y) = match spec.task {
        Task::Classification => classes(data)?,
        Task::Regression => values(data)?,
    };
    let encoder = match spec.model {
        ModelKind::Linear => Encoder::for_linear(data),
        ModelKind::DecisionTree | ModelKind::RandomForest => Encoder::for_trees(data),
    };
    let columns = encoder.len();
    if columns == 0 {
        return Err(FitError::NoColumns);
    }
    let mut x = Vec::with_capacity(rows * columns);
    data.window.rows().for_each(|(row, _)| encoder.encode(row, &mut x));
    Ok((encoder, meaning, Matrix { x, rows, columns, y }))
}

fn classes(data: &JobData) -> Result<(Meaning, Labels), FitError> {
    let class = |target| match target {
        Target::Class(class) => Some(class.0),
        Target::Value(_) => None,
    };
    let labels: Vec<u32> = data.window.rows().filter_map(|(_, target)| class(target)).collect();
    let mut classes = labels.clone();
    classes.sort_unstable();
    classes.dedup();
    if classes.len() < 2 {
        return Err(FitError::OneClass);
    }
    let place = |class: &u32| classes.binary_search(class).expect("every label is in the list") as u32;
    let y = Labels::Classes(labels.iter().map(place).collect(), classes.len());
    Ok((Meaning::Classes(classes), y))
}

fn values(data: &JobData) -> Result<(Meaning, Labels), FitError> {
    let value = |target| match target {
        Target::Value(x) => Some(x),
        Target::Class(_) => None,
    };
    let labels = || data.window.rows().filter_map(|(_, target)| value(target));
    let (mean, deviation) = mean_and_deviation(labels).ok_or(FitError::HugeLabels)?;
    if !deviation.is_finite() {
        return Err(FitError::HugeLabels);
    }
    let deviation = if deviation.is_normal() { deviation } else { 1.0 };
    let y = Labels::Values(labels().map(|x| (x - mean) / deviation).collect());
    Ok((Meaning::Value { mean, deviation }, y))
}

impl Fitted {
    /// Predicts. Pure, without allocation once `scratch` and `out` are warm.
    pub(super) fn predict_into(&self, row: &[f64], scratch: &mut Scratch, out: &mut Prediction) {
        out.clear();
        let Scratch { numbers: x, more: scores, .. } = scratch;
        x.clear();
        self.encoder.encode(row, x);
        scores.clear();
        match &self.meaning {
            Meaning::Value { mean, deviation } => {
                let deviations = match &self.model {
                    Model::Forest(forest) => forest.mean(x),
                    Model::Linear(linear) => linear.value(x),
                };
                out.value = mean + deviation * deviations;
            }
            Meaning::Classes(classes) => {
                match &self.model {
                    Model::Forest(forest) => forest.shares_into(x, classes.len(), scores),
                    Model::Linear(linear) => linear.probabilities_into(x, scores),
                }
                out.probabilities.resize(classes.last().map_or(0, |class| *class as usize + 1), 0.0);
                for (class, p) in classes.iter().zip(scores) {
                    out.probabilities[*class as usize] = *p;
                }
            }
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let meaning = match &self.meaning {
            Meaning::Classes(classes) => size_of_val(&**classes),
            Meaning::Value { .. } => 0,
        };
        let model = match &self.model {
            Model::Forest(forest) => forest.bytes(),
            Model::Linear(linear) => linear.bytes(),
        };
        size_of::<Self>() + self.encoder.bytes() + meaning + model
    }

    fn is_finite(&self) -> bool {
        match &self.model {
            Model::Forest(forest) => forest.is_finite(),
            Model::Linear(linear) => linear.is_finite(),
        }
    }

    /// Whether what was read back can be such a model: no prediction of it panics.
    pub(super) fn is_sound(&self) -> bool {
        let outputs = match &self.meaning {
            Meaning::Classes(classes) => Some(classes.len()),
            Meaning::Value { .. } => None,
        };
        let ascending = |classes: &[u32]| classes.windows(2).all(|pair| pair[0] < pair[1]);
        let classes_ok =
            !matches!(&self.meaning, Meaning::Classes(classes) if classes.len() < 2 || !ascending(classes));
        let model_ok = match &self.model {
            Model::Forest(forest) => forest.is_sound(self.encoder.len(), outputs),
            Model::Linear(linear) => linear.is_sound(self.encoder.len(), outputs),
        };
        classes_ok && model_ok
    }
}
