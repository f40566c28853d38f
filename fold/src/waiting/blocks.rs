//! Entries numbered from 0 in blocks of 1,024: appended at the end, removed anywhere, saved without rewriting.
//!
//! A full block never changes: a removal is a bit in a small map, and the block goes when its last entry has. So the
//! section of a block is written once, and one small section says what is left of all of them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use learners::{RestoreError, Section};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Sealed, Sections};

/// Entries in a block; few in the tests of this crate, which are to see many blocks.
pub(super) const BLOCK: u64 = if cfg!(test) { 64 } else { 1_024 };

/// What a block holds of its entries.
pub(super) trait Content: Default + Serialize + DeserializeOwned {
    /// How many entries it has.
    fn len(&self) -> usize;
}

impl<T: Serialize + DeserializeOwned> Content for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }
}

/// One bit an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bits([u64; BLOCK as usize / 64]);

impl Bits {
    pub(super) fn get(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 == 1
    }

    fn set(&mut self, i: usize, to: bool) {
        let bit = 1 << (i % 64);
        if to {
            self.0[i / 64] |= bit;
        } else {
            self.0[i / 64] &= !bit;
        }
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    fn first(&self) -> Option<usize> {
        let word = self.0.iter().position(|word| *word != 0)?;
        Some(word * 64 + self.0[word].trailing_zeros() as usize)
    }
}

#[derive(Debug)]
struct Block<C> {
    content: C,
    /// The entries still there.
    left: Bits,
    /// Entries removed that somebody still reads.
    held: u32,
    /// Of a full block that was saved. Not part of the state.
    sealed: OnceLock<Sealed>,
}

impl<C: Content> Block<C> {
    fn full(&self) -> bool {
        self.content.len() == BLOCK as usize
    }
}

/// The blocks.
#[derive(Debug)]
pub(super) struct Blocks<C> {
    /// What the names of its sections begin with.
    name: &'static str,
    pub(super) next: u64,
    len: u64,
    blocks: BTreeMap<u64, Block<C>>,
}

#[derive(Serialize, Deserialize)]
struct Left {
    next: u64,
    /// Which blocks there are, and what is left of each.
    blocks: Vec<(u64, Bits)>,
}

fn place(number: u64) -> (u64, usize) {
    (number / BLOCK, (number % BLOCK) as usize)
}

impl<C: Content> Blocks<C> {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, next: 0, len: 0, blocks: BTreeMap::new() }
    }

    /// Entries still there.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends the entry that `push` adds to a block's content: its number.
    pub(super) fn push(&mut self, push: impl FnOnce(&mut C)) -> u64 {
        let number = self.next;
        let (block, i) = place(number);
        let left = Bits([0; BLOCK as usize / 64]);
        let new = || Block { content: C::default(), left, held: 0, sealed: OnceLock::new() };
        let block = self.blocks.entry(block).or_insert_with(new);
        push(&mut block.content);
        debug_assert_eq!(block.content.len(), i + 1, "one entry a push");
        block.left.set(i, true);
        self.next += 1;
        self.len += 1;
        number
    }

    /// The content of the entry's block and its place in it, as long as the block is there.
    pub(super) fn get(&self, number: u64) -> Option<(&C, usize)> {
        let (block, i) = place(number);
        let content = &self.blocks.get(&block)?.content;
        (i < content.len()).then_some((content, i))
    }

    /// The same, to change the content of an entry whose batch is still under way.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<(&mut C, usize)> {
        let (block, i) = place(number);
        let content = &mut self.blocks.get_mut(&block)?.content;
        (i < content.len()).then_some((content, i))
    }

    /// Removes an entry that is there. Its content stays until [`Blocks::let_go`] if it is `held`, and as long as its
    /// block does.
    pub(super) fn remove(&mut self, number: u64, held: bool) {
        let (at, i) = place(number);
        let block = self.blocks.get_mut(&at).expect("an entry that is there has a block");
        debug_assert!(block.left.get(i), "removed once");
        block.left.set(i, false);
        block.held += u32::from(held);
        self.len -= 1;
        self.clear(at);
    }

    /// Lets go of an entry that was removed and held.
    pub(super) fn let_go(&mut self, number: u64) {
        let (at, _) = place(number);
        self.blocks.get_mut(&at).expect("what is held keeps its block").held -= 1;
        self.clear(at);
    }

    /// A full block goes with its last entry.
    fn clear(&mut self, at: u64) {
        if self.blocks.get(&at).is_some_and(|block| block.held == 0 && block.full() && block.left.first().is_none()) {
            self.blocks.remove(&at);
        }
    }

    /// The content of the block of this entry, which of its entries are left, and whether it is full.
    pub(super) fn block(&self, number: u64) -> Option<(&C, &Bits, bool)> {
        let block = self.blocks.get(&place(number).0)?;
        Some((&block.content, &block.left, block.full()))
    }

    /// The oldest entry.
    pub(super) fn first(&self) -> Option<u64> {
        self.blocks.iter().find_map(|(at, block)| Some(at * BLOCK + block.left.first()? as u64))
    }

    /// The entries in order, each with its block's content and its place there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &C, usize)> {
        self.blocks.iter().flat_map(|(at, block)| {
            let left = (0..block.content.len()).filter(|i| block.left.get(*i));
            left.map(move |i| (at * BLOCK + i as u64, &block.content, i))
        })
    }

    /// Appends one section a block and one that says what is left of them. Nothing may be held.
    pub(super) fn save(&self, out: &mut Sections) {
        debug_assert!(self.blocks.values().all(|block| block.held == 0), "saved between batches");
        let blocks = self.blocks.iter().map(|(at, block)| (*at, block.left.clone())).collect();
        out.push(Section::of(self.name, 1, &Left { next: self.next, blocks }));
        for (at, block) in &self.blocks {
            let name = self.section(*at);
            if block.full() {
                out.push_sealed((name, 1), &block.sealed, |name, version| Section::of(name, version, &block.content));
            } else {
                out.push(Section::of(&name, 1, &block.content));
            }
        }
    }

    /// What [`Blocks::save`] wrote.
    pub(super) fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let left: Left = Section::read(sections, self.name, 1)?;
        let by_name: BTreeMap<&str, &Section> = sections.iter().map(|s| (s.name.as_str(), s)).collect();
        let mut restored = Self::new(self.name);
        restored.next = left.next;
        for (at, left) in left.blocks {
            let name = self.section(at);
            let section = by_name.get(name.as_str()).ok_or_else(|| RestoreError::Missing(name.clone()))?;
            let content: C = Section::read(std::slice::from_ref(*section), &name, 1)?;
            restored.len += u64::from(left.count());
            restored.blocks.insert(at, Block { content, left, held: 0, sealed: OnceLock::new() });
        }
        *self = restored;
        Ok(())
    }

    fn section(&self, block: u64) -> String {
        format!("{}/{block}", self.name)
    }
}
