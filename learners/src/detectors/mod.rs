//! Drift detectors, one a file; the catalog is the closed list.

mod adwin;
mod auto;
pub mod catalog;
mod detector;

pub use adwin::Adwin;
pub use auto::Auto;
pub use catalog::AnyDetector;
pub use detector::{Detector, Signal};
