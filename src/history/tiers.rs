//! Samples in bounded memory: every second of the last hour, then fewer and fewer back to thirty days.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::sample::Sample;

/// Milliseconds between two samples, and how many are kept: an hour, half a day, three days, thirty days. All together
/// hold about 10 MB a model.
const TIERS: [(i64, usize); 4] = [(1_000, 3_600), (10_000, 4_320), (60_000, 4_320), (600_000, 4_320)];

/// Samples of one model, the finest tier first. Every tier takes in every sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tiers([Tier; 4]);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tier {
    samples: VecDeque<Sample>,
    /// How many the newest stands for.
    in_newest: u32,
}

impl Tier {
    fn push(&mut self, sample: &Sample, step_ms: i64, kept: usize) {
        // The clock was set back: what was recorded beyond it would never be in order again.
        while self.samples.back().is_some_and(|newest| newest.at_ms > sample.at_ms) {
            self.samples.pop_back();
            self.in_newest = 1;
        }
        if let Some(newest) = self.samples.back_mut()
            && newest.at_ms.div_euclid(step_ms) == sample.at_ms.div_euclid(step_ms)
        {
            newest.absorb(sample, self.in_newest);
            self.in_newest += 1;
            return;
        }
        if self.samples.len() >= kept {
            self.samples.pop_front();
        }
        self.samples.push_back(sample.clone());
        self.in_newest = 1;
    }
}

impl Tiers {
    pub fn push(&mut self, sample: &Sample) {
        for (tier, (step_ms, kept)) in self.0.iter_mut().zip(TIERS) {
            tier.push(sample, step_ms, kept);
        }
    }

    /// From the finest tier that reaches back so far, at every moment; no two nearer than `step_ms`.
    pub fn between(&self, from: i64, to: i64, step_ms: i64) -> Vec<Sample> {
        let mut found: Vec<Sample> = Vec::new();
        let mut in_last = 0;
        for (i, tier) in self.0.iter().enumerate().rev() {
            let finer = i.checked_sub(1).and_then(|finer| self.0[finer].samples.front());
            let until = finer.map_or(i64::MAX, |first| first.at_ms);
            let first = tier.samples.partition_point(|sample| sample.at_ms < from);
            for sample in tier.samples.range(first..).take_while(|sample| sample.at_ms <= to && sample.at_ms < until) {
                match found.last_mut() {
                    Some(last) if last.at_ms.div_euclid(step_ms) == sample.at_ms.div_euclid(step_ms) => {
                        last.absorb(sample, in_last);
                        in_last += 1;
                    }
                    _ => {
                        found.push(sample.clone());
                        in_last = 1;
                    }
                }
            }
        }
        found.into_iter().map(Sample::shorten).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: i64, events_per_second: f64) -> Sample {
        Sample { at_ms, events_per_second, loss: [("a".into(), events_per_second / 10.0)].into(), ..Sample::default() }
    }

    fn times(found: &[Sample]) -> Vec<i64> {
        found.iter().map(|sample| sample.at_ms).collect()
    }

    #[test]
    fn a_second_is_one_sample_with_its_means() {
        let mut tiers = Tiers::default();
        for (at_ms, rate) in [(1_000, 1.0), (1_250, 2.0), (1_500, 3.0), (1_750, 6.0), (2_000, 9.0)] {
            tiers.push(&sample(at_ms, rate));
        }
        let found = tiers.between(0, 9_999, 1_000);
        assert_eq!(times(&found), [1_750, 2_000]);
        assert_eq!((found[0].events_per_second, found[0].loss["a"]), (3.0, 0.3));
        let coarse = tiers.between(0, 9_999, 5_000);
        assert_eq!(times(&coarse), [2_000], "asked for in steps of 5 s");
    }

    #[test]
    fn thirty_days_stay_within_bounds_and_in_order() {
        let mut tiers = Tiers::default();
        let end = 31 * 24 * 3_600_000;
        // Every 30 s, and the last two hours every second.
        let sparse = (0..end - 7_200_000).step_by(30_000);
        for at_ms in sparse.chain((end - 7_200_000..=end).step_by(1_000)) {
            tiers.push(&sample(at_ms, 1.0));
        }
        for (tier, (_, kept)) in tiers.0.iter().zip(TIERS) {
            assert!(tier.samples.len() <= kept);
        }
        let found = times(&tiers.between(0, end, 1_000));
        assert!(found.is_sorted_by(|a, b| a < b), "in order, none twice");
        assert!(found[0] <= end - 29 * 24 * 3_600_000, "back to {}", found[0]);
        assert_eq!(found.last(), Some(&end));
        let widest = |from: i64| found.windows(2).filter(|w| w[0] >= from).map(|w| w[1] - w[0]).max();
        assert_eq!(widest(end - 3_500_000), Some(1_000));
        assert!(widest(end - 12 * 3_500_000) <= Some(40_000));
        assert!(widest(0) <= Some(1_200_000), "nowhere a hole wider than two of the coarsest steps");
        assert_eq!(times(&tiers.between(end - 2_000, end - 1_000, 1_000)), [end - 2_000, end - 1_000]);
    }

    #[test]
    fn a_clock_set_back_keeps_the_order() {
        let mut tiers = Tiers::default();
        for at_ms in [1_000, 2_000, 3_000, 1_500, 2_500] {
            tiers.push(&sample(at_ms, 1.0));
        }
        assert_eq!(times(&tiers.between(0, 9_999, 1_000)), [1_500, 2_500]);
    }
}
