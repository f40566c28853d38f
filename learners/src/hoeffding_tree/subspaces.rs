//! Which columns each leaf looks at: a share of them, drawn without replacement for every node by seed. What a leaf does
//! not look at is missing to it. Gomes et al., Adaptive random forests for evolving data stream classification, 2017.

use std::sync::Arc;

use features::Row;

use crate::inputs::mix;

const WORD: usize = u64::BITS as usize;

/// A bit a column and node. It follows from the seed and is not saved.
#[derive(Clone, Debug)]
pub(super) struct Subspaces {
    share: f64,
    seed: u64,
    columns: usize,
    bits: Arc<Vec<u64>>,
}

impl Subspaces {
    /// Each leaf sees `share` of the columns, at least one.
    pub(super) fn new(share: f64, seed: u64) -> Self {
        Self { share, seed, columns: 0, bits: Arc::default() }
    }

    fn words(columns: usize) -> usize {
        columns.div_ceil(WORD)
    }

    /// Draws for `nodes` nodes; all anew if there are other columns.
    pub(super) fn fit(&mut self, nodes: usize, columns: usize) {
        let words = Self::words(columns);
        if columns == self.columns && self.bits.len() == nodes * words {
            return;
        }
        let bits = Arc::make_mut(&mut self.bits);
        if columns != self.columns {
            bits.clear();
            self.columns = columns;
        }
        let drawn = bits.len().checked_div(words).unwrap_or(nodes);
        bits.resize(nodes * words, 0);
        let count = (libm::round(self.share * columns as f64) as usize).clamp(1, columns.max(1));
        for node in drawn..nodes {
            let rank = |column: usize| (mix(self.seed ^ mix((node as u64) << 32 | column as u64)), column);
            let mut ranks: Vec<_> = (0..columns).map(rank).collect();
            ranks.sort_unstable();
            for (_, column) in ranks.into_iter().take(count) {
                bits[node * words + column / WORD] |= 1 << (column % WORD);
            }
        }
    }

    /// The row as a node sees it.
    #[inline]
    pub(super) fn write(&self, node: usize, row: &Row<'_>, values: &mut Vec<f64>) {
        let words = Self::words(self.columns);
        let bits = &self.bits[node * words..][..words];
        let seen = |(column, x): (usize, &f64)| {
            if bits[column / WORD] >> (column % WORD) & 1 == 1 { *x } else { f64::NAN }
        };
        values.clear();
        values.extend(row.values.iter().take(self.columns).enumerate().map(seen));
    }

    /// Bytes for `nodes` nodes.
    pub(super) fn bytes_of(&self, nodes: usize) -> usize {
        nodes * Self::words(self.columns) * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use features::{EntityId, EventTime};

    use super::*;

    #[test]
    fn every_node_sees_its_own_share_of_the_columns() {
        let mut subspaces = Subspaces::new(0.6, 1);
        subspaces.fit(40, 70);
        let values: Vec<f64> = (0..70).map(f64::from).collect();
        let row = Row { values: &values, at: EventTime(0), entity: EntityId(0) };
        let seen = |subspaces: &Subspaces, node| {
            let mut seen = vec![];
            subspaces.write(node, &row, &mut seen);
            seen.into_iter().filter(|x| !x.is_nan()).collect::<Vec<_>>()
        };
        let all: Vec<_> = (0..40).map(|node| seen(&subspaces, node)).collect();
        assert!(all.iter().all(|seen| seen.len() == 42), "{all:?}");
        assert!((1..40).all(|node| all[node] != all[0]));
        subspaces.fit(50, 70);
        assert!((0..40).all(|node| seen(&subspaces, node) == all[node]), "more nodes change none");
        assert_eq!(subspaces.bytes_of(50), size_of_val(&**subspaces.bits));
        subspaces.fit(1, 1);
        assert_eq!(seen(&subspaces, 0), [0.0], "at least one");
    }
}
