//! The tree that names a class.

use features::{ClassId, Kind, Row, Rows, Target};

use super::bayes::Seen;
use super::blocks::Blocks;
use super::budget;
use super::columns::Columns;
use super::leaves::{Leaves, most};
use super::nodes::{self, Node, descend};
use super::settings::Settings;
use super::split;
use crate::{Learner, Outcome, Params, Prediction, RestoreError, Scratch, Section, SpecError};

/// What a leaf predicts by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Votes {
    /// Naive Bayes or class weights, whichever has been right more often in the leaf.
    Adaptive,
    /// Naive Bayes.
    Bayes,
    /// Class weights.
    Counts,
}

/// The Hoeffding tree (VFDT) with naive Bayes in adaptive leaves: see the [module](super).
#[derive(Clone, Debug)]
pub struct HoeffdingTreeClassifier {
    settings: Settings,
    votes: Votes,
    columns: Columns,
    nodes: Vec<Node>,
    leaves: Leaves,
    blocks: Blocks,
    /// Memory for learning; its content means nothing between calls.
    work: Work,
}

#[derive(Clone, Debug, Default)]
struct Work {
    x: Vec<f64>,
    widest: Vec<f64>,
    bayes: Prediction,
}

impl HoeffdingTreeClassifier {
    /// Reads `grace`, `confidence`, `tie`, `leaf`, `inherit`, `max_bytes`.
    ///
    /// # Errors
    /// A value out of range.
    pub fn new(params: &Params<'_>) -> Result<Self, SpecError> {
        let votes = [Votes::Adaptive, Votes::Bayes, Votes::Counts][params.choice("leaf", &["nba", "nb", "mc"])?];
        let settings = Settings::read(params)?;
        Ok(Self {
            settings,
            votes,
            columns: Columns::default(),
            nodes: vec![Node::leaf(0)],
            leaves: Leaves::new(),
            blocks: Blocks::default(),
            work: Work::default(),
        })
    }

    /// Nodes of the tree, leaves too.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    fn by_counts(&self, leaf: usize) -> bool {
        match self.votes {
            Votes::Adaptive => self.leaves.counts_win(leaf),
            Votes::Bayes => false,
            Votes::Counts => true,
        }
    }

    fn counts_into(&self, leaf: usize, out: &mut Prediction) {
        out.clear();
        out.probabilities.extend_from_slice(self.leaves.counts(leaf));
        if !out.probabilities.is_empty() {
            out.normalise();
        }
    }

    fn bayes_into(&self, leaf: usize, x: &[f64], row: &Row<'_>, widest: &mut Vec<f64>, out: &mut Prediction) {
        let (counts, slots) = (self.leaves.counts(leaf), self.leaves.slots(leaf));
        Seen { counts, slots, blocks: &self.blocks, columns: &self.columns }.naive_bayes(x, row, widest, out);
    }

    /// Learns a row that falls into `leaf` at `node`; `work` holds its numbers and what naive Bayes said.
    fn train(&mut self, (node, leaf): (usize, usize), row: &Row<'_>, class: usize, weight: f64, work: &Work) {
        let mut grown = self.columns.meet(row);
        if grown {
            self.blocks.lay_out(&self.columns, &mut self.leaves.slots);
        }
        if class >= self.leaves.classes() {
            self.leaves.grow(class + 1);
            grown = true;
        }
        let bayes = (self.votes == Votes::Adaptive).then(|| most(&work.bayes.probabilities));
        self.leaves.learn(leaf, class, bayes, weight);
        if self.leaves.active(leaf) {
            let slot = &mut self.leaves.slots_mut(leaf)[class];
            if *slot == 0 {
                *slot = self.blocks.take();
                grown = true;
            }
            if *slot != 0 {
                self.blocks.observe(*slot, &work.x, &self.columns, row, weight);
            }
            if self.leaves.due(leaf, self.settings.grace) {
                grown |= self.try_split(node, leaf);
            }
        }
        if grown && self.bytes() > self.settings.max_bytes {
            self.shrink();
        }
    }

    /// Splits a leaf if one question is clearly the best. Whether it did.
    fn try_split(&mut self, node: usize, leaf: usize) -> bool {
        let slots = self.leaves.slots(leaf);
        if slots.iter().filter(|slot| **slot != 0).count() < 2 {
            return false;
        }
        let seen = self.leaves.seen(leaf);
        let counts = self.leaves.counts(leaf);
        let Some((question, second)) = split::best(&self.columns, &self.blocks, slots) else { return false };
        let classes = counts.iter().filter(|count| **count > 0.0).count().max(2);
        let bound = self.settings.bound(libm::log2(classes as f64), seen);
        let clear = question.gain - second > bound || bound < self.settings.tie;
        let branches = question.test.branches();
        // Half of the memory is for statistics.
        let structure = self.structure_bytes(self.nodes.len() + branches, self.leaves.len() + branches - 1);
        if !clear || question.gain <= 0.0 || structure > self.settings.max_bytes / 2 {
            return false;
        }
        let shares = split::shares(&question, &self.blocks, slots);
        let counts = counts.to_vec();
        self.blocks.give(self.leaves.slots_mut(leaf));
        let weights: Vec<f64> = shares.iter().map(|share| share.iter().sum()).collect();
        let child = self.nodes.len();
        self.nodes[node] = Node::split(question.column, question.test, child, most(&weights));
        for (i, (mut share, weight)) in shares.into_iter().zip(weights).enumerate() {
            // A child that inherits nothing has the distribution of its share, or its parent's, with a weight of 1.
            let empty = weight < 1.0;
            let (from, sum) = if empty { (&counts, seen) } else { (&share, weight) };
            if empty || !self.settings.inherit {
                share = from.iter().map(|count| count / sum).collect();
            }
            let weight = if self.settings.inherit { weight } else { 0.0 };
            let next = weight + self.settings.grace;
            let number = if i == 0 {
                self.leaves.replace(leaf, &share, weight, next);
                leaf
            } else {
                self.leaves.push(&share, weight, next)
            };
            self.nodes.push(Node::leaf(number));
        }
        true
    }

    /// Bytes of everything but statistics.
    fn structure_bytes(&self, nodes: usize, leaves: usize) -> usize {
        size_of::<Self>() + self.columns.bytes() + nodes * size_of::<Node>() + self.leaves.bytes_of(leaves)
    }

    /// Gets below the budget: the leaves where least can be gained keep class weights only.
    fn shrink(&mut self) {
        let structure = self.structure_bytes(self.nodes.len(), self.leaves.len());
        if structure > self.settings.max_bytes {
            self.fell();
        }
        let structure = self.structure_bytes(self.nodes.len(), self.leaves.len());
        // An eighth stays free, so that this happens seldom.
        let room = (self.settings.max_bytes / 8 * 7).saturating_sub(structure);
        let cost = |leaf| {
            let classes = self.leaves.counts(leaf).iter().filter(|count| **count > 0.0).count();
            (self.leaves.promise(leaf), classes.max(1) * self.blocks.size())
        };
        let leaves: Vec<_> = (0..self.leaves.len()).map(cost).collect();
        for (leaf, active) in budget::keep(&leaves, room).into_iter().enumerate() {
            self.leaves.set_active(leaf, active);
            if !active {
                self.blocks.give(self.leaves.slots_mut(leaf));
            }
        }
        self.blocks.lay_out(&self.columns, &mut self.leaves.slots);
    }

    /// Starts again with one leaf that knows the class weights: so many classes came that the tree itself is too large.
    fn fell(&mut self) {
        let mut counts = vec![0.0; self.leaves.classes()];
        for leaf in 0..self.leaves.len() {
            counts.iter_mut().zip(self.leaves.counts(leaf)).for_each(|(sum, count)| *sum += count);
        }
        let mut leaves = Leaves::default();
        leaves.grow(counts.len());
        leaves.push(&counts, 0.0, self.settings.grace);
        self.leaves = leaves;
        self.nodes = vec![Node::leaf(0)];
        self.blocks = Blocks::new(&self.columns);
    }
}

impl Learner for HoeffdingTreeClassifier {
    fn grow(&mut self, kinds: &[Kind]) {
        if self.columns.grow(kinds) {
            self.blocks.lay_out(&self.columns, &mut self.leaves.slots);
            if self.bytes() > self.settings.max_bytes {
                self.shrink();
            }
        }
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        let Target::Class(ClassId(class)) = target else { return };
        let mut work = std::mem::take(&mut self.work);
        self.columns.gather(row, &mut work.x);
        let at = descend(&self.nodes, row);
        if self.votes == Votes::Adaptive {
            self.bayes_into(at.1, &work.x, row, &mut work.widest, &mut work.bayes);
        }
        self.train(at, row, class as usize, weight, &work);
        self.work = work;
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        let (_, leaf) = descend(&self.nodes, row);
        if self.by_counts(leaf) {
            self.counts_into(leaf, out);
        } else {
            self.columns.gather(row, &mut scratch.numbers);
            self.bayes_into(leaf, &scratch.numbers, row, &mut scratch.more, out);
        }
    }

    fn test_then_train(&mut self, rows: &Rows, scratch: &mut Scratch, outcomes: &mut Vec<Outcome>) {
        let mut work = std::mem::take(&mut self.work);
        for (row, target) in rows.iter() {
            let Target::Class(ClassId(class)) = target else { continue };
            self.columns.gather(&row, &mut work.x);
            let at = descend(&self.nodes, &row);
            let by_counts = self.by_counts(at.1);
            if self.votes != Votes::Counts {
                self.bayes_into(at.1, &work.x, &row, &mut work.widest, &mut work.bayes);
            }
            if by_counts {
                self.counts_into(at.1, &mut scratch.prediction);
            }
            outcomes.push(Outcome::of(if by_counts { &scratch.prediction } else { &work.bayes }, target));
            self.train(at, &row, class as usize, 1.0, &work);
        }
        self.work = work;
    }

    fn bytes(&self) -> usize {
        self.structure_bytes(self.nodes.len(), self.leaves.len()) + self.blocks.bytes()
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("nodes", 1, &self.nodes));
        out.push(Section::of("leaves", 1, &(&self.columns, &self.leaves)));
        out.push(Section::of("statistics", 1, &self.blocks));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let nodes: Vec<Node> = Section::read(sections, "nodes", 1)?;
        let (columns, leaves): (Columns, Leaves) = Section::read(sections, "leaves", 1)?;
        let blocks: Blocks = Section::read(sections, "statistics", 1)?;
        if !(nodes::sound(&nodes, leaves.len()) && leaves.sound() && blocks.sound(&columns, &leaves.slots)) {
            let message = "nodes, leaves and statistics do not fit each other".to_owned();
            return Err(RestoreError::Corrupt { name: "nodes".to_owned(), message });
        }
        (self.nodes, self.columns, self.leaves, self.blocks) = (nodes, columns, leaves, blocks);
        Ok(())
    }
}
