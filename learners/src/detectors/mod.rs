//! Drift detectors, one a file; the catalog is the closed list.

mod adwin;
pub mod catalog;
mod detector;

pub use adwin::Adwin;
pub use catalog::AnyDetector;
pub use detector::{Detector, Signal};
