//! The losses so far as sums of 1, 2, 4, … of them, the newer the finer; at most five of a size.
//!
//! At the sixth the two oldest become one of the next size. Older than all may be one base: a number of losses and
//! their sum, kept from before a change.

use serde::{Deserialize, Serialize};

/// Sums of one size, the oldest first; the sixth lives only until two become one.
const PER_ROW: usize = 6;

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Row {
    len: usize,
    sums: [f64; PER_ROW],
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Histogram {
    /// Losses in the rows.
    pub(super) count: u64,
    rows: Vec<Row>,
}

/// Some losses: how many, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lot {
    pub(super) count: f64,
    pub(super) sum: f64,
}

impl Lot {
    pub(super) fn mean(&self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { 0.0 }
    }
}

impl Histogram {
    pub(super) fn push(&mut self, loss: f64) {
        self.count += 1;
        let mut sum = loss;
        for r in 0.. {
            if r == self.rows.len() {
                self.rows.push(Row::default());
            }
            let row = &mut self.rows[r];
            row.sums[row.len] = sum;
            row.len += 1;
            if row.len < PER_ROW {
                break;
            }
            sum = row.sums[0] + row.sums[1];
            row.sums.copy_within(2.., 0);
            row.len -= 2;
        }
    }

    /// The oldest first.
    pub(super) fn lots(&self) -> impl Iterator<Item = Lot> {
        self.rows.iter().enumerate().rev().flat_map(|(r, row)| {
            let count = (1_u64 << r) as f64;
            row.sums[..row.len].iter().map(move |sum| Lot { count, sum: *sum })
        })
    }

    /// All of them in one.
    pub(super) fn total(&self) -> Lot {
        // Row by row: a processor sums several at once.
        let sum = self.rows.iter().rev().map(|row| row.sums[..row.len].iter().sum::<f64>()).sum();
        Lot { count: self.count as f64, sum }
    }

    /// Keeps the newest `count` losses; where a lot lies across that border it goes too.
    pub(super) fn keep(&mut self, count: u64) {
        while self.count > count {
            let r = self.rows.len() - 1;
            let row = &mut self.rows[r];
            row.sums.copy_within(1.., 0);
            row.len -= 1;
            self.count -= 1 << r;
            while self.rows.last().is_some_and(|row| row.len == 0) {
                self.rows.pop();
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }
}
