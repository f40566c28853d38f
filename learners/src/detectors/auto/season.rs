//! The guard against seasons: how far means of blocks swing by themselves.
//!
//! For blocks of 256, 512, … 16,384 losses the last 32 squared second differences of successive means are kept. Of
//! independent losses they are `6 tau var / b` times chi-squared(1), whose median is 0.455; what the median shows
//! beyond that is swing. The median, not the mean: a jump is in three of them and must not blind the detector.

use serde::{Deserialize, Serialize};

const SMALLEST: u32 = 256;
const SIZES: usize = 7;
const RING: usize = 32;
/// Second differences from which a size has a say.
const LEAST: usize = 8;
/// The standard deviation of the swing to the change that it can pass for.
const MARGIN: f64 = 1.4;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Level {
    /// The first half of the block being filled, as a mean.
    half: Option<f64>,
    /// Means of the last two blocks, the older first.
    last: [Option<f64>; 2],
    squares: [f64; RING],
    count: usize,
}

impl Level {
    fn push(&mut self, mean: f64) {
        if let [Some(a), Some(b)] = self.last {
            let second = a - 2.0 * b + mean;
            self.squares[self.count % RING] = second * second;
            self.count += 1;
        }
        self.last = [self.last[1], Some(mean)];
    }

    /// The variance of the swing beyond that of a block's mean; 0 if it is not significant.
    fn swing(&self, noise: f64) -> f64 {
        let n = self.count.min(RING);
        if n < LEAST {
            return 0.0;
        }
        let mut squares = self.squares;
        let squares = &mut squares[..n];
        squares.sort_unstable_by(f64::total_cmp);
        let median = f64::midpoint(squares[(n - 1) / 2], squares[n / 2]);
        let swing = median / (0.455 * 6.0) - noise;
        if swing > 7.0 / (n as f64).sqrt() * noise { swing } else { 0.0 }
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
        if self.filled == SMALLEST {
            let mean = self.sum / f64::from(SMALLEST);
            (self.filled, self.sum) = (0, 0.0);
            self.block(mean, noise);
        }
    }

    #[cold]
    fn block(&mut self, mut mean: f64, noise: f64) {
        for level in &mut self.levels {
            level.push(mean);
            // Two blocks make one of the next size.
            match level.half.take() {
                None => {
                    level.half = Some(mean);
                    break;
                }
                Some(half) => mean = f64::midpoint(half, mean),
            }
        }
        let sizes = (0..SIZES).map(|k| f64::from(SMALLEST << k));
        let most = self.levels.iter().zip(sizes).map(|(level, b)| level.swing(noise / b)).fold(0.0, f64::max);
        self.swing = MARGIN * most.sqrt();
    }
}
