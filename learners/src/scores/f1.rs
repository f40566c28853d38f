//! F1: the harmonic mean of precision and recall of a class, `2 right / (labels + predictions)`, 0..=1; macro F1 is the
//! plain mean over the classes that were a label or a prediction.
//!
//! van Rijsbergen, Information Retrieval, 1979.

use super::finite;
use super::tally::{ClassTally, Tally};

pub(super) fn of(tally: &Tally) -> Option<f64> {
    let (mut sum, mut classes) = (0.0, 0.0);
    for f1 in tally.classes.iter().filter_map(of_class) {
        sum += f1;
        classes += 1.0;
    }
    finite(sum / classes)
}

pub(super) fn of_class(class: &ClassTally) -> Option<f64> {
    finite(2.0 * class.right / (class.truths + class.predictions))
}

pub(super) fn precision(class: &ClassTally) -> Option<f64> {
    finite(class.right / class.predictions)
}

pub(super) fn recall(class: &ClassTally) -> Option<f64> {
    finite(class.right / class.truths)
}
