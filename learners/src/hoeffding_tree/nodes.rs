//! The tree's skeleton: 16 bytes a node in one array, the children of a node next to each other.

use features::Row;
use serde::{Deserialize, Serialize};

/// Categories told apart at most, in a leaf's statistics and in a split; later ones count as one, "the rest".
pub(super) const CATEGORIES: usize = 64;

// Saved as they are: a number never changes its meaning.
/// Not a split: `child` is the leaf's number.
const LEAF: u8 = 0;
/// Number: `x <= threshold` goes to branch 0, the rest to branch 1.
const AT_MOST: u8 = 1;
/// Name: `x == threshold` goes to branch 0, the rest to branch 1.
const IS: u8 = 2;
/// Name: category `i` goes to branch `i`, one not below `threshold` to the last branch.
const EACH: u8 = 3;

/// What a split asks of its column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Test {
    AtMost(f64),
    Is(usize),
    Each(usize),
}

impl Test {
    pub(super) fn branches(self) -> usize {
        match self {
            Self::AtMost(_) | Self::Is(_) => 2,
            Self::Each(categories) => categories + 1,
        }
    }
}

/// A leaf or a split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Node {
    threshold: f64,
    child: u32,
    column: u16,
    test: u8,
    usual: u8,
}

impl Node {
    pub(super) fn leaf(number: usize) -> Self {
        Self { threshold: 0.0, child: number as u32, column: 0, test: LEAF, usual: 0 }
    }

    /// A split whose children start at node `child`. Rows without a value go down branch `usual`.
    pub(super) fn split(column: u16, test: Test, child: usize, usual: usize) -> Self {
        let (test, threshold) = match test {
            Test::AtMost(x) => (AT_MOST, x),
            Test::Is(category) => (IS, category as f64),
            Test::Each(categories) => (EACH, categories as f64),
        };
        Self { threshold, child: child as u32, column, test, usual: usual as u8 }
    }

    fn branch(&self, x: f64) -> u32 {
        match self.test {
            _ if x.is_nan() => u32::from(self.usual),
            AT_MOST => u32::from(x > self.threshold),
            IS => u32::from(x != self.threshold),
            _ => x.min(self.threshold) as u32,
        }
    }
}

/// The node of the leaf that a row falls into, and the leaf's number.
#[inline]
pub(super) fn descend(nodes: &[Node], row: &Row<'_>) -> (usize, usize) {
    let mut at = 0;
    loop {
        let node = &nodes[at];
        if node.test == LEAF {
            return (at, node.child as usize);
        }
        let x = row.values.get(usize::from(node.column)).copied().unwrap_or(f64::NAN);
        at = (node.child + node.branch(x)) as usize;
    }
}

/// Whether every index stays inside: what a restored tree must fulfil before it may be walked.
pub(super) fn sound(nodes: &[Node], leaves: usize) -> bool {
    !nodes.is_empty()
        && nodes.iter().enumerate().all(|(at, node)| {
            let branches = if node.test == EACH { node.threshold + 1.0 } else { 2.0 };
            match node.test {
                LEAF => (node.child as usize) < leaves,
                AT_MOST | IS | EACH => {
                    // Children come after their parent, so that every walk ends.
                    node.child as usize > at
                        && f64::from(node.child) + branches <= nodes.len() as f64
                        && f64::from(node.usual) < branches
                }
                _ => false,
            }
        })
}
