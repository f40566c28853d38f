//! Expected calibration error: over 10 equal bins of confidence (the probability of the predicted class), the share of
//! events in the bin times how far its accuracy is from its mean confidence, 0..=1. 0: what is said with 80 % is right 8
//! times of 10.
//!
//! Naeini, Cooper & Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, 2015.

use super::finite;
use super::tally::Tally;

pub(super) fn of(tally: &Tally) -> Option<f64> {
    let gaps: f64 = tally.bins.iter().map(|bin| (bin.right - bin.confidence).abs()).sum();
    finite(gaps / tally.events)
}
