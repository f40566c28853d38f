//! Blocks of numbers of one size in one array, given out by number and taken back.

use serde::{Deserialize, Serialize};

/// A block is named by its slot, its number + 1; 0 means none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Arena {
    stride: usize,
    data: Vec<f64>,
    free: Vec<u32>,
}

impl Arena {
    pub(super) fn new(stride: usize) -> Self {
        Self { stride, data: vec![], free: vec![] }
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Bytes of one block.
    pub(super) fn size(&self) -> usize {
        self.stride * size_of::<f64>()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.data) + size_of_val(&*self.free)
    }

    /// How many blocks there are, those that were taken back too.
    pub(super) fn len(&self) -> usize {
        self.data.len().checked_div(self.stride).unwrap_or(0)
    }

    /// The slot of a block of zeros; none while blocks are empty.
    pub(super) fn take(&mut self) -> u32 {
        if self.stride == 0 {
            return 0;
        }
        match self.free.pop() {
            Some(slot) => {
                self.get_mut(slot).fill(0.0);
                slot
            }
            None => {
                self.data.resize(self.data.len() + self.stride, 0.0);
                self.len() as u32
            }
        }
    }

    /// Takes these slots' blocks back.
    pub(super) fn give(&mut self, slots: &mut [u32]) {
        for slot in slots.iter_mut().filter(|slot| **slot != 0) {
            self.free.push(*slot);
            *slot = 0;
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, slot: u32) -> &[f64] {
        &self.data[(slot as usize - 1) * self.stride..][..self.stride]
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut [f64] {
        &mut self.data[(slot as usize - 1) * self.stride..][..self.stride]
    }

    /// The same blocks, without the free ones, `stride` numbers each; `copy(old, new)` fills them.
    pub(super) fn lay_out(&mut self, stride: usize, slots: &mut [u32], copy: impl Fn(&[f64], &mut [f64])) {
        let mut data = Vec::with_capacity((self.len() - self.free.len()) * stride);
        for slot in slots.iter_mut().filter(|slot| **slot != 0) {
            let begin = data.len();
            data.resize(begin + stride, 0.0);
            copy(self.get(*slot), &mut data[begin..]);
            *slot = data.len().checked_div(stride).unwrap_or(0) as u32;
        }
        *self = Self { stride, data, free: vec![] };
    }

    /// Whether the arrays fit, and `slots` and the free ones lie inside.
    pub(super) fn sound(&self, stride: usize, slots: &[u32]) -> bool {
        let len = self.len();
        self.stride == stride
            && self.data.len() == len * stride
            && slots.iter().all(|&slot| slot as usize <= len)
            && self.free.iter().all(|&slot| slot != 0 && slot as usize <= len)
    }
}
