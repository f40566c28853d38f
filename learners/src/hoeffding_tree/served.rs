//! The leaves of a classification tree as they are served: a copy that does not change, made often, at the cost of what was
//! written since the one before.
//!
//! It is made of layers. The lowest has every leaf as it once was, each above it those that were written before the next copy
//! was made; copies share layers. Once the layers have every leaf several times in the mean, the next copy has one layer
//! again. A block stands in the layer of its last change while its leaf goes by naive Bayes. Of a leaf that goes by class
//! weights nobody asks for blocks: they are copied when that changes.

use std::sync::Arc;

use super::bayes::Statistics;
use super::blocks::Blocks;
use super::leaves::Leaves;

/// Leaves in the layers for each that there is, at most.
const TIMES: usize = 3;
/// Layers of a copy, at most.
const LAYERS: usize = 16;
/// Bits of a place that say where in its layer it is; those above say which layer. A tree of as many leaves, or blocks, would
/// take more than 15 GB.
const BITS: u32 = 28;

/// A copy of all leaves.
#[derive(Clone, Debug)]
pub(super) struct Served {
    classes: usize,
    lanes: usize,
    /// Numbers of a block, and where in it each nominal column's weights begin.
    stride: usize,
    names: Arc<[u32]>,
    /// Of each leaf, in which layer it is and where.
    places: Vec<u32>,
    layers: Vec<Arc<Layer>>,
    /// Leaves in all layers.
    held: usize,
}

#[derive(Debug, Default)]
struct Layer {
    /// Of each leaf whether it goes by class weights (1 or 0), and the weights.
    heads: Vec<f64>,
    /// Of each leaf where its classes' blocks are, in which layer and there; 0: there is none, or nobody asks for it.
    slots: Vec<u32>,
    /// Block after block.
    blocks: Vec<f64>,
}

impl Served {
    /// A copy of leaves and blocks as they are now, after the last one that was made of them, if one was. `by_counts`: whether
    /// a leaf goes by class weights.
    pub(super) fn next(
        last: Option<&Arc<Self>>,
        leaves: &mut Leaves,
        blocks: &mut Blocks,
        by_counts: impl Fn(&Leaves, usize) -> bool,
    ) -> Arc<Self> {
        let all: Vec<u32>;
        let (mut next, written) = match (last, leaves.written()) {
            (Some(last), Some([])) => return Arc::clone(last),
            (Some(last), Some(written)) if last.has_room(written.len(), leaves.len()) => ((**last).clone(), written),
            _ => {
                blocks.forget_copied();
                all = (0..leaves.len() as u32).collect();
                (Self::none(leaves, blocks), &*all)
            }
        };
        let number = (next.layers.len() as u32) << BITS;
        let mut layer = Layer {
            heads: Vec::with_capacity(written.len() * next.head()),
            slots: Vec::with_capacity(written.len() * next.classes),
            blocks: Vec::new(),
        };
        // What is read here was written some time ago and is far away: no step depends on what the one before has read.
        next.places.resize(leaves.len(), 0);
        for (i, &leaf) in written.iter().enumerate() {
            next.places[leaf as usize] = number | i as u32;
            layer.heads.push(f64::from(u8::from(by_counts(leaves, leaf as usize))));
            layer.heads.extend_from_slice(leaves.counts(leaf as usize));
        }
        let mut owed = vec![(0, 0); written.len() * next.classes];
        let mut count = 0;
        for (&leaf, head) in written.iter().zip(layer.heads.chunks(next.head())) {
            for &slot in leaves.slots(leaf as usize) {
                let asked = u32::from(head[0] == 0.0);
                let place = asked * blocks.copied(slot);
                owed[count] = (slot, layer.slots.len());
                count += usize::from((asked * slot != 0) & (place == 0));
                layer.slots.push(place);
            }
        }
        layer.blocks.reserve_exact(count * next.stride);
        for (i, &(slot, at)) in owed[..count].iter().enumerate() {
            blocks.copy(slot, &mut layer.blocks);
            layer.slots[at] = number | (i + 1) as u32;
            blocks.note_copied(slot, layer.slots[at]);
        }
        next.held += written.len();
        next.layers.push(Arc::new(layer));
        leaves.forget_written();
        Arc::new(next)
    }

    fn none(leaves: &Leaves, blocks: &Blocks) -> Self {
        let (stride, names) = blocks.copy_shape();
        let (classes, lanes) = (leaves.classes(), blocks.lanes());
        Self { classes, lanes, stride, names: names.collect(), places: vec![], layers: vec![], held: 0 }
    }

    fn has_room(&self, more: usize, leaves: usize) -> bool {
        self.layers.len() < LAYERS && self.held + more <= TIMES * leaves
    }

    /// Numbers of a leaf's head.
    fn head(&self) -> usize {
        1 + self.classes
    }

    #[inline(always)]
    fn find(&self, place: u32) -> (&Layer, usize) {
        (&self.layers[(place >> BITS) as usize], (place & ((1 << BITS) - 1)) as usize)
    }

    /// Whether the leaf goes by class weights.
    pub(super) fn by_counts(&self, leaf: usize) -> bool {
        let (layer, at) = self.find(self.places[leaf]);
        layer.heads[at * self.head()] > 0.0
    }

    pub(super) fn counts(&self, leaf: usize) -> &[f64] {
        let (layer, at) = self.find(self.places[leaf]);
        &layer.heads[at * self.head()..][1..self.head()]
    }

    /// Where the classes' blocks are, of a leaf that goes by naive Bayes.
    pub(super) fn slots(&self, leaf: usize) -> &[u32] {
        let (layer, at) = self.find(self.places[leaf]);
        &layer.slots[at * self.classes..][..self.classes]
    }

    #[inline(always)]
    fn block(&self, slot: u32) -> &[f64] {
        let (layer, after) = self.find(slot);
        &layer.blocks[(after - 1) * self.stride..][..self.stride]
    }
}

impl Statistics for Served {
    #[inline(always)]
    fn precisions(&self, slot: u32, out: &mut [f64]) {
        out.copy_from_slice(&self.block(slot)[..self.lanes]);
    }

    #[inline(always)]
    fn means(&self, slot: u32) -> &[f64] {
        &self.block(slot)[self.lanes..][..self.lanes]
    }

    #[inline(always)]
    fn names(&self, slot: u32, name: usize) -> (f64, &[f64]) {
        let end = self.names.get(name + 1).map_or(self.stride, |&end| end as usize);
        let weights = &self.block(slot)[self.names[name] as usize..end];
        (weights[0], &weights[1..])
    }
}
