//! What fold version 3 saved: the guard against seasons kept other numbers. It begins anew, the rest goes on.

use serde::Deserialize;

use super::{Auto, Drift, Histogram, Lot, Season, Tau};

type Level = (Option<f64>, [f64; 12], usize, Vec<f64>, f64);

/// The fields of [`Auto`], in their order.
#[derive(Deserialize)]
pub(in crate::detectors) struct Former(
    f64,
    f64,
    u64,
    Histogram,
    Option<Lot>,
    Option<u64>,
    Tau,
    #[expect(dead_code, reason = "it is read over")] (u32, f64, [Level; 7], f64),
    bool,
    Option<Drift>,
);

impl From<Former> for Auto {
    fn from(Former(threshold, min_effect, seen, histogram, base, mark, tau, _, warning, drift): Former) -> Self {
        let season = Season::default();
        Self { threshold, min_effect, seen, histogram, base, mark, tau, season, warning, drift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saved by fold version 3 after 20,000 errors of .2 and 500 of .4, an incident open.
    const SAVED: &[u8] = include_bytes!("../../../tests/golden/auto_detector_fold_3.bin");

    #[test]
    fn a_state_of_fold_version_3_goes_on() {
        let auto = Auto::from(postcard::from_bytes::<Former>(SAVED).unwrap());
        let level = auto.base.unwrap().mean();
        assert!((level - 0.2).abs() < 0.01, "{level}");
        assert!(auto.seen == 20_500 && auto.drift.is_some() && auto.histogram.count < 600 && auto.tau.tau == 1.0);
        // All of it was read.
        assert!(postcard::from_bytes::<(Former, u8)>(SAVED).is_err());
    }
}
