//! Matthews' correlation coefficient of labels and predictions, -1..=1, for any number of classes (R_K): their covariance
//! over the root of the product of their variances. Absent while either never varied.
//!
//! Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004.

use super::tally::Tally;
use super::{accuracy, finite};

pub(super) fn of(tally: &Tally) -> Option<f64> {
    let (mut together, mut labels, mut predictions, mut predicted) = (0.0, 0.0, 0.0, 0.0);
    for (truth, prediction, _) in tally.shares() {
        together += truth * prediction;
        labels += truth * truth;
        predictions += prediction * prediction;
        predicted += prediction;
    }
    // No prediction is a class of its own.
    let nobody = (1.0 - predicted).max(0.0);
    let (labels, predictions) = (1.0 - labels, 1.0 - (predictions + nobody * nobody));
    let varied = labels > 0.0 && predictions > 0.0;
    finite((accuracy::of(tally)? - together) / (labels.sqrt() * predictions.sqrt())).filter(|_| varied)
}
