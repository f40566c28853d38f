//! Naive Bayes over a leaf's statistics, in the domain of logarithms: one logarithm a class.
//!
//! A number counts by its class's normal density, a name by its smoothed frequency. A class that has not been seen in
//! the leaf gets nothing once another one has. Unlike MOA's, a class's spread is at least a small share of the widest
//! one's in the leaf, and no single column can rule a class out: products neither vanish nor overflow.

use features::Row;

use super::blocks::{Blocks, Numbers};
use super::columns::{Columns, WIDE};
use super::maths::{self, Product, split};
use crate::Prediction;

/// The narrowest variance, as a share of the widest class's in the leaf, is 1 / this.
const NARROWEST: f64 = 1e6;
/// Squared distance in units of the variance beyond which everything is equally far.
const APART: f64 = 1e4;
/// The same for a column that a class was never seen with.
const UNSEEN: f64 = 9.0;

/// 1 / variance; infinite where there is none.
#[inline(always)]
fn precision(weight: f64, m2: f64) -> f64 {
    let p = (weight - 1.0) / m2;
    if weight > 1.0 && m2 > 0.0 && p < 1e290 { p } else { f64::INFINITY }
}

/// What a leaf has seen: of each class its weight and the slot of its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) counts: &'a [f64],
    pub(super) slots: &'a [u32],
    pub(super) blocks: &'a Blocks,
    pub(super) columns: &'a Columns,
}

impl Seen<'_> {
    /// Writes the probability of every class into `out`: shares of the class weights while there are no statistics.
    /// `x`: the numbers of `row`.
    #[inline]
    pub(super) fn naive_bayes(self, x: &[f64], row: &Row<'_>, widest: &mut Vec<f64>, out: &mut Prediction) {
        let Self { counts, slots, blocks, columns } = self;
        out.clear();
        widest.clear();
        widest.resize(x.len(), f64::INFINITY);
        let mut any = false;
        for &slot in slots.iter().filter(|slot| **slot != 0) {
            any = true;
            let numbers = blocks.numbers(slot);
            for ((least, &weight), &m2) in widest.iter_mut().zip(numbers.weight).zip(numbers.m2) {
                let p = precision(weight, m2);
                *least = if p < *least { p } else { *least };
            }
        }
        if !any {
            out.probabilities.extend_from_slice(counts);
            if !counts.is_empty() {
                out.normalise();
            }
            return;
        }
        let mut best = f64::NEG_INFINITY;
        out.probabilities.extend(slots.iter().zip(counts).map(|(&slot, &count)| {
            if slot == 0 {
                return f64::NEG_INFINITY;
            }
            let mut score = density(blocks.numbers(slot), x, widest).times(count).times(count);
            for (i, names) in columns.names.iter().enumerate() {
                if let Some(category) = names.category(row) {
                    let (total, weights) = blocks.names(slot, i);
                    let weight = weights.get(category).copied().unwrap_or(0.0);
                    let p = (weight + 1.0) / (total + f64::from(names.seen.max(1)));
                    score = score.times(p * p);
                }
            }
            let score = 0.5 * (score.product.ln() - score.distance);
            best = if score > best { score } else { best };
            score
        }));
        let mut sum = 0.0;
        for p in &mut out.probabilities {
            *p = maths::exp(*p - best);
            sum += *p;
        }
        out.probabilities.iter_mut().for_each(|p| *p /= sum);
    }
}

/// A density squared: a product, and the exponent of e that it still has to be multiplied with, negated.
struct Squared {
    product: Product,
    distance: f64,
}

impl Squared {
    fn times(self, x: f64) -> Self {
        Self { product: self.product.times(x), ..self }
    }
}

/// The squared normal density of the numbers `x`, without the constant factor.
#[inline]
fn density(seen: Numbers<'_>, x: &[f64], widest: &[f64]) -> Squared {
    let mut mantissa = [1.0; WIDE];
    let mut exponent = [0_i64; WIDE];
    let mut distance = [0.0; WIDE];
    let lanes = x.len();
    let (weight, mean, m2, widest) = (&seen.weight[..lanes], &seen.mean[..lanes], &seen.m2[..lanes], &widest[..lanes]);
    for at in (0..lanes / WIDE * WIDE).step_by(WIDE) {
        for j in 0..WIDE {
            let i = at + j;
            let least = if widest[i] < 1e290 { widest[i] } else { 1.0 };
            let narrow = widest[i] * NARROWEST;
            let p = precision(weight[i], m2[i]);
            let p = if p < narrow { p } else { narrow };
            let d = x[i] - mean[i];
            // Every class is constant here: as far apart as can be, or the same.
            let still = if d == 0.0 { 0.0 } else { APART };
            let q = if p < 1e300 { d * d * p } else { still };
            let p = if p < 1e300 { p } else { 1.0 };
            let q = if q < APART { q } else { APART };
            let (p, q) = if weight[i] > 0.0 { (p, q) } else { (least, UNSEEN) };
            let (p, q) = if x[i].is_nan() { (1.0, 0.0) } else { (p, q) };
            let (m, e) = split(p);
            mantissa[j] *= m;
            exponent[j] += e;
            distance[j] += q;
        }
    }
    // A mantissa is below 2^250 here: at most 1,000 numbers, four at a time.
    let mut product = Product::EMPTY;
    for j in 0..WIDE {
        product = product.times(mantissa[j]).shifted(exponent[j]);
    }
    Squared { product, distance: (distance[0] + distance[1]) + (distance[2] + distance[3]) }
}
