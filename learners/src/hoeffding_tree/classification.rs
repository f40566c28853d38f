//! The tree that names a class.

use std::sync::Arc;

use features::{ClassId, Kind, Row, Target};

use super::bayes::Seen;
use super::blocks::Blocks;
use super::budget::{self, OWN_BYTES};
use super::columns::Columns;
use super::leaves::{Leaves, most};
use super::nodes::{self, Node, descend};
use super::served::Served;
use super::settings::Settings;
use super::split;
use super::subspaces::Subspaces;
use crate::{Learner, Params, Prediction, RestoreError, Scratch, Section, SpecError};

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

impl Votes {
    fn by_counts(self, leaves: &Leaves, leaf: usize) -> bool {
        match self {
            Self::Adaptive => leaves.counts_win(leaf),
            Self::Bayes => false,
            Self::Counts => true,
        }
    }
}

/// The Hoeffding tree (VFDT) with naive Bayes in adaptive leaves: see the [module](super).
#[derive(Clone, Debug)]
pub struct HoeffdingTreeClassifier {
    settings: Settings,
    votes: Votes,
    columns: Columns,
    nodes: Arc<Vec<Node>>,
    leaves: Leaves,
    blocks: Blocks,
    /// If leaves look at some columns only.
    subspaces: Option<Subspaces>,
    /// Memory for learning; its content means nothing between calls.
    visit: Visit,
    /// The last copy of the leaves that was made to be served.
    last: Option<Arc<Served>>,
    /// A copy to be served has these, and no leaves nor blocks.
    served: Option<Arc<Served>>,
}

/// Where a row falls and what is said there: what predicting and learning it share. A visit is over once the tree learns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    node: usize,
    leaf: usize,
    /// The row as the leaf sees it, where leaves differ.
    values: Vec<f64>,
    /// Its numbers in lanes.
    x: Vec<f64>,
    widest: Vec<f64>,
    /// What naive Bayes says, if it was asked.
    bayes: Prediction,
    asked: bool,
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
            nodes: Arc::new(vec![Node::leaf(0)]),
            leaves: Leaves::new(),
            blocks: Blocks::default(),
            subspaces: None,
            visit: Visit::default(),
            last: None,
            served: None,
        })
    }

    /// A tree each of whose leaves looks at a `share` of the columns, drawn by `seed`.
    pub(crate) fn with_subspaces(self, share: f64, seed: u64) -> Self {
        let mut tree = Self { subspaces: Some(Subspaces::new(share, seed)), ..self };
        tree.fit_subspaces();
        tree
    }

    /// A copy that predicts the same and cannot learn.
    pub(crate) fn served(&mut self) -> Self {
        self.prepare_to_serve();
        Self {
            settings: self.settings,
            votes: self.votes,
            columns: self.columns.clone(),
            nodes: Arc::clone(&self.nodes),
            leaves: Leaves::none(0),
            blocks: Blocks::default(),
            subspaces: self.subspaces.clone(),
            visit: Visit::default(),
            last: None,
            served: self.last.clone(),
        }
    }

    /// Does most of what [`Self::served`] takes until the tree learns again.
    pub(crate) fn prepare_to_serve(&mut self) {
        let by_counts = |leaves: &Leaves, leaf| self.votes.by_counts(leaves, leaf);
        self.last = Some(Served::next(self.last.as_ref(), &mut self.leaves, &mut self.blocks, by_counts));
    }

    fn fit_subspaces(&mut self) {
        if let Some(subspaces) = &mut self.subspaces {
            subspaces.fit(self.nodes.len(), self.columns.len());
        }
    }

    /// Nodes of the tree, leaves too.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    fn by_counts(&self, leaf: usize) -> bool {
        match &self.served {
            Some(served) => served.by_counts(leaf),
            None => self.votes.by_counts(&self.leaves, leaf),
        }
    }

    fn counts_into(&self, leaf: usize, out: &mut Prediction) {
        out.clear();
        out.probabilities.extend_from_slice(match &self.served {
            Some(served) => served.counts(leaf),
            None => self.leaves.counts(leaf),
        });
        if !out.probabilities.is_empty() {
            out.normalise();
        }
    }

    /// Goes where a row falls.
    pub(crate) fn visit(&self, row: &Row<'_>, visit: &mut Visit) {
        (visit.node, visit.leaf) = descend(&self.nodes, row);
        visit.asked = false;
        if let Some(subspaces) = &self.subspaces {
            subspaces.write(visit.node, row, &mut visit.values);
        }
    }

    /// The row as the visited leaf sees it.
    fn seen<'a>(&self, row: &Row<'a>, values: &'a [f64]) -> Row<'a> {
        if self.subspaces.is_some() { Row { values, ..*row } } else { *row }
    }

    /// What the visited leaf says of the row.
    pub(crate) fn answer(&self, row: &Row<'_>, visit: &mut Visit, out: &mut Prediction) {
        if self.by_counts(visit.leaf) {
            self.counts_into(visit.leaf, out);
        } else {
            self.ask(row, visit);
            out.copy(&visit.bayes);
        }
    }

    /// Asks naive Bayes, once a visit.
    fn ask(&self, row: &Row<'_>, visit: &mut Visit) {
        if !std::mem::replace(&mut visit.asked, true) {
            let Visit { leaf, values, x, widest, bayes, .. } = visit;
            let row = self.seen(row, values);
            self.columns.gather(&row, x);
            let (leaf, columns) = (*leaf, &self.columns);
            match &self.served {
                Some(served) => {
                    let (counts, slots, blocks) = (served.counts(leaf), served.slots(leaf), &**served);
                    Seen { counts, slots, blocks, columns }.naive_bayes(x, &row, widest, bayes);
                }
                None => {
                    let (counts, slots, blocks) = (self.leaves.counts(leaf), self.leaves.slots(leaf), &self.blocks);
                    Seen { counts, slots, blocks, columns }.naive_bayes(x, &row, widest, bayes);
                }
            }
        }
    }

    /// Learns a row that was just visited.
    pub(crate) fn learn_visited(&mut self, row: &Row<'_>, visit: &mut Visit, class: usize, weight: f64) {
        if self.votes == Votes::Adaptive {
            self.ask(row, visit);
        } else if !visit.asked {
            let row = self.seen(row, &visit.values);
            self.columns.gather(&row, &mut visit.x);
        }
        self.train(&self.seen(row, &visit.values), class, weight, visit);
    }

    /// Learns a row as the visited leaf sees it, whose numbers have been gathered.
    fn train(&mut self, row: &Row<'_>, class: usize, weight: f64, visit: &Visit) {
        let (node, leaf) = (visit.node, visit.leaf);
        let mut grown = self.columns.meet(row);
        if grown {
            self.blocks.lay_out(&self.columns, self.leaves.all_slots_mut());
        }
        if class >= self.leaves.classes() {
            self.leaves.grow(class + 1);
            grown = true;
        }
        let bayes = (self.votes == Votes::Adaptive).then(|| most(&visit.bayes.probabilities));
        self.leaves.learn(leaf, class, bayes, weight);
        if self.leaves.active(leaf) {
            let mut slot = self.leaves.slots(leaf)[class];
            if slot == 0 {
                slot = self.blocks.take();
                self.leaves.slots_mut(leaf)[class] = slot;
                grown = true;
            }
            if slot != 0 {
                self.blocks.observe(slot, &visit.x, &self.columns, row, weight);
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
        let nodes = Arc::make_mut(&mut self.nodes);
        nodes[node] = Node::split(question.column, question.test, child, most(&weights));
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
            nodes.push(Node::leaf(number));
        }
        self.fit_subspaces();
        true
    }

    /// Bytes of everything but statistics.
    fn structure_bytes(&self, nodes: usize, leaves: usize) -> usize {
        let subspaces = self.subspaces.as_ref().map_or(0, |subspaces| subspaces.bytes_of(nodes));
        OWN_BYTES + self.columns.bytes() + nodes * size_of::<Node>() + subspaces + self.leaves.bytes_of(leaves)
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
        self.blocks.lay_out(&self.columns, self.leaves.all_slots_mut());
    }

    /// Starts again with one leaf that knows the class weights: so many classes came that the tree itself is too large.
    fn fell(&mut self) {
        let mut counts = vec![0.0; self.leaves.classes()];
        for leaf in 0..self.leaves.len() {
            counts.iter_mut().zip(self.leaves.counts(leaf)).for_each(|(sum, count)| *sum += count);
        }
        let mut leaves = Leaves::none(counts.len());
        leaves.push(&counts, 0.0, self.settings.grace);
        self.leaves = leaves;
        self.nodes = Arc::new(vec![Node::leaf(0)]);
        self.blocks = Blocks::new(&self.columns);
        self.fit_subspaces();
    }
}

impl Learner for HoeffdingTreeClassifier {
    fn grow(&mut self, kinds: &[Kind]) {
        let grown = self.columns.grow(kinds);
        self.fit_subspaces();
        if grown {
            self.blocks.lay_out(&self.columns, self.leaves.all_slots_mut());
            if self.bytes() > self.settings.max_bytes {
                self.shrink();
            }
        }
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        let Target::Class(ClassId(class)) = target else { return };
        let mut visit = std::mem::take(&mut self.visit);
        self.visit(row, &mut visit);
        self.learn_visited(row, &mut visit, class as usize, weight);
        self.visit = visit;
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        self.visit(row, &mut scratch.visit);
        self.answer(row, &mut scratch.visit, out);
    }

    fn predict_then_learn(
        &mut self,
        row: &Row<'_>,
        target: Target,
        weight: f64,
        _scratch: &mut Scratch,
        out: &mut Prediction,
    ) {
        let mut visit = std::mem::take(&mut self.visit);
        self.visit(row, &mut visit);
        self.answer(row, &mut visit, out);
        if let Target::Class(ClassId(class)) = target {
            self.learn_visited(row, &mut visit, class as usize, weight);
        }
        self.visit = visit;
    }

    fn bytes(&self) -> usize {
        self.structure_bytes(self.nodes.len(), self.leaves.len()) + self.blocks.bytes()
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("nodes", 1, &*self.nodes));
        out.push(Section::of("leaves", 1, &(&self.columns, &self.leaves)));
        out.push(Section::of("statistics", 1, &self.blocks));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let nodes: Vec<Node> = Section::read(sections, "nodes", 1)?;
        let (columns, leaves): (Columns, Leaves) = Section::read(sections, "leaves", 1)?;
        let blocks: Blocks = Section::read(sections, "statistics", 1)?;
        if !(nodes::sound(&nodes, leaves.len()) && leaves.sound() && blocks.sound(&columns, leaves.all_slots())) {
            let message = "nodes, leaves and statistics do not fit each other".to_owned();
            return Err(RestoreError::Corrupt { name: "nodes".to_owned(), message });
        }
        (self.nodes, self.columns, self.leaves, self.blocks) = (Arc::new(nodes), columns, leaves, blocks);
        self.fit_subspaces();
        Ok(())
    }
}
