//! How well a learner does, in numbers for people and programs.

use serde::{Deserialize, Serialize};

/// Scores of one learner. What does not apply to the task is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Share of right classes over all events, 0..1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Cohen's kappa, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa: Option<f64>,
    /// Kappa against the last label again, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa_t: Option<f64>,
    /// Mean negative natural logarithm of the true class's probability (floored at 1e-15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    /// Expected calibration error over 10 equal bins of confidence, 0..1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ece: Option<f64>,
    /// Mean absolute error, in units of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Root of the mean squared error, in units of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// 1 - squared error / squared deviation from the mean, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Mean loss over the last 1,000 events: share of wrong classes, or mean absolute error.
    pub rolling_loss: Option<f64>,
    /// Mean loss, each event counting 0.999 of the next.
    pub fading_loss: Option<f64>,
    /// The lowest rolling loss (full window) since the learner was deployed.
    pub best_loss: Option<f64>,
    /// The no-change baseline's mean loss over the same last 1,000 events.
    pub baseline_loss: Option<f64>,
}
