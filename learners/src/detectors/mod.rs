//! Drift detectors, one a file; the catalog is the closed list.

mod adwin;
mod auto;
mod budget;
pub mod catalog;
mod ddm;
mod detector;
#[cfg(test)]
mod golden;
mod hddm_a;
mod hddm_w;
mod kswin;
mod page_hinkley;
mod rolling;

pub use adwin::Adwin;
pub use auto::Auto;
pub use catalog::AnyDetector;
pub use ddm::Ddm;
pub use detector::{Detector, Signal};
pub use hddm_a::HddmA;
pub use hddm_w::HddmW;
pub use kswin::Kswin;
pub use page_hinkley::PageHinkley;
pub use rolling::RollingLoss;
