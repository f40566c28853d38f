//! Small regression models that share one stage of inputs: parts of `auto`, and learners of their own.

mod kernel;
mod least_squares;
mod net;
mod seasonal;

use serde::{Deserialize, Serialize};

pub(crate) use self::kernel::NearRows;
pub(crate) use self::least_squares::LeastSquares;
pub(crate) use self::net::NetForecast;
pub(crate) use self::seasonal::Seasonal;
use crate::inputs::{Encoded, Shape};
use crate::members::Work;

/// Targets beyond this count as this large, so that no square overflows.
pub(crate) const LARGEST: f64 = 1e100;

/// What is predicted: the target, or how it differs from the last one known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Aim {
    Target,
    Change,
}

impl Aim {
    /// What is added to a prediction.
    pub(crate) fn base(self, x: &Encoded) -> f64 {
        if self == Self::Change { x.known.value.unwrap_or(0.0) } else { 0.0 }
    }
}

/// A regression model on shared inputs.
pub(crate) trait Forecast {
    /// Follows the inputs and says how many bytes it holds from now on at most; `None` if that is more than `room` (and
    /// then it is not used any more).
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize>;

    /// Operations an event, to predict and to learn it, by the [`budget`](crate::budget)'s measure.
    fn operations(&self, shape: &Shape) -> usize;

    /// Predicts; anything that is no number stands for the last value.
    fn predict(&self, x: &Encoded, work: &mut Work) -> f64;

    /// Learns a row that was just predicted: `work` is of that. `weight` lies within 0.001..=10.
    fn learn(&mut self, x: &Encoded, work: &mut Work, y: f64, weight: f64);

    /// Bytes held.
    fn bytes(&self) -> usize;

    /// What predicting needs of it.
    fn served(&self) -> Self;

    /// Whether its parts fit together and to the shape: what was read back may be anything.
    fn is_sound(&self, shape: &Shape) -> bool;
}

/// The mean of all targets.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RunningMean {
    weight: f64,
    mean: f64,
}

impl Forecast for RunningMean {
    fn fit(&mut self, _shape: &Shape, _room: usize) -> Option<usize> {
        Some(0)
    }

    fn operations(&self, _shape: &Shape) -> usize {
        2
    }

    fn predict(&self, _x: &Encoded, _work: &mut Work) -> f64 {
        self.mean
    }

    fn learn(&mut self, _x: &Encoded, _work: &mut Work, y: f64, weight: f64) {
        self.weight += weight;
        self.mean += weight / self.weight * (y - self.mean);
    }

    fn bytes(&self) -> usize {
        0
    }

    fn served(&self) -> Self {
        *self
    }

    fn is_sound(&self, _shape: &Shape) -> bool {
        true
    }
}

/// The last value known.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Previous;

impl Forecast for Previous {
    fn fit(&mut self, _shape: &Shape, _room: usize) -> Option<usize> {
        Some(0)
    }

    fn operations(&self, _shape: &Shape) -> usize {
        2
    }

    fn predict(&self, x: &Encoded, _work: &mut Work) -> f64 {
        x.known.value.unwrap_or(0.0)
    }

    fn learn(&mut self, _x: &Encoded, _work: &mut Work, _y: f64, _weight: f64) {}

    fn bytes(&self) -> usize {
        0
    }

    fn served(&self) -> Self {
        *self
    }

    fn is_sound(&self, _shape: &Shape) -> bool {
        true
    }
}

/// Any of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum AnyForecast {
    Mean(RunningMean),
    Previous(Previous),
    Seasonal(Seasonal),
    LeastSquares(LeastSquares),
    Net(NetForecast),
    NearRows(NearRows),
}

macro_rules! each {
    ($self:expr, $forecast:ident => $call:expr) => {
        match $self {
            AnyForecast::Mean($forecast) => $call,
            AnyForecast::Previous($forecast) => $call,
            AnyForecast::Seasonal($forecast) => $call,
            AnyForecast::LeastSquares($forecast) => $call,
            AnyForecast::Net($forecast) => $call,
            AnyForecast::NearRows($forecast) => $call,
        }
    };
}

impl AnyForecast {
    /// A copy with what predicting needs.
    pub(crate) fn served(&self) -> Self {
        match self {
            Self::Mean(m) => Self::Mean(m.served()),
            Self::Previous(m) => Self::Previous(m.served()),
            Self::Seasonal(m) => Self::Seasonal(m.served()),
            Self::LeastSquares(m) => Self::LeastSquares(m.served()),
            Self::Net(m) => Self::Net(m.served()),
            Self::NearRows(m) => Self::NearRows(m.served()),
        }
    }

    /// Whether both are of the same kind.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    pub(crate) fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        each!(self, m => m.fit(shape, room))
    }

    pub(crate) fn operations(&self, shape: &Shape) -> usize {
        each!(self, m => m.operations(shape))
    }

    pub(crate) fn predict(&self, x: &Encoded, work: &mut Work) -> f64 {
        each!(self, m => m.predict(x, work))
    }

    pub(crate) fn learn(&mut self, x: &Encoded, work: &mut Work, y: f64, weight: f64) {
        each!(self, m => m.learn(x, work, y, weight))
    }

    pub(crate) fn bytes(&self) -> usize {
        each!(self, m => m.bytes())
    }

    pub(crate) fn is_sound(&self, shape: &Shape) -> bool {
        each!(self, m => m.is_sound(shape))
    }
}
