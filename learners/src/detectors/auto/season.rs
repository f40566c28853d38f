//! The guard against seasons: how far means of blocks swing by themselves.
//!
//! For blocks of 256, 512, … 16,384 losses, a new one beginning every quarter of a block, the last 64 squared second
//! differences of means one block apart are kept. Of independent losses they are `6 tau var / b` times chi-squared(1),
//! whose median is 0.455; what the median shows beyond that is swing. The median, not the mean: a jump is in twelve of
//! them and must not blind the detector.
//!
//! A season shows best in blocks of a half to a quarter of it. Since blocks overlap, those up to 2,048 have a say after
//! 4.75 blocks, within less than three seasons. In larger ones a single jump would be in most of so few differences:
//! they have one after 9.75 blocks.

use serde::{Deserialize, Serialize};

const SMALLEST: u32 = 256;
const SIZES: usize = 7;
/// Blocks that begin within one.
const OVERLAP: usize = 4;
const RING: usize = 64;
/// Second differences from which a size has a say, and from which one of the sizes behind the first four has.
const LEAST: usize = 8;
const LEAST_LARGE: usize = 28;
const SMALL_SIZES: usize = 4;
/// The standard deviation of the swing to the change that it can pass for.
const MARGIN: f64 = 1.4;

/// Blocks of one size.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Level {
    /// The first half of a part of the next size.
    half: Option<f64>,
    /// Means of the last quarters of blocks, the newest last, and how many there have been.
    parts: [f64; 3 * OVERLAP],
    pushed: usize,
    /// The last squared second differences, at most [`RING`], and their median.
    squares: Vec<f64>,
    median: f64,
}

impl Level {
    fn push(&mut self, part: f64) {
        self.parts.rotate_left(1);
        self.parts[3 * OVERLAP - 1] = part;
        self.pushed += 1;
        let Some(count) = self.pushed.checked_sub(3 * OVERLAP) else { return };
        let mean = |block: usize| self.parts[block * OVERLAP..][..OVERLAP].iter().sum::<f64>() / OVERLAP as f64;
        let second = mean(0) - 2.0 * mean(1) + mean(2);
        let square = second * second;
        if self.squares.len() < RING {
            self.squares.push(square);
        } else {
            let old = std::mem::replace(&mut self.squares[count % RING], square);
            // With both on one side of it, the median is the same.
            if old.total_cmp(&self.median) == square.total_cmp(&self.median) {
                return;
            }
        }
        let mut squares = [0.0; RING];
        let squares = &mut squares[..self.squares.len()];
        squares.copy_from_slice(&self.squares);
        let middle = (squares.len() - 1) / 2;
        self.median = *squares.select_nth_unstable_by(middle, f64::total_cmp).1;
    }

    /// The variance of the swing beyond that of a block's mean; 0 if it is not significant.
    fn swing(&self, noise: f64, least: usize) -> f64 {
        let n = self.squares.len();
        if n < least {
            return 0.0;
        }
        // As many blocks as lie side by side.
        let apart = 1.0 + (n - 1) as f64 / OVERLAP as f64;
        let swing = self.median / (0.455 * 6.0) - noise;
        if swing > 7.0 / apart.sqrt() * noise { swing } else { 0.0 }
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
        let most = self.levels.iter().enumerate().map(|(k, level)| {
            let least = if k < SMALL_SIZES { LEAST } else { LEAST_LARGE };
            level.swing(noise / f64::from(SMALLEST << k), least)
        });
        self.swing = MARGIN * most.fold(0.0, f64::max).sqrt();
    }

    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map(|level| size_of_val(&*level.squares)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_kept_is_that_of_the_squares_kept() {
        let (mut level, mut state) = (Level::default(), 1_u64);
        for i in 0..1_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Coarse, so that many squares are equal; wider in the second half.
            level.push((state >> 61) as f64 * if i < 500 { 0.01 } else { 0.1 });
            let mut sorted = level.squares.clone();
            sorted.sort_by(f64::total_cmp);
            let middle = sorted.len().saturating_sub(1) / 2;
            assert_eq!(level.median, sorted.get(middle).copied().unwrap_or(0.0), "after {i}");
        }
    }
}
