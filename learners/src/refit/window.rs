//! The newest labelled rows, in blocks that copies share.

use std::collections::VecDeque;
use std::sync::Arc;

use features::Target;
use serde::{Deserialize, Serialize};

/// Rows of one width. A block that somebody else holds is copied before it grows, so a copy of the window costs a few
/// pointers and at most one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Block {
    width: usize,
    values: Vec<f64>,
    targets: Vec<Target>,
}

impl Block {
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.values) + size_of_val(&*self.targets)
    }
}

/// The newest rows, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    blocks: VecDeque<Arc<Block>>,
    /// Rows of the first block that are no longer in the window.
    skip: usize,
}

impl Window {
    /// Most rows in a block.
    const BLOCK_ROWS: usize = 64;

    /// Appends a row of `width` numbers (padded with missing ones, or cut), then drops the oldest rows beyond
    /// `max_rows` and, block by block, beyond `max_bytes`.
    pub(super) fn push(&mut self, values: &[f64], width: usize, target: Target, max_rows: usize, max_bytes: usize) {
        let row_bytes = width * size_of::<f64>() + size_of::<Target>();
        let block_rows = (max_bytes / 8 / row_bytes).clamp(1, Self::BLOCK_ROWS);
        if self.blocks.back().is_none_or(|b| b.width != width || b.targets.len() >= block_rows) {
            self.blocks.push_back(Arc::new(Block { width, values: Vec::new(), targets: Vec::new() }));
        }
        let block = Arc::make_mut(self.blocks.back_mut().expect("one was just pushed"));
        let end = block.values.len() + width;
        block.values.extend_from_slice(&values[..values.len().min(width)]);
        block.values.resize(end, f64::NAN);
        block.targets.push(target);

        while self.len() > max_rows {
            self.skip += 1;
            if self.skip == self.blocks[0].targets.len() {
                self.drop_first();
            }
        }
        while self.bytes() > max_bytes {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        self.blocks.pop_front();
        self.skip = 0;
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.targets.len()).sum::<usize>() - self.skip
    }

    /// Row after row with its label. Rows may differ in width: fields appended later are missing in older ones.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&[f64], Target)> {
        let rows = self.blocks.iter().flat_map(|block| {
            let row = |i: usize| &block.values[i * block.width..(i + 1) * block.width];
            block.targets.iter().enumerate().map(move |(i, target)| (row(i), *target))
        });
        rows.skip(self.skip)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| size_of::<Arc<Block>>() + block.bytes()).sum()
    }

    /// Whether what was read back can be a window.
    pub(super) fn is_sound(&self) -> bool {
        let fits = |b: &Block| b.values.len() == b.width * b.targets.len() && !b.targets.is_empty();
        self.blocks.iter().all(|block| fits(block)) && self.skip <= self.blocks.front().map_or(0, |b| b.targets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_window_holds_the_newest_rows(
            widths in proptest::collection::vec(1_usize..6, 1..400),
            max_rows in 1_usize..200,
        ) {
            let mut window = Window::default();
            let mut width = 0;
            for (i, w) in widths.iter().enumerate() {
                width = width.max(*w);
                let before = window.clone();
                window.push(&[i as f64], width, Target::Value(i as f64), max_rows, 1 << 20);
                prop_assert!(before.rows().count() == before.len() && window.is_sound());
                let newest: Vec<f64> = window.rows().map(|(row, _)| row[0]).collect();
                let from = (i + 1).saturating_sub(max_rows);
                prop_assert_eq!(newest, (from..=i).map(|i| i as f64).collect::<Vec<_>>());
            }
        }

        #[test]
        fn the_window_keeps_its_bytes(width in 0_usize..300, max_bytes in 0_usize..100_000) {
            let mut window = Window::default();
            for i in 0..300 {
                window.push(&[1.0], width, Target::Value(f64::from(i)), 100, max_bytes);
                prop_assert!(window.bytes() <= max_bytes && window.len() <= 100);
            }
        }
    }
}
