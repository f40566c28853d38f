//! The guard against seasons: how far means of blocks swing by themselves, up and down.
//!
//! For blocks of 256, 512, … 16,384 losses, a new one beginning every quarter of a block, the last 64 differences between
//! two blocks side by side are kept. Of independent losses their variance is `2 tau var / b`, and a fifth of them lies more
//! than 0.8416 deviations below 0, a fifth above it; what the nearer of these two quantiles shows beyond that is swing. The
//! nearer, because a season falls as often as it rises: a jump or a slow rise goes one way only and must not blind the
//! detector. Quantiles, not moments: nor must a jump and its way back for long.
//!
//! A season shows in blocks of a quarter to a half of it. A size has a say after 17 differences, that is 6 blocks: within
//! three seasons there is one for all of up to about 60,000 losses.

use serde::{Deserialize, Serialize};

const SMALLEST: u32 = 256;
const SIZES: usize = 7;
/// Blocks that begin within one.
const OVERLAP: usize = 4;
/// Differences kept, and from which a size has a say.
const RING: usize = 64;
const LEAST: usize = 17;
/// How far a swing exceeds what is left of the noise, with as many blocks.
const SIGNIFICANT: f64 = 5.0;
/// One of so many differences lies below the lower quantile, one above the upper; of normal ones at these deviations.
const SHARE: usize = 5;
const DEVIATIONS: f64 = 0.8416;
/// The standard deviation of the swing to the change that it can pass for.
const MARGIN: f64 = 1.65;

/// Blocks of one size.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Level {
    /// The first half of a part of the next size.
    half: Option<f64>,
    /// Means of the last quarters of blocks, the newest last, and how many there have been.
    parts: [f64; 2 * OVERLAP],
    pushed: usize,
    /// The last differences, at most [`RING`], and their places from the least to the greatest.
    differences: Vec<f64>,
    sorted: Vec<u8>,
}

impl Level {
    fn push(&mut self, part: f64) {
        self.parts.rotate_left(1);
        self.parts[2 * OVERLAP - 1] = part;
        self.pushed += 1;
        let Some(count) = self.pushed.checked_sub(2 * OVERLAP) else { return };
        let mean = |block: usize| self.parts[block * OVERLAP..][..OVERLAP].iter().sum::<f64>() / OVERLAP as f64;
        let difference = mean(1) - mean(0);
        let place = count % RING;
        if self.differences.len() < RING {
            self.differences.push(difference);
        } else {
            self.differences[place] = difference;
            self.sorted.retain(|other| usize::from(*other) != place);
        }
        let rank = self.sorted.partition_point(|other| self.differences[usize::from(*other)] < difference);
        self.sorted.insert(rank, place as u8);
    }

    /// The variance of the swing beyond `noise`, that of a block's mean; 0 if it is not significant.
    fn swing(&self, noise: f64) -> f64 {
        let n = self.differences.len();
        if n < LEAST {
            return 0.0;
        }
        // As many blocks as lie side by side.
        let apart = 1.0 + (n - 1) as f64 / OVERLAP as f64;
        let ranked = |rank: usize| self.differences[usize::from(self.sorted[rank])];
        let beyond = (n - 1) / SHARE;
        let nearer = ranked(n - 1 - beyond).min(-ranked(beyond)).max(0.0) / DEVIATIONS;
        let swing = nearer * nearer / 2.0 - noise;
        if swing > SIGNIFICANT / apart.sqrt() * noise { swing } else { 0.0 }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Season {
    filled: u32,
    sum: f64,
    levels: [Level; SIZES],
    /// The rise or fall that a season explains.
    pub(super) swing: f64,
}

impl Season {
    /// `noise`: tau times the variance of one loss.
    pub(super) fn push(&mut self, loss: f64, noise: f64) {
        self.sum += loss;
        self.filled += 1;
        if self.filled == SMALLEST / OVERLAP as u32 {
            let mean = self.sum / f64::from(self.filled);
            (self.filled, self.sum) = (0, 0.0);
            self.part(mean, noise);
        }
    }

    #[cold]
    fn part(&mut self, mut mean: f64, noise: f64) {
        for level in &mut self.levels {
            level.push(mean);
            // Two parts make one of the next size.
            match level.half.take() {
                None => {
                    level.half = Some(mean);
                    break;
                }
                Some(half) => mean = f64::midpoint(half, mean),
            }
        }
        let most = self.levels.iter().enumerate().map(|(k, level)| level.swing(noise / f64::from(SMALLEST << k)));
        self.swing = MARGIN * most.fold(0.0, f64::max).sqrt();
    }

    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map(|level| size_of_val(&*level.differences) + level.sorted.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_ranked_as_they_come_and_go() {
        let (mut level, mut state) = (Level::default(), 1_u64);
        for i in 0..1_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Coarse, so that many differences are equal; wider in the second half.
            level.push((state >> 61) as f64 * if i < 500 { 0.01 } else { 0.1 });
            let mut sorted = level.differences.clone();
            sorted.sort_by(f64::total_cmp);
            let ranked: Vec<f64> = level.sorted.iter().map(|place| level.differences[usize::from(*place)]).collect();
            assert_eq!(ranked, sorted, "after {i}");
        }
        assert_eq!(level.differences.len(), RING);
    }
}
