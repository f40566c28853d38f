//! A Markov chain over the labels: what came after the last one (or the last two), each time it was seen.
//!
//! p_k = (c_k + ½/K) / (Σc + ½), c the row of counts of the labels known to the event; the row fades by `keep` each time
//! it is visited, or all of them as one (`order` 0: the labels' fading shares). Cost: K additions an event, 8·K^(order+1)
//! bytes, so one label is looked back at for up to 256 classes, two for up to 32. Needs no columns: a missing value is none of its.

use serde::{Deserialize, Serialize};

use super::{Member, Work};
use crate::adagrad::restride;
use crate::inputs::{Encoded, Shape};

/// Classes up to which one label is looked back at, and two.
const MOST_CLASSES: [usize; 3] = [usize::MAX, 256, 32];

/// Counts by the labels before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LabelChain {
    order: u8,
    keep: f64,
    classes: usize,
    counts: Vec<f64>,
}

impl LabelChain {
    /// `order` labels are looked back at (0, 1 or 2); `keep` is what a row keeps when it is visited.
    pub(crate) fn new(order: u8, keep: f64) -> Self {
        Self { order, keep, classes: 0, counts: vec![] }
    }

    fn rows(&self, classes: usize) -> usize {
        // One more for "not known yet".
        (0..self.order).map(|_| classes + 1).product()
    }

    fn row(&self, x: &Encoded) -> usize {
        let place = |class: Option<u32>| class.map_or(0, |c| c as usize + 1);
        let row = match self.order {
            0 => 0,
            1 => place(x.known.last),
            _ => place(x.known.before) * (self.classes + 1) + place(x.known.last),
        };
        row * self.classes
    }
}

impl Member for LabelChain {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        let (old, new) = (self.classes, shape.classes);
        let bytes = self.rows(new).saturating_mul(new * size_of::<f64>());
        if new > MOST_CLASSES[usize::from(self.order)] || bytes > room {
            return None;
        }
        if old == new {
            return Some(bytes);
        }
        // Outermost first: groups of rows, then rows, then counts.
        let rows = self.counts.len().checked_div(old).unwrap_or(0);
        restride(&mut self.counts, old, new, rows, 0.0);
        if self.order > 1 {
            let groups = if old == 0 { 0 } else { old + 1 };
            restride(&mut self.counts, (old + 1) * new, (new + 1) * new, groups, 0.0);
        }
        self.counts.resize(self.rows(new) * new, 0.0);
        self.classes = new;
        Some(bytes)
    }

    fn operations(&self, shape: &Shape) -> usize {
        20 + 4 * shape.classes
    }

    fn predict(&self, x: &Encoded, _work: &mut Work, said: &mut [f64]) {
        let row = self.row(x);
        let counts = &self.counts[row..row + self.classes];
        let sum: f64 = counts.iter().sum();
        let share = 0.5 / self.classes as f64;
        for (p, count) in said.iter_mut().zip(counts) {
            *p = (count + share) / (sum + 0.5);
        }
    }

    fn learn(&mut self, x: &Encoded, _work: &mut Work, _said: &[f64], class: usize, weight: f64) {
        let row = self.row(x);
        let counts = &mut self.counts[row..row + self.classes];
        counts.iter_mut().for_each(|count| *count *= self.keep);
        counts[class] += weight;
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.counts)
    }

    fn served(&mut self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.order <= 2
            && self.classes == shape.classes
            && Some(self.counts.len()) == self.rows(shape.classes).checked_mul(shape.classes)
    }
}
