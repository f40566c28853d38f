//! Drift detectors: something has changed in a stream of losses.

use serde::{Deserialize, Serialize};

/// What a detector, or a model watched by one, says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Nothing has changed.
    #[default]
    Stable,
    /// The loss may be rising.
    Warning,
    /// The loss has risen.
    Drift,
}

/// Watches a stream of losses (higher is worse).
pub trait Detector {
    /// Takes in the next loss and says what it makes of the stream so far.
    fn update(&mut self, loss: f64) -> Signal;
}
