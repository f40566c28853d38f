//! The gain of recursive least squares and of online Newton steps.
//!
//! Keeps A, the inverse of the fading sum of x xᵀ, by the rule of Sherman and Morrison: with g = A x and
//! den = λ·ratio + xᵀg the gain is g/den, and A becomes (A - g gᵀ/den)/λ. `ratio` says how little the event counts (1 over
//! its weight or curvature). Directions in which nothing comes would grow without end as λ < 1; so once the trace is
//! `most` a dimension, A is scaled back.
//!
//! An event passes over the matrix once: the last change is made while the next product is computed. Only the lower
//! triangle is kept, so that it stays symmetric. Should rounding make it lose its positive sign, it begins anew.
//!
//! Cost: n² multiplications and additions an event, 4·n² bytes. Plackett, Some theorems in least squares, 1950.

use serde::{Deserialize, Serialize};

use crate::lanes::{LANES, dot};

/// Numbers of a row computed side by side.
const BLOCK: usize = 4;

/// The matrix A.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Gain {
    size: usize,
    keep: f64,
    prior: f64,
    most: f64,
    /// Row after row up to the diagonal, each padded to whole blocks.
    rows: Vec<f64>,
    /// What is still to be done: A becomes (A - factor · vector vectorᵀ) · scale.
    vector: Vec<f64>,
    factor: f64,
    scale: f64,
}

impl Gain {
    /// No dimensions yet. `keep` is λ in 0..=1; `prior` > 0 the diagonal that A begins with; the trace a dimension stays
    /// below `most`.
    pub(crate) fn new(keep: f64, prior: f64, most: f64) -> Self {
        Self { size: 0, keep, prior, most, rows: vec![], vector: vec![], factor: 0.0, scale: 1.0 }
    }

    /// Dimensions.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// λ.
    pub(crate) fn keep(&self) -> f64 {
        self.keep
    }

    /// More dimensions, at the end.
    pub(crate) fn grow(&mut self, size: usize) {
        if size <= self.size {
            return;
        }
        self.settle();
        for i in self.size..size {
            let from = self.rows.len();
            self.rows.resize(from + row_length(i), 0.0);
            self.rows[from + i] = self.prior;
        }
        self.size = size;
        self.vector = vec![0.0; size.div_ceil(LANES) * LANES];
    }

    /// Operations of a step with so many dimensions.
    pub(crate) fn operations(size: usize) -> usize {
        size * size
    }

    /// The gain of `x`, at least as long as there are dimensions (what is beyond is not looked at, and 0 in `gain`).
    pub(crate) fn step(&mut self, x: &[f64], ratio: f64, gain: &mut Vec<f64>) {
        gain.clear();
        gain.resize(self.vector.len(), 0.0);
        let trace = self.multiply(x, gain);
        let energy = dot(&x[..self.size], &gain[..self.size]);
        let den = self.keep * ratio + energy;
        let sound = energy >= 0.0 && den > 0.0 && den.is_finite() && trace.is_finite();
        if !sound {
            self.begin_anew();
            gain.fill(0.0);
            return;
        }
        self.vector.copy_from_slice(gain);
        self.factor = 1.0 / den;
        let trace = (trace - dot(gain, gain) * self.factor) / self.keep;
        let most = self.most * self.size as f64;
        self.scale = if trace > most { most / trace } else { 1.0 } / self.keep;
        gain.iter_mut().for_each(|g| *g *= self.factor);
    }

    /// Does what is still to be done, adds A x to `product`, and returns the trace.
    fn multiply(&mut self, x: &[f64], product: &mut [f64]) -> f64 {
        let (mut from, mut trace) = (0, 0.0);
        for i in 0..self.size {
            let row = &mut self.rows[from..from + row_length(i)];
            from += row.len();
            let (xi, factor, scale) = (x[i], self.factor * self.vector[i], self.scale);
            let whole = i / BLOCK * BLOCK;
            let (row, last) = row.split_at_mut(whole);
            let mut sums = [0.0; BLOCK];
            let blocks = row.as_chunks_mut::<BLOCK>().0.iter_mut();
            let products = product.as_chunks_mut::<BLOCK>().0.iter_mut();
            let xs = x.as_chunks::<BLOCK>().0.iter();
            for (((a, v), p), x) in blocks.zip(self.vector.as_chunks::<BLOCK>().0).zip(products).zip(xs) {
                for l in 0..BLOCK {
                    a[l] = (a[l] - factor * v[l]) * scale;
                    sums[l] += a[l] * x[l];
                    p[l] += a[l] * xi;
                }
            }
            let mut sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
            for (l, a) in last.iter_mut().enumerate().take(i - whole) {
                let j = whole + l;
                *a = (*a - factor * self.vector[j]) * scale;
                sum += *a * x[j];
                product[j] += *a * xi;
            }
            let a = &mut last[i - whole];
            *a = (*a - factor * self.vector[i]) * scale;
            trace += *a;
            product[i] += sum + *a * xi;
        }
        (self.factor, self.scale) = (0.0, 1.0);
        trace
    }

    fn settle(&mut self) {
        let nothing = vec![0.0; self.vector.len()];
        self.multiply(&nothing, &mut nothing.clone());
    }

    fn begin_anew(&mut self) {
        let size = std::mem::take(&mut self.size);
        self.rows.clear();
        (self.factor, self.scale) = (0.0, 1.0);
        self.grow(size);
    }

    /// Bytes of a matrix of so many dimensions.
    pub(crate) fn bytes_of(size: usize) -> usize {
        let blocks = size / BLOCK;
        let whole = BLOCK * BLOCK * blocks * (blocks + 1) / 2;
        let numbers = whole + (size % BLOCK) * (blocks + 1) * BLOCK + size.div_ceil(LANES) * LANES;
        numbers * size_of::<f64>()
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.rows) + size_of_val(&*self.vector)
    }

    /// Without the matrix: for copies that only predict.
    pub(crate) fn stripped(&self) -> Self {
        Self::new(self.keep, self.prior, self.most)
    }

    /// Whether its parts fit together: what was read back may be anything.
    pub(crate) fn is_sound(&self) -> bool {
        self.size < 1 << 16 && self.bytes() == Self::bytes_of(self.size)
    }
}

fn row_length(i: usize) -> usize {
    (i / BLOCK + 1) * BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The update as the textbook writes it, on full matrices.
    fn reference(a: &mut [Vec<f64>], x: &[f64], ratio: f64, keep: f64) -> Vec<f64> {
        let n = a.len();
        let g: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[i][j] * x[j]).sum()).collect();
        let den = keep * ratio + (0..n).map(|i| x[i] * g[i]).sum::<f64>();
        for i in 0..n {
            for j in 0..n {
                a[i][j] = (a[i][j] - g[i] * g[j] / den) / keep;
            }
        }
        g.iter().map(|g| g / den).collect()
    }

    fn x(t: usize, n: usize) -> Vec<f64> {
        let mut x: Vec<f64> = (0..n).map(|i| libm::sin((t * (i + 3)) as f64 + i as f64)).collect();
        x.resize(n.div_ceil(LANES) * LANES, 0.0);
        x
    }

    #[test]
    fn follows_the_textbook_also_while_it_grows() {
        let mut gain = Gain::new(0.99, 0.5, 1e9);
        let mut a: Vec<Vec<f64>> = vec![];
        let mut got = vec![];
        for t in 0..400 {
            let n = [1, 3, 4, 9, 13][t / 80];
            gain.grow(n);
            a.iter_mut().for_each(|row| row.resize(n, 0.0));
            while a.len() < n {
                let mut row = vec![0.0; n];
                row[a.len()] = 0.5;
                a.push(row);
            }
            let ratio = 1.0 + (t % 7) as f64;
            gain.step(&x(t, n), ratio, &mut got);
            let expected = reference(&mut a, &x(t, n), ratio, 0.99);
            for (got, expected) in got.iter().zip(&expected) {
                assert!((got - expected).abs() < 1e-9 * expected.abs().max(1e-3), "{t}: {got} {expected}");
            }
            assert_eq!(gain.bytes(), Gain::bytes_of(n));
        }
    }

    #[test]
    fn the_trace_stays_below_its_bound_where_nothing_comes() {
        let mut gain = Gain::new(0.9, 1.0, 10.0);
        gain.grow(6);
        let mut out = vec![];
        for t in 0..2_000 {
            let mut x = x(t, 6);
            x[5] = 0.0;
            gain.step(&x, 1.0, &mut out);
        }
        gain.settle();
        let trace = gain.multiply(&[0.0; 8], &mut [0.0; 8]);
        assert!(trace <= 60.0 * (1.0 + 1e-9) && trace > 30.0, "{trace}");
        let mut one = [0.0; 8];
        one[5] = 1.0;
        gain.step(&one, 1.0, &mut out);
        assert!(out[5] > 0.9, "what was never seen moves at once: {}", out[5]);
    }

    #[test]
    fn what_is_no_number_makes_it_begin_anew() {
        let mut gain = Gain::new(1.0, 1.0, 10.0);
        gain.grow(2);
        let mut out = vec![];
        gain.step(&[f64::INFINITY, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1.0, &mut out);
        assert_eq!(out, [0.0; 8]);
        gain.step(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1.0, &mut out);
        assert_eq!(out[0], 0.5);
    }
}
