//! Incremental models, detectors and scores: pure maths. One algorithm a file; the catalog holds the closed lists.
//!
//! Nothing here sees a clock, a thread's timing, a hash map's order or the system's maths library, so that the same
//! rows give the same bits everywhere.

mod adagrad;
mod autocorrelation;
mod baseline;
mod bounded;
mod budget;
pub mod catalog;
mod combiners;
mod committee;
pub mod detectors;
mod ensemble;
mod explain;
mod forecaster;
mod forecasts;
mod forest;
mod ftrl;
mod gain;
mod hoeffding_tree;
mod hold;
mod incident;
mod inputs;
mod lanes;
mod learner;
mod linear;
mod maths;
mod members;
mod naive_bayes;
mod neighbours;
mod net;
mod outcome;
mod pieces;
mod prediction;
mod promotion;
mod refit;
mod report;
mod rolling;
mod scores;
mod section;
mod spec;
mod threads;
mod verdict;
#[cfg(feature = "witness")]
mod witness;

pub use baseline::{Majority, Mean, NoChange};
pub use catalog::AnyLearner;
pub use committee::Committee;
pub use detectors::{Adwin, AnyDetector, Auto, Ddm, Detector, HddmA, HddmW, Kswin, PageHinkley, RollingLoss, Signal};
pub use ensemble::Ensemble;
pub use explain::{Explanation, InputShare, Member, PAST};
pub use forecaster::Forecaster;
pub use forest::Forest;
pub use ftrl::Ftrl;
pub use hoeffding_tree::{HoeffdingTreeClassifier, HoeffdingTreeRegressor};
pub use incident::{Change, Incident, IncidentEnd, Turn};
pub use learner::{Learner, Snapshot};
pub use linear::Linear;
pub use naive_bayes::NaiveBayes;
pub use outcome::{Outcome, RANKED};
pub use prediction::{Prediction, Scratch};
pub use promotion::{Evidence, Promotion};
pub use refit::{Fits, Refit};
pub use report::{ClassFigures, ClassReport, Figures, Report};
pub use scores::{Scores, WINDOW};
pub use section::{RestoreError, Section};
pub use spec::{LearnerSpec, Params, SpecError};
pub use verdict::Monitor;
#[cfg(feature = "witness")]
pub use witness::Witness;
