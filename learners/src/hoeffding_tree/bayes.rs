//! Naive Bayes over a leaf's statistics, in the domain of logarithms: one logarithm a class.
//!
//! A number counts by its class's normal density, a name by its smoothed frequency. A class that has not been seen in
//! the leaf gets nothing once another one has. Unlike MOA's, a class's spread is at least a small share of the widest
//! one's in the leaf, and no single column can rule a class out: products neither vanish nor overflow.

use features::Row;

use super::columns::{Columns, WIDE};
use crate::Prediction;
use crate::maths::{self, Product};

/// The narrowest variance, as a share of the widest class's in the leaf, is 1 / this.
const NARROWEST: f64 = 1e6;
/// 1 / variance stays below this, where all classes are constant.
const CONSTANT: f64 = 1e290;
/// 1 / variance of all classes where the row's value is missing.
const MISSING: f64 = 1e-290;
/// Squared distance in units of the variance beyond which everything is equally far.
const APART: f64 = 1e4;
/// The same for a column that a class was never seen with.
const UNSEEN: f64 = 9.0;

/// Blocks of what leaves have seen of a class.
pub(super) trait Statistics {
    /// Writes 1 / variance of a slot's numbers, a lane each: infinite where there is none, NaN where nothing was seen.
    fn precisions(&self, slot: u32, out: &mut [f64]);

    /// The means of a slot's numbers, a lane each.
    fn means(&self, slot: u32) -> &[f64];

    /// Total weight and weight a category of nominal column `name` in a slot's block.
    fn names(&self, slot: u32, name: usize) -> (f64, &[f64]);
}

/// What a leaf has seen: of each class its weight and the slot of its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a, S> {
    pub(super) counts: &'a [f64],
    pub(super) slots: &'a [u32],
    pub(super) blocks: &'a S,
    pub(super) columns: &'a Columns,
}

impl<S: Statistics> Seen<'_, S> {
    /// Writes the probability of every class into `out`: shares of the class weights while there are no statistics.
    /// `x`: the numbers of `row`; `memory`: any numbers, to be overwritten.
    #[inline]
    pub(super) fn naive_bayes(self, x: &[f64], row: &Row<'_>, memory: &mut Vec<f64>, out: &mut Prediction) {
        let Self { counts, slots, blocks, columns } = self;
        let lanes = x.len();
        let used = slots.iter().filter(|slot| **slot != 0).count();
        out.clear();
        if used == 0 {
            out.probabilities.extend_from_slice(counts);
            if !counts.is_empty() {
                out.normalise();
            }
            return;
        }
        memory.resize(memory.len().max((Asked::ARRAYS + used) * lanes), 0.0);
        let (asked, precisions) = memory.split_at_mut(Asked::ARRAYS * lanes);
        let mut asked = Asked::new(asked, x);
        for (i, &slot) in slots.iter().filter(|slot| **slot != 0).enumerate() {
            let precisions = &mut precisions[i * lanes..][..lanes];
            blocks.precisions(slot, precisions);
            asked.see(precisions);
        }
        asked.close(x);
        let mut seen = 0;
        let mut best = f64::NEG_INFINITY;
        for (&slot, &count) in slots.iter().zip(counts) {
            if slot == 0 {
                out.probabilities.push(f64::NEG_INFINITY);
                continue;
            }
            let (product, distance) = asked.density(blocks.means(slot), &precisions[seen * lanes..][..lanes]);
            seen += 1;
            let mut product = product.times(count * count);
            for (i, names) in columns.names.iter().enumerate() {
                if let Some(category) = names.category(row) {
                    let (total, weights) = blocks.names(slot, i);
                    let weight = weights.get(category).copied().unwrap_or(0.0);
                    let p = (weight + 1.0) / (total + f64::from(names.seen.max(1)));
                    product = product.times(p * p);
                }
            }
            let score = 0.5 * (product.ln() - distance);
            best = if score > best { score } else { best };
            out.probabilities.push(score);
        }
        let mut sum = 0.0;
        for p in &mut out.probabilities {
            *p = maths::exp(*p - best);
            sum += *p;
        }
        let share = 1.0 / sum;
        out.probabilities.iter_mut().for_each(|p| *p *= share);
    }
}

/// A row's numbers, and how narrow and how wide the leaf's classes are around them.
struct Asked<'a> {
    /// The row's numbers, 0 where missing.
    x: &'a mut [f64],
    /// 1 / variance of the widest class.
    widest: &'a mut [f64],
    /// What 1 / variance may be at most.
    limit: &'a mut [f64],
    /// Squared distance to a class that the column was never seen with.
    far: &'a mut [f64],
}

impl<'a> Asked<'a> {
    const ARRAYS: usize = 4;

    #[inline(always)]
    fn new(memory: &'a mut [f64], x: &[f64]) -> Self {
        let (clean, memory) = memory.split_at_mut(x.len());
        let (widest, memory) = memory.split_at_mut(x.len());
        let (limit, far) = memory.split_at_mut(x.len());
        widest.fill(f64::INFINITY);
        Self { x: clean, widest, limit, far }
    }

    /// Takes in a class by its 1 / variance of every number.
    #[inline(always)]
    fn see(&mut self, precisions: &[f64]) {
        for (widest, &p) in self.widest.iter_mut().zip(precisions) {
            *widest = if p < *widest { p } else { *widest };
        }
    }

    /// All classes have been seen.
    #[inline(always)]
    fn close(&mut self, x: &[f64]) {
        let lanes = x.len();
        let (clean, widest) = (&mut self.x[..lanes], &mut self.widest[..lanes]);
        let (limit, far) = (&mut self.limit[..lanes], &mut self.far[..lanes]);
        for i in 0..lanes {
            let missing = x[i].is_nan();
            let narrow = widest[i] * NARROWEST;
            let narrow = if narrow < CONSTANT { narrow } else { CONSTANT };
            let wide = if widest[i] < CONSTANT { widest[i] } else { CONSTANT };
            clean[i] = if missing { 0.0 } else { x[i] };
            limit[i] = if missing { MISSING } else { narrow };
            widest[i] = wide;
            far[i] = UNSEEN / wide;
        }
    }

    /// A class's squared normal density, without the constant factor: what to multiply with exp(-distance).
    #[inline(always)]
    fn density(&self, means: &[f64], precisions: &[f64]) -> (Product, f64) {
        let mut mantissa = [1.0; WIDE];
        let mut exponent = [0; WIDE];
        let mut distance = [0.0; WIDE];
        let lanes = self.x.len();
        let (means, precisions) = (&means[..lanes], &precisions[..lanes]);
        let (x, widest) = (&self.x[..lanes], &self.widest[..lanes]);
        let (limit, far) = (&self.limit[..lanes], &self.far[..lanes]);
        for at in (0..lanes / WIDE * WIDE).step_by(WIDE) {
            for j in 0..WIDE {
                let i = at + j;
                let (p, d) = (precisions[i], x[i] - means[i]);
                let (p, d2) = if p.is_nan() { (widest[i], far[i]) } else { (p, d * d) };
                let p = if p < limit[i] { p } else { limit[i] };
                let q = d2 * p;
                distance[j] += if q < APART { q } else { APART };
                let (m, e) = maths::split(p);
                mantissa[j] *= m;
                exponent[j] += e;
            }
        }
        let product = Product::of(mantissa, exponent);
        (product, (distance[0] + distance[1]) + (distance[2] + distance[3]))
    }
}
