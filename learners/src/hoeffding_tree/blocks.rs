//! What a leaf has seen of one class: for every number its weight, mean, sum of squared deviations and range, for every
//! category its weight. One block a (leaf, class), all of one size in one array.

use features::Row;
use serde::{Deserialize, Serialize};

use super::arena::Arena;
use super::bayes::Statistics;
use super::columns::Columns;

/// The blocks. Where there is no block, the slot is 0.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Blocks {
    lanes: usize,
    /// Where each nominal column's weights begin in a block: the total, then one a category.
    names: Vec<u32>,
    arena: Arena,
    /// Of each slot where its block stands in copies of the leaves; 0: nowhere since it was last written. Shorter where none
    /// does.
    #[serde(skip)]
    copied: Vec<u32>,
}

/// A block's numbers, one a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers<'a> {
    pub(super) weight: &'a [f64],
    pub(super) mean: &'a [f64],
    pub(super) m2: &'a [f64],
    pub(super) min: &'a [f64],
    pub(super) max: &'a [f64],
}

const ARRAYS: usize = 5;

/// 1 / variance of each lane: infinite where there is none, NaN where nothing was seen.
#[inline(always)]
fn precisions(weight: &[f64], m2: &[f64]) -> impl Iterator<Item = f64> {
    weight.iter().zip(m2).map(|(&weight, &m2)| {
        let p = (weight - 1.0) / m2;
        let p = if weight > 1.0 && m2 > 0.0 { p } else { f64::INFINITY };
        if weight > 0.0 { p } else { f64::NAN }
    })
}

impl Blocks {
    pub(super) fn new(columns: &Columns) -> Self {
        let lanes = columns.lanes();
        let mut stride = ARRAYS * lanes;
        let mut names = Vec::with_capacity(columns.names.len());
        for column in &columns.names {
            names.push(stride as u32);
            stride += 1 + usize::from(column.room);
        }
        Self { lanes, names, arena: Arena::new(stride), copied: vec![] }
    }

    /// Lanes of numbers.
    pub(super) fn lanes(&self) -> usize {
        self.lanes
    }

    /// Bytes of one block.
    pub(super) fn size(&self) -> usize {
        self.arena.size()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.names) + self.arena.bytes()
    }

    /// The slot of an empty block; 0 while there is nothing to observe.
    pub(super) fn take(&mut self) -> u32 {
        let slot = self.arena.take();
        if slot != 0 {
            self.note(slot);
            Self::empty(self.arena.get_mut(slot), self.lanes);
        }
        slot
    }

    fn empty(block: &mut [f64], lanes: usize) {
        block[3 * lanes..4 * lanes].fill(f64::INFINITY);
        block[4 * lanes..5 * lanes].fill(f64::NEG_INFINITY);
    }

    /// Gives the blocks of these slots back.
    pub(super) fn give(&mut self, slots: &mut [u32]) {
        self.arena.give(slots);
    }

    /// Lays the blocks in use out anew for `columns` and lets the free ones go. `slots`: everyone who holds a block.
    pub(super) fn lay_out(&mut self, columns: &Columns, slots: &mut [u32]) {
        let new = Self::new(columns);
        self.arena.lay_out(new.arena.stride(), slots, |old, block| {
            Self::empty(block, new.lanes);
            for array in 0..ARRAYS {
                block[array * new.lanes..][..self.lanes].copy_from_slice(&old[array * self.lanes..][..self.lanes]);
            }
            for (i, &at) in self.names.iter().enumerate() {
                let end = self.names.get(i + 1).map_or(old.len(), |&end| end as usize);
                let weights = &old[at as usize..end];
                block[new.names[i] as usize..][..weights.len()].copy_from_slice(weights);
            }
        });
        (self.lanes, self.names, self.copied) = (new.lanes, new.names, vec![]);
    }

    /// The numbers of a slot's block.
    #[inline]
    pub(super) fn numbers(&self, slot: u32) -> Numbers<'_> {
        let block = self.arena.get(slot);
        let lanes = self.lanes;
        Numbers {
            weight: &block[..lanes],
            mean: &block[lanes..][..lanes],
            m2: &block[2 * lanes..][..lanes],
            min: &block[3 * lanes..][..lanes],
            max: &block[4 * lanes..][..lanes],
        }
    }

    /// Takes a row into a slot's block: numbers `x`, names as they stand in `row`.
    #[inline]
    pub(super) fn observe(&mut self, slot: u32, x: &[f64], columns: &Columns, row: &Row<'_>, weight: f64) {
        let lanes = self.lanes;
        self.note(slot);
        let names = &self.names;
        let block = self.arena.get_mut(slot);
        for (&at, column) in names.iter().zip(&columns.names) {
            if let Some(category) = column.category(row) {
                block[at as usize] += weight;
                block[at as usize + 1 + category] += weight;
            }
        }
        let (total, rest) = block.split_at_mut(lanes);
        let (mean, rest) = rest.split_at_mut(lanes);
        let (m2, rest) = rest.split_at_mut(lanes);
        let (min, rest) = rest.split_at_mut(lanes);
        let max = &mut rest[..lanes];
        let x = &x[..lanes];
        for j in 0..lanes {
            let v = x[j];
            let here = !v.is_nan();
            let w = if here { weight } else { 0.0 };
            let d = if here { v - mean[j] } else { 0.0 };
            let sum = total[j] + w;
            let new = mean[j] + d * (w / if sum > 0.0 { sum } else { 1.0 });
            m2[j] += w * d * (if here { v } else { new } - new);
            mean[j] = new;
            total[j] = sum;
            min[j] = if v < min[j] { v } else { min[j] };
            max[j] = if v > max[j] { v } else { max[j] };
        }
    }

    /// Where a slot's block stands in copies of the leaves.
    pub(super) fn copied(&self, slot: u32) -> u32 {
        self.copied.get(slot as usize).copied().unwrap_or(0)
    }

    /// A slot's block stands there in copies of the leaves until it is written.
    pub(super) fn note_copied(&mut self, slot: u32, place: u32) {
        if self.copied.len() <= slot as usize {
            self.copied.resize(self.arena.len() + 1, 0);
        }
        self.copied[slot as usize] = place;
    }

    /// No block stands in copies of the leaves.
    pub(super) fn forget_copied(&mut self) {
        self.copied.clear();
    }

    #[inline(always)]
    fn note(&mut self, slot: u32) {
        if let Some(place) = self.copied.get_mut(slot as usize) {
            *place = 0;
        }
    }

    /// How many numbers [`Self::copy`] adds, and where among them each nominal column's weights begin.
    pub(super) fn copy_shape(&self) -> (usize, impl Iterator<Item = u32>) {
        let less = 3 * self.lanes;
        (self.arena.stride() - less, self.names.iter().map(move |at| at - less as u32))
    }

    /// Adds what naive Bayes asks for of a slot's block: precisions, means, weights of names.
    pub(super) fn copy(&self, slot: u32, copy: &mut Vec<f64>) {
        let (block, lanes) = (self.arena.get(slot), self.lanes);
        copy.extend(precisions(&block[..lanes], &block[2 * lanes..][..lanes]));
        copy.extend_from_slice(&block[lanes..][..lanes]);
        copy.extend_from_slice(&block[ARRAYS * lanes..]);
    }

    /// Whether the arrays fit `columns` and every slot has a block.
    pub(super) fn sound(&self, columns: &Columns, slots: &[u32]) -> bool {
        let fresh = Self::new(columns);
        self.lanes == fresh.lanes && self.names == fresh.names && self.arena.sound(fresh.arena.stride(), slots)
    }
}

impl Statistics for Blocks {
    #[inline(always)]
    fn precisions(&self, slot: u32, out: &mut [f64]) {
        let (block, lanes) = (self.arena.get(slot), self.lanes);
        let of = precisions(&block[..lanes], &block[2 * lanes..][..lanes]);
        out[..lanes].iter_mut().zip(of).for_each(|(out, p)| *out = p);
    }

    #[inline(always)]
    fn means(&self, slot: u32) -> &[f64] {
        &self.arena.get(slot)[self.lanes..][..self.lanes]
    }

    #[inline(always)]
    fn names(&self, slot: u32, name: usize) -> (f64, &[f64]) {
        let end = self.names.get(name + 1).map_or(self.arena.stride(), |&end| end as usize);
        let weights = &self.arena.get(slot)[self.names[name] as usize..end];
        (weights[0], &weights[1..])
    }
}
