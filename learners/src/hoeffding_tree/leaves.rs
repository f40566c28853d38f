//! What every leaf of a classification tree knows: counters, class weights, and where its statistics are.

use serde::{Deserialize, Serialize};

const SEEN: usize = 0;
const NEXT: usize = 1;
const COUNTS_RIGHT: usize = 2;
const BAYES_RIGHT: usize = 3;
const ACTIVE: usize = 4;
const HEAD: usize = 5;

/// Leaf after leaf in two arrays, one step (a head and the class weights; a block number a class) a leaf.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Leaves {
    classes: usize,
    numbers: Vec<f64>,
    /// Block + 1 of a class's statistics; 0 = none.
    slots: Vec<u32>,
    #[serde(skip)]
    written: Written,
}

/// Which leaves were written lately.
#[derive(Clone, Debug, Default)]
struct Written {
    /// Whether all those that were are noted.
    since: bool,
    leaves: Vec<u32>,
    /// Whether a leaf is among them; shorter where none was written.
    noted: Vec<bool>,
}

impl Leaves {
    /// No leaf yet, for `classes` classes.
    pub(super) fn none(classes: usize) -> Self {
        Self::of(classes, vec![], vec![])
    }

    fn of(classes: usize, numbers: Vec<f64>, slots: Vec<u32>) -> Self {
        Self { classes, numbers, slots, written: Written::default() }
    }

    /// One leaf that has seen nothing.
    pub(super) fn new() -> Self {
        let mut leaves = Self::none(0);
        leaves.push(&[], 0.0, 0.0);
        leaves
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len() / self.step()
    }

    /// Classes known to the tree.
    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    fn step(&self) -> usize {
        self.classes.saturating_add(HEAD)
    }

    /// Bytes that `leaves` leaves take.
    pub(super) fn bytes_of(&self, leaves: usize) -> usize {
        leaves * (self.step() * size_of::<f64>() + self.classes * size_of::<u32>())
    }

    /// Makes room for more classes.
    pub(super) fn grow(&mut self, classes: usize) {
        let (old, more) = (self.step(), classes - self.classes);
        let leaves = self.len();
        let mut numbers = Vec::with_capacity(leaves * (old + more));
        let mut slots = Vec::with_capacity(leaves * classes);
        for leaf in 0..leaves {
            numbers.extend_from_slice(self.leaf(leaf));
            numbers.resize(numbers.len() + more, 0.0);
            slots.extend_from_slice(self.slots(leaf));
            slots.resize(slots.len() + more, 0);
        }
        *self = Self::of(classes, numbers, slots);
    }

    /// A leaf that starts with class weights `counts`, of which `seen` count as seen, to be tried when `next` are.
    pub(super) fn push(&mut self, counts: &[f64], seen: f64, next: f64) -> usize {
        let number = self.len();
        self.numbers.extend_from_slice(&[seen, next, 0.0, 0.0, 1.0]);
        self.numbers.extend_from_slice(counts);
        self.numbers.resize((number + 1) * self.step(), 0.0);
        self.slots.resize((number + 1) * self.classes, 0);
        self.written.note(number);
        number
    }

    /// The same in place of leaf `number`, whose statistics must have been given back.
    pub(super) fn replace(&mut self, number: usize, counts: &[f64], seen: f64, next: f64) {
        let leaf = self.leaf_mut(number);
        leaf[..HEAD].copy_from_slice(&[seen, next, 0.0, 0.0, 1.0]);
        leaf[HEAD..].copy_from_slice(counts);
        self.slots_mut(number).fill(0);
    }

    fn leaf(&self, leaf: usize) -> &[f64] {
        &self.numbers[leaf * self.step()..][..self.step()]
    }

    fn leaf_mut(&mut self, leaf: usize) -> &mut [f64] {
        self.written.note(leaf);
        let step = self.step();
        &mut self.numbers[leaf * step..][..step]
    }

    pub(super) fn counts(&self, leaf: usize) -> &[f64] {
        &self.leaf(leaf)[HEAD..]
    }

    pub(super) fn slots(&self, leaf: usize) -> &[u32] {
        &self.slots[leaf * self.classes..][..self.classes]
    }

    pub(super) fn slots_mut(&mut self, leaf: usize) -> &mut [u32] {
        self.written.note(leaf);
        &mut self.slots[leaf * self.classes..][..self.classes]
    }

    /// Those of all leaves.
    pub(super) fn all_slots(&self) -> &[u32] {
        &self.slots
    }

    pub(super) fn all_slots_mut(&mut self) -> &mut [u32] {
        self.written = Written::default();
        &mut self.slots
    }

    /// The leaves that were written since [`Self::forget_written`]; `None`: whichever.
    pub(super) fn written(&self) -> Option<&[u32]> {
        self.written.since.then_some(&*self.written.leaves)
    }

    /// Leaves are noted from now on.
    pub(super) fn forget_written(&mut self) {
        let Written { since, leaves, noted } = &mut self.written;
        *since = true;
        leaves.drain(..).for_each(|leaf| noted[leaf as usize] = false);
    }

    /// Weight seen, with what was inherited.
    pub(super) fn seen(&self, leaf: usize) -> f64 {
        self.leaf(leaf)[SEEN]
    }

    /// Whether it keeps statistics beside its class weights.
    pub(super) fn active(&self, leaf: usize) -> bool {
        self.leaf(leaf)[ACTIVE] != 0.0
    }

    pub(super) fn set_active(&mut self, leaf: usize, active: bool) {
        if self.active(leaf) != active {
            let leaf = self.leaf_mut(leaf);
            leaf[ACTIVE] = f64::from(u8::from(active));
            (leaf[COUNTS_RIGHT], leaf[BAYES_RIGHT]) = (0.0, 0.0);
        }
    }

    /// Whether the class weights alone have been right more often than naive Bayes.
    pub(super) fn counts_win(&self, leaf: usize) -> bool {
        let leaf = self.leaf(leaf);
        leaf[COUNTS_RIGHT] > leaf[BAYES_RIGHT]
    }

    /// Takes in a label of weight `weight`; `bayes`: what naive Bayes had said before.
    #[inline]
    pub(super) fn learn(&mut self, leaf: usize, class: usize, bayes: Option<usize>, weight: f64) {
        let leaf = self.leaf_mut(leaf);
        if let Some(bayes) = bayes {
            if most(&leaf[HEAD..]) == class {
                leaf[COUNTS_RIGHT] += weight;
            }
            if bayes == class {
                leaf[BAYES_RIGHT] += weight;
            }
        }
        leaf[HEAD + class] += weight;
        leaf[SEEN] += weight;
    }

    /// Whether a grace period has passed; the next one begins.
    #[inline]
    pub(super) fn due(&mut self, leaf: usize, grace: f64) -> bool {
        let leaf = self.leaf_mut(leaf);
        let due = leaf[SEEN] >= leaf[NEXT];
        if due {
            leaf[NEXT] = leaf[SEEN] + grace;
        }
        due
    }

    /// Weight that splitting the leaf could still put right.
    pub(super) fn promise(&self, leaf: usize) -> f64 {
        let counts = self.counts(leaf);
        counts.iter().sum::<f64>() - counts.iter().fold(0.0, |a: f64, &b| a.max(b))
    }

    /// Whether the arrays fit each other.
    pub(super) fn sound(&self) -> bool {
        self.numbers.len() == self.len() * self.step() && self.slots.len() == self.len() * self.classes
    }
}

impl Written {
    #[inline(always)]
    fn note(&mut self, leaf: usize) {
        if self.noted.get(leaf) != Some(&true) {
            self.note_first(leaf);
        }
    }

    fn note_first(&mut self, leaf: usize) {
        if self.noted.len() <= leaf {
            self.noted.resize(leaf + 1, false);
        }
        self.noted[leaf] = true;
        self.leaves.push(leaf as u32);
    }
}

/// The place of the first greatest number.
pub(super) fn most(counts: &[f64]) -> usize {
    let mut best = 0;
    for (i, count) in counts.iter().enumerate() {
        if *count > counts[best] {
            best = i;
        }
    }
    best
}
