//! What a leaf of a regression tree has seen: the targets' moments in a few intervals of every number, and for every
//! category. One block a leaf.
//!
//! Intervals are disjoint and their moments exact: a value outside all of them becomes one of its own; when there is no
//! room for another, neighbours are merged until each holds about as much as any other. (FIMT-DD keeps a search tree of
//! all values instead, without bound.)

use features::Row;
use serde::{Deserialize, Serialize};

use super::arena::Arena;
use super::columns::Columns;
use super::moments::Moments;

/// Intervals a number at most.
pub(super) const BINS: usize = 64;
/// How many are used, then lowest, highest, weight, mean and m2 of each.
const LANE: usize = 1 + 5 * BINS;

/// The blocks. Where there is no block, the slot is 0.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Bins {
    lanes: usize,
    /// Where each nominal column's moments begin in a block: weight, mean and m2 of one category after the other.
    names: Vec<u32>,
    arena: Arena,
}

/// A number's intervals in ascending order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane<'a> {
    used: usize,
    numbers: &'a [f64],
}

impl Lane<'_> {
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// The highest value of interval `i`.
    pub(super) fn high(&self, i: usize) -> f64 {
        self.numbers[1 + BINS + i]
    }

    pub(super) fn moments(&self, i: usize) -> Moments {
        let at = |array: usize| self.numbers[1 + array * BINS + i];
        Moments { weight: at(2), mean: at(3), m2: at(4) }
    }
}

impl Bins {
    pub(super) fn new(columns: &Columns) -> Self {
        let lanes = columns.numbers.len();
        let mut stride = LANE * lanes;
        let mut names = Vec::with_capacity(columns.names.len());
        for column in &columns.names {
            names.push(stride as u32);
            stride += 3 * usize::from(column.room);
        }
        Self { lanes, names, arena: Arena::new(stride) }
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
        self.arena.take()
    }

    /// Gives the blocks of these slots back.
    pub(super) fn give(&mut self, slots: &mut [u32]) {
        self.arena.give(slots);
    }

    /// Lays the blocks in use out anew for `columns` and lets the free ones go. `slots`: everyone who holds a block.
    pub(super) fn lay_out(&mut self, columns: &Columns, slots: &mut [u32]) {
        let new = Self::new(columns);
        self.arena.lay_out(new.arena.stride(), slots, |old, block| {
            block[..self.lanes * LANE].copy_from_slice(&old[..self.lanes * LANE]);
            for (i, &at) in self.names.iter().enumerate() {
                let end = self.names.get(i + 1).map_or(old.len(), |&end| end as usize);
                let moments = &old[at as usize..end];
                block[new.names[i] as usize..][..moments.len()].copy_from_slice(moments);
            }
        });
        (self.lanes, self.names) = (new.lanes, new.names);
    }

    /// Takes a row into a slot's block: numbers `x`, names as they stand in `row`, target `y`.
    pub(super) fn observe(&mut self, slot: u32, x: &[f64], columns: &Columns, row: &Row<'_>, y: f64, weight: f64) {
        let block = self.arena.get_mut(slot);
        for (&at, column) in self.names.iter().zip(&columns.names) {
            if let Some(category) = column.category(row) {
                add(&mut block[at as usize + 3 * category..], 1, y, weight);
            }
        }
        for (lane, &x) in block.chunks_exact_mut(LANE).zip(&x[..self.lanes]) {
            if !x.is_nan() {
                insert(lane, x, y, weight);
            }
        }
    }

    /// The intervals of a number.
    pub(super) fn lane(&self, slot: u32, lane: usize) -> Lane<'_> {
        let numbers = &self.arena.get(slot)[lane * LANE..][..LANE];
        Lane { used: numbers[0] as usize, numbers }
    }

    /// The moments of each category of a name.
    pub(super) fn categories(&self, slot: u32, name: usize) -> impl Iterator<Item = Moments> {
        let end = self.names.get(name + 1).map_or(self.arena.stride(), |&end| end as usize);
        let moments = &self.arena.get(slot)[self.names[name] as usize..end];
        moments.chunks_exact(3).map(|m| Moments { weight: m[0], mean: m[1], m2: m[2] })
    }

    /// Whether the arrays fit `columns` and every slot has a block.
    pub(super) fn sound(&self, columns: &Columns, slots: &[u32]) -> bool {
        let fresh = Self::new(columns);
        self.lanes == fresh.lanes
            && self.names == fresh.names
            && self.arena.sound(fresh.arena.stride(), slots)
            && slots
                .iter()
                .filter(|slot| **slot != 0)
                .all(|&slot| (0..self.lanes).all(|l| self.lane(slot, l).used <= BINS))
    }
}

/// Adds a target to the moments at `at`, whose three numbers stand `step` apart.
fn add(at: &mut [f64], step: usize, y: f64, weight: f64) {
    let mut moments = Moments { weight: at[0], mean: at[step], m2: at[2 * step] };
    moments.add(y, weight);
    (at[0], at[step], at[2 * step]) = (moments.weight, moments.mean, moments.m2);
}

fn insert(lane: &mut [f64], x: f64, y: f64, weight: f64) {
    let used = lane[0] as usize;
    let below = lane[1 + BINS..][..used].iter().map(|high| usize::from(*high < x)).sum::<usize>();
    if below < used && lane[1 + below] <= x {
        return add(&mut lane[1 + 2 * BINS + below..], BINS, y, weight);
    }
    if used == BINS {
        merge(lane);
        return insert(lane, x, y, weight);
    }
    let (_, arrays) = lane.split_first_mut().expect("a lane has a counter");
    for (array, new) in arrays.chunks_exact_mut(BINS).zip([x, x, weight, y, 0.0]) {
        array.copy_within(below..used, below + 1);
        array[below] = new;
    }
    lane[0] += 1.0;
}

/// Merges neighbours: at most half of the intervals remain.
fn merge(lane: &mut [f64]) {
    let total: f64 = lane[1 + 2 * BINS..][..BINS].iter().sum();
    let fair = total / (BINS / 2) as f64;
    let (mut to, mut from) = (0, 0);
    while from < BINS {
        let mut sum = Moments::default();
        let low = lane[1 + from];
        let mut high = low;
        // The last ones together, if rounding left more than there is room for.
        while from < BINS && (sum.weight < fair || to + 1 == BINS / 2) {
            let old = Lane { used: BINS, numbers: lane };
            sum = sum.with(old.moments(from));
            high = old.high(from);
            from += 1;
        }
        for (array, new) in [low, high, sum.weight, sum.mean, sum.m2].into_iter().enumerate() {
            lane[1 + array * BINS + to] = new;
        }
        to += 1;
    }
    lane[0] = to as f64;
}
