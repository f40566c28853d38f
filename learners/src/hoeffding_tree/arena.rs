//! Blocks of numbers of one size in one array, given out by number and taken back.

use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shared_array::SharedArray;

/// A block is named by its slot, its number + 1; 0 means none.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    blocks: SharedArray,
    free: Vec<u32>,
}

impl Arena {
    pub(super) fn new(stride: usize) -> Self {
        Self { blocks: SharedArray::new(stride, vec![]), free: vec![] }
    }

    /// A copy to be served, in which those numbers of each block mean nothing.
    pub(super) fn served(&self, but: Range<usize>) -> Self {
        Self { blocks: self.blocks.served(but), free: vec![] }
    }

    pub(super) fn stride(&self) -> usize {
        self.blocks.size()
    }

    /// Bytes of one block.
    pub(super) fn size(&self) -> usize {
        self.stride() * size_of::<f64>()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.blocks.as_slice()) + size_of_val(&*self.free)
    }

    /// The slot of a block of zeros; none while blocks are empty.
    pub(super) fn take(&mut self) -> u32 {
        if self.stride() == 0 {
            return 0;
        }
        match self.free.pop() {
            Some(slot) => {
                self.get_mut(slot).fill(0.0);
                slot
            }
            None => {
                self.blocks.push();
                self.blocks.len() as u32
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
        self.blocks.get(slot as usize - 1)
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut [f64] {
        self.blocks.get_mut(slot as usize - 1)
    }

    /// The same blocks, without the free ones, `stride` numbers each; `copy(old, new)` fills them.
    pub(super) fn lay_out(&mut self, stride: usize, slots: &mut [u32], copy: impl Fn(&[f64], &mut [f64])) {
        let mut data = Vec::with_capacity((self.blocks.len() - self.free.len()) * stride);
        for slot in slots.iter_mut().filter(|slot| **slot != 0) {
            let begin = data.len();
            data.resize(begin + stride, 0.0);
            copy(self.get(*slot), &mut data[begin..]);
            *slot = data.len().checked_div(stride).unwrap_or(0) as u32;
        }
        *self = Self { blocks: SharedArray::new(stride, data), free: vec![] };
    }

    /// Whether the arrays fit, and `slots` and the free ones lie inside.
    pub(super) fn sound(&self, stride: usize, slots: &[u32]) -> bool {
        let len = self.blocks.len();
        self.stride() == stride
            && self.blocks.as_slice().len() == len * stride
            && slots.iter().all(|&slot| slot as usize <= len)
            && self.free.iter().all(|&slot| slot != 0 && slot as usize <= len)
    }
}

impl Serialize for Arena {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.stride(), self.blocks.as_slice(), &self.free).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Arena {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (stride, data, free) = Deserialize::deserialize(from)?;
        Ok(Self { blocks: SharedArray::new(stride, data), free })
    }
}
