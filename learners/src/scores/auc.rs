//! Area under the ROC curve of a class: the chance that an event with its label was given a higher probability of it than
//! an event with another label, ties counting half. Macro: the plain mean over the classes that have events of both
//! kinds, one class against the rest; with two classes both have the same area.
//!
//! Probabilities are counted by rank (256 of them, finest near 0 and 1), so memory is bounded and an event costs one
//! addition a class. Two that fall into one rank count as a tie: the exact area is off by half the share of such pairs at
//! most, and that is told beside it. With more than 8 classes there is none.
//!
//! Fawcett, An introduction to ROC analysis, 2006; Hand & Till, A simple generalisation of the area under the ROC curve,
//! 2001.

use super::tally::Tally;
use crate::outcome::RANKS;

/// The macro area, and how far the exact one can be from it.
pub(super) fn of(tally: &Tally) -> Option<(f64, f64)> {
    let (mut area, mut error, mut classes) = (0.0, 0.0, 0.0);
    for (own, off) in (0..tally.ranks.len() / RANKS).filter_map(|class| of_class(tally, class)) {
        area += own;
        error += off;
        classes += 1.0;
    }
    (classes > 0.0).then(|| (area / classes, error / classes))
}

/// The same of one class.
pub(super) fn of_class(tally: &Tally, class: usize) -> Option<(f64, f64)> {
    let ranks = tally.ranks.get(class * RANKS..(class + 1) * RANKS)?;
    let (mut below, mut own, mut higher, mut tied) = (0.0, 0.0, 0.0, 0.0);
    for [others, its] in ranks {
        higher += its * below;
        tied += its * others;
        below += others;
        own += its;
    }
    let pairs = below * own;
    (pairs > 0.0).then(|| ((higher + 0.5 * tied) / pairs, 0.5 * tied / pairs))
}
