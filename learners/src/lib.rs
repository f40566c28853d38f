//! Incremental models, detectors and scores: pure maths. One algorithm a file; the catalog holds the closed lists.
//!
//! Nothing here sees a clock, a thread's timing, a hash map's order or the system's maths library, so that the same
//! rows give the same bits everywhere.

mod baseline;
pub mod catalog;
mod detector;
mod learner;
mod outcome;
mod prediction;
mod report;
mod section;
mod spec;

pub use baseline::{Majority, Mean, NoChange};
pub use catalog::AnyLearner;
pub use detector::{Detector, Signal};
pub use learner::{Learner, Snapshot};
pub use outcome::Outcome;
pub use prediction::{Prediction, Scratch};
pub use report::Report;
pub use section::{RestoreError, Section};
pub use spec::{LearnerSpec, Params, SpecError};
