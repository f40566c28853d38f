//! The parameters of a tree.

use crate::{Params, SpecError};

/// Surer than this (MOA's 1e-7), a tree grows too slowly for streams that change; CapyMOA has the same.
const CONFIDENCE: f64 = 1e-3;

/// Parameters shared by both trees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Weight that a leaf takes in between two attempts to split.
    pub(super) grace: f64,
    /// Probability of choosing another column than the best one.
    pub(super) confidence: f64,
    /// Below this bound the best column is taken although another one is near.
    pub(super) tie: f64,
    /// Whether children start with what the split says of their share.
    pub(super) inherit: bool,
    /// The byte budget.
    pub(super) max_bytes: usize,
}

impl Settings {
    pub(super) fn read(params: &Params<'_>) -> Result<Self, SpecError> {
        Ok(Self {
            grace: params.whole("grace", 200, 1, 1_000_000)? as f64,
            confidence: params.number("confidence", CONFIDENCE, 1e-12, 0.5)?,
            tie: params.number("tie", 0.05, 0.0, 1.0)?,
            inherit: params.choice("inherit", &["true", "false"])? == 0,
            max_bytes: params.max_bytes()?,
        })
    }

    /// Hoeffding's bound on the difference of two means of `weight` values within `range`.
    pub(super) fn bound(&self, range: f64, weight: f64) -> f64 {
        (range * range * libm::log(1.0 / self.confidence) / (2.0 * weight)).sqrt()
    }
}
