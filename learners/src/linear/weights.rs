//! The numbers a linear model learns: `N` arrays (the weight itself and what its update rule remembers beside it).

use features::Row;
use serde::{Deserialize, Serialize};

use super::encoder::Encoder;
use crate::explain::Sizes;

/// Dense: one number per output and input. Sparse: one per slot (category) and output. A nominal column's dense
/// number is the working place of the category it has in the row being learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights<const N: usize> {
    inputs: usize,
    outputs: usize,
    dense: [Vec<f64>; N],
    sparse: [Vec<f64>; N],
}

/// The saved form.
#[derive(Serialize, Deserialize)]
pub struct Saved {
    inputs: usize,
    outputs: usize,
    dense: Vec<Vec<f64>>,
    sparse: Vec<Vec<f64>>,
}

impl<const N: usize> Weights<N> {
    /// All zero.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        let dense = std::array::from_fn(|_| vec![0.0; inputs * outputs]);
        Self { inputs, outputs, dense, sparse: std::array::from_fn(|_| vec![]) }
    }

    /// Follows the schema, the classes and the categories; what is new is 0.
    pub fn fit(&mut self, inputs: usize, outputs: usize, slots: usize) {
        if inputs != self.inputs || outputs != self.outputs {
            self.dense.iter_mut().for_each(|v| restride(v, self.inputs, inputs, outputs));
        }
        if outputs != self.outputs {
            self.sparse.iter_mut().for_each(|v| restride(v, self.outputs, outputs, slots));
        } else {
            self.sparse.iter_mut().for_each(|v| v.resize(slots * outputs, 0.0));
        }
        (self.inputs, self.outputs) = (inputs, outputs);
    }

    /// Writes one score per output: weight times input, and the weights of the row's categories.
    pub fn scores(&self, inputs: &[f64], encoder: &Encoder, row: &Row<'_>, scores: &mut Vec<f64>) {
        scores.clear();
        scores.extend((0..self.outputs).map(|k| dot(&self.dense[0][k * self.inputs..(k + 1) * self.inputs], inputs)));
        for (_, slot) in encoder.active(row) {
            let weights = &self.sparse[0][slot * self.outputs..(slot + 1) * self.outputs];
            scores.iter_mut().zip(weights).for_each(|(score, w)| *score += w);
        }
    }

    /// Lets `step` work on the numbers of one output, one per input, the row's categories among them.
    pub fn update(&mut self, output: usize, encoder: &Encoder, row: &Row<'_>, step: impl FnOnce([&mut [f64]; N])) {
        let (from, outputs) = (output * self.inputs, self.outputs);
        for (input, slot) in encoder.active(row) {
            for (dense, sparse) in self.dense.iter_mut().zip(&self.sparse) {
                dense[from + input] = sparse[slot * outputs + output];
            }
        }
        step(self.dense.each_mut().map(|v| &mut v[from..from + self.inputs]));
        for (input, slot) in encoder.active(row) {
            for (dense, sparse) in self.dense.iter().zip(&mut self.sparse) {
                sparse[slot * outputs + output] = dense[from + input];
            }
        }
    }

    /// Tells `sizes` what the weights say about each column; with `fixed` there is one output more, whose weights are 0.
    pub fn measure(&self, encoder: &Encoder, fixed: bool, sizes: &mut Sizes) {
        let count = (self.outputs + usize::from(fixed)) as f64;
        let dense = |output: usize, input: usize| self.dense[0][output * self.inputs + input];
        let sparse = |output: usize, slot: usize| self.sparse[0][slot * self.outputs + output];
        // A regression has no outputs' mean to take off.
        let mean = |sum: f64| if fixed { sum / count } else { 0.0 };
        let dense_mean = |input: usize| mean((0..self.outputs).map(|k| dense(k, input)).sum());
        let sparse_mean = |slot: usize| mean((0..self.outputs).map(|k| sparse(k, slot)).sum());
        for column in encoder.numbers() {
            let mean = dense_mean(column + 1);
            (0..self.outputs).for_each(|k| sizes.number(column, dense(k, column + 1) - mean));
            sizes.number(column, mean);
        }
        for (column, slots) in encoder.categories() {
            let slots: Vec<(usize, f64)> = slots.map(|slot| (slot, sparse_mean(slot))).collect();
            for k in 0..self.outputs {
                sizes.categories(column, slots.iter().map(|(slot, mean)| sparse(k, *slot) - mean));
            }
            sizes.categories(column, slots.iter().map(|(_, mean)| *mean));
        }
    }

    /// Bytes of this many numbers a weight.
    pub fn bytes_of(inputs: usize, outputs: usize, slots: usize) -> usize {
        (inputs + slots).saturating_mul(outputs).saturating_mul(N * size_of::<f64>())
    }

    /// The saved form.
    pub fn save(&self) -> Saved {
        let (dense, sparse) = (self.dense.to_vec(), self.sparse.to_vec());
        Saved { inputs: self.inputs, outputs: self.outputs, dense, sparse }
    }

    /// What was saved, if it fits.
    pub fn restore(saved: Saved, inputs: usize, outputs: usize, slots: usize) -> Option<Self> {
        let dense: [Vec<f64>; N] = saved.dense.try_into().ok()?;
        let sparse: [Vec<f64>; N] = saved.sparse.try_into().ok()?;
        let fits = (saved.inputs, saved.outputs) == (inputs, outputs)
            && dense.iter().all(|v| v.len() == inputs * outputs)
            && sparse.iter().all(|v| v.len() == slots * outputs);
        fits.then_some(Self { inputs, outputs, dense, sparse })
    }
}

/// Rows of `old` numbers become `rows` rows of `new` numbers; what is new is 0.
pub fn restride(values: &mut Vec<f64>, old: usize, new: usize, rows: usize) {
    let mut wider = vec![0.0; new * rows];
    if old > 0 {
        for (from, to) in values.chunks_exact(old).zip(wider.chunks_exact_mut(new)) {
            to[..old].copy_from_slice(from);
        }
    }
    *values = wider;
}

/// The sum of products, in four sums: an order that never changes and that the processor can work on in parallel.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a, b) = (&a[..a.len().min(b.len())], &b[..a.len().min(b.len())]);
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (a, b) in a.zip(b) {
        for i in 0..4 {
            sums[i] += a[i] * b[i];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_every_number_in_its_place() {
        let mut w = Weights::<1>::new(2, 1);
        w.fit(2, 1, 2);
        w.dense[0].copy_from_slice(&[1.0, 2.0]);
        w.sparse[0].copy_from_slice(&[3.0, 4.0]);
        w.fit(3, 2, 3);
        assert_eq!(w.dense[0], [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(w.sparse[0], [3.0, 0.0, 4.0, 0.0, 0.0, 0.0]);
        w.fit(3, 2, 4);
        assert_eq!(w.sparse[0].len(), 8);
    }

    #[test]
    fn dot_is_the_sum_of_products() {
        for n in 0..20 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let expected: f64 = (0..n).map(|i| f64::from(i * i)).sum();
            assert_eq!(dot(&a, &a), expected);
        }
    }
}
