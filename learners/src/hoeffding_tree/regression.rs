//! The tree that tells a number.

use features::{Kind, Row, Rows, Target};
use serde::{Deserialize, Serialize};

use super::bins::Bins;
use super::budget::{self, OWN_BYTES};
use super::columns::{Columns, tame};
use super::deviation;
use super::model::{self, Scale};
use super::moments::Moments;
use super::nodes::{self, Node, descend};
use super::settings::Settings;
use crate::{Learner, Outcome, Params, Prediction, RestoreError, Scratch, Section, SpecError};

/// A question must take at least this share of the standard deviation, be it ever so clearly the best.
const USEFUL: f64 = 0.01;
/// How fast a leaf's errors are forgotten.
const FADING: f64 = 0.995;

/// What a leaf predicts by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaf {
    /// Its model or its mean, whichever has been nearer of late.
    Adaptive,
    /// Its model.
    Model,
    /// Its mean.
    Mean,
}

/// What a leaf knows beside its model and its statistics.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Head {
    /// Weight seen since it became a leaf.
    seen: f64,
    /// When to try a split.
    next: f64,
    /// All targets, with those inherited.
    targets: Moments,
    /// Fading squared errors.
    model_error: f64,
    mean_error: f64,
    paused: bool,
}

/// The Hoeffding tree for regression, in the manner of FIMT-DD: see the [module](super).
#[derive(Clone, Debug)]
pub struct HoeffdingTreeRegressor {
    settings: Settings,
    leaf: Leaf,
    columns: Columns,
    nodes: Vec<Node>,
    scale: Scale,
    heads: Vec<Head>,
    /// Leaf after leaf the weights of its model: one a lane, then the constant.
    models: Vec<f64>,
    slots: Vec<u32>,
    bins: Bins,
    /// Memory for learning; its content means nothing between calls.
    work: Work,
}

#[derive(Clone, Debug, Default)]
struct Work {
    x: Vec<f64>,
    z: Vec<f64>,
}

impl HoeffdingTreeRegressor {
    /// A copy that predicts the same and cannot learn: without statistics.
    pub(crate) fn served(&self) -> Self {
        Self {
            settings: self.settings,
            leaf: self.leaf,
            columns: self.columns.clone(),
            nodes: self.nodes.clone(),
            scale: self.scale.clone(),
            heads: self.heads.clone(),
            models: self.models.clone(),
            slots: vec![],
            bins: Bins::default(),
            work: Work::default(),
        }
    }

    /// Reads `grace`, `confidence`, `tie`, `leaf`, `inherit`, `max_bytes`.
    ///
    /// # Errors
    /// A value out of range.
    pub fn new(params: &Params<'_>) -> Result<Self, SpecError> {
        let leaf = [Leaf::Adaptive, Leaf::Model, Leaf::Mean][params.choice("leaf", &["adaptive", "model", "mean"])?];
        let settings = Settings::read(params)?;
        Ok(Self {
            settings,
            leaf,
            columns: Columns::default(),
            nodes: vec![Node::leaf(0)],
            scale: Scale::default(),
            heads: vec![Head { next: settings.grace, ..Head::default() }],
            models: vec![0.0],
            slots: vec![0],
            bins: Bins::default(),
            work: Work::default(),
        })
    }

    /// Nodes of the tree, leaves too.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    fn width(&self) -> usize {
        self.columns.lanes() + 1
    }

    fn model(&self, leaf: usize) -> &[f64] {
        &self.models[leaf * self.width()..][..self.width()]
    }

    fn by_model(&self, leaf: usize) -> bool {
        let head = &self.heads[leaf];
        match self.leaf {
            Leaf::Adaptive => head.model_error < head.mean_error,
            Leaf::Model => true,
            Leaf::Mean => false,
        }
    }

    /// The prediction of `leaf`; `z`: the row in units of the tree's scale, empty if only means are used.
    fn value(&self, leaf: usize, z: &[f64]) -> f64 {
        if self.by_model(leaf) { self.scale.predict(self.model(leaf), z) } else { self.heads[leaf].targets.mean }
    }

    /// Learns a row that falls into `leaf` at `node`; `work` holds its numbers.
    fn train(&mut self, (node, leaf): (usize, usize), row: &Row<'_>, y: f64, weight: f64, work: &mut Work) {
        let y = tame(y);
        let mut grown = self.columns.meet(row);
        if grown {
            self.bins.lay_out(&self.columns, &mut self.slots);
        }
        if self.leaf != Leaf::Mean {
            let model_error = self.scale.predict(self.model(leaf), &work.z) - y;
            let head = &mut self.heads[leaf];
            let mean_error = head.targets.mean - y;
            head.model_error = FADING * head.model_error + (1.0 - FADING) * model_error * model_error;
            head.mean_error = FADING * head.mean_error + (1.0 - FADING) * mean_error * mean_error;
            self.scale.learn(&work.x, y, weight);
            self.scale.standardise(&work.x, &mut work.z);
            let width = self.width();
            let step = model::step(self.heads[leaf].seen);
            self.scale.improve(&mut self.models[leaf * width..][..width], &work.z, y, step, weight);
        }
        let head = &mut self.heads[leaf];
        head.targets.add(y, weight);
        head.seen += weight;
        if !head.paused {
            if self.slots[leaf] == 0 {
                self.slots[leaf] = self.bins.take();
                grown = true;
            }
            if self.slots[leaf] != 0 {
                self.bins.observe(self.slots[leaf], &work.x, &self.columns, row, y, weight);
                if head.seen >= head.next {
                    head.next = head.seen + self.settings.grace;
                    grown |= self.try_split(node, leaf);
                }
            }
        }
        if grown && self.bytes() > self.settings.max_bytes {
            self.shrink();
        }
    }

    /// Splits a leaf if one question is clearly the best. Whether it did.
    fn try_split(&mut self, node: usize, leaf: usize) -> bool {
        let head = self.heads[leaf];
        let Some((question, second)) = deviation::best(&self.columns, &self.bins, self.slots[leaf], head.seen) else {
            return false;
        };
        let bound = self.settings.bound(1.0, head.seen);
        let clear = second < question.gain * (1.0 - bound) || bound < self.settings.tie;
        // Half of the memory is for statistics.
        let structure = self.structure_bytes(self.nodes.len() + 2, self.heads.len() + 1);
        if !clear || question.gain < USEFUL * head.targets.sd() || structure > self.settings.max_bytes / 2 {
            return false;
        }
        self.bins.give(&mut self.slots[leaf..=leaf]);
        let branches = question.branches.map(|mut targets| {
            if !self.settings.inherit {
                targets = Moments { weight: 1.0, m2: targets.m2 / targets.weight, ..targets };
            }
            Head { seen: 0.0, next: self.settings.grace, targets, ..head }
        });
        let usual = usize::from(question.branches[1].weight > question.branches[0].weight);
        let child = self.nodes.len();
        self.nodes[node] = Node::split(question.column, question.test, child, usual);
        self.nodes.extend([Node::leaf(leaf), Node::leaf(self.heads.len())]);
        self.heads[leaf] = branches[0];
        self.heads.push(branches[1]);
        self.slots.push(0);
        let width = self.width();
        self.models.extend_from_within(leaf * width..(leaf + 1) * width);
        true
    }

    /// Bytes of everything but statistics.
    fn structure_bytes(&self, nodes: usize, leaves: usize) -> usize {
        let leaf = size_of::<Head>() + size_of::<u32>() + self.width() * size_of::<f64>();
        OWN_BYTES + self.columns.bytes() + self.scale.bytes() + nodes * size_of::<Node>() + leaves * leaf
    }

    /// Gets below the budget: the leaves where least can be gained keep no statistics.
    fn shrink(&mut self) {
        let mut structure = self.structure_bytes(self.nodes.len(), self.heads.len());
        if structure > self.settings.max_bytes {
            self.fell();
            structure = self.structure_bytes(self.nodes.len(), self.heads.len());
        }
        // An eighth stays free, so that this happens seldom.
        let room = (self.settings.max_bytes / 8 * 7).saturating_sub(structure);
        let leaves: Vec<_> = self.heads.iter().map(|head| (head.targets.m2, self.bins.size())).collect();
        for (leaf, active) in budget::keep(&leaves, room).into_iter().enumerate() {
            self.heads[leaf].paused = !active;
            if !active {
                self.bins.give(&mut self.slots[leaf..=leaf]);
            }
        }
        self.bins.lay_out(&self.columns, &mut self.slots);
    }

    /// Starts again with one leaf that knows all targets: so many columns came that the tree itself is too large.
    fn fell(&mut self) {
        let targets = self.heads.iter().fold(Moments::default(), |sum, head| sum.with(head.targets));
        self.heads = vec![Head { next: self.settings.grace, targets, ..Head::default() }];
        self.nodes = vec![Node::leaf(0)];
        self.models = vec![0.0; self.width()];
        self.slots = vec![0];
        self.bins = Bins::new(&self.columns);
    }
}

impl Learner for HoeffdingTreeRegressor {
    fn grow(&mut self, kinds: &[Kind]) {
        let old = self.width();
        if !self.columns.grow(kinds) {
            return;
        }
        let width = self.width();
        let mut models = vec![0.0; self.heads.len() * width];
        for (new, old) in models.chunks_exact_mut(width).zip(self.models.chunks_exact(old)) {
            let (constant, weights) = old.split_last().expect("every model has a constant");
            new[..weights.len()].copy_from_slice(weights);
            new[width - 1] = *constant;
        }
        self.models = models;
        self.scale.grow(width - 1);
        self.bins.lay_out(&self.columns, &mut self.slots);
        if self.bytes() > self.settings.max_bytes {
            self.shrink();
        }
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        let Target::Value(y) = target else { return };
        let mut work = std::mem::take(&mut self.work);
        self.columns.gather(row, &mut work.x);
        self.scale.standardise(&work.x, &mut work.z);
        self.train(descend(&self.nodes, row), row, y, weight, &mut work);
        self.work = work;
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        out.clear();
        let (_, leaf) = descend(&self.nodes, row);
        if self.by_model(leaf) {
            self.columns.gather(row, &mut scratch.numbers);
            self.scale.standardise(&scratch.numbers, &mut scratch.more);
        }
        out.value = self.value(leaf, &scratch.more);
    }

    fn test_then_train(&mut self, rows: &Rows, _scratch: &mut Scratch, outcomes: &mut Vec<Outcome>) {
        let mut work = std::mem::take(&mut self.work);
        for (row, target) in rows.iter() {
            let Target::Value(y) = target else { continue };
            self.columns.gather(&row, &mut work.x);
            self.scale.standardise(&work.x, &mut work.z);
            let at = descend(&self.nodes, &row);
            outcomes.push(Outcome::Value(self.value(at.1, &work.z)));
            self.train(at, &row, y, 1.0, &mut work);
        }
        self.work = work;
    }

    fn bytes(&self) -> usize {
        self.structure_bytes(self.nodes.len(), self.heads.len()) + self.bins.bytes()
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("nodes", 1, &self.nodes));
        out.push(Section::of("leaves", 1, &(&self.columns, &self.scale, &self.heads, &self.models, &self.slots)));
        out.push(Section::of("statistics", 1, &self.bins));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let nodes: Vec<Node> = Section::read(sections, "nodes", 1)?;
        type Leaves = (Columns, Scale, Vec<Head>, Vec<f64>, Vec<u32>);
        let (columns, scale, heads, models, slots): Leaves = Section::read(sections, "leaves", 1)?;
        let bins: Bins = Section::read(sections, "statistics", 1)?;
        let fits = nodes::sound(&nodes, heads.len())
            && slots.len() == heads.len()
            && models.len() == heads.len() * (columns.lanes() + 1)
            && scale.sound(columns.lanes())
            && bins.sound(&columns, &slots);
        if !fits {
            let message = "nodes, leaves and statistics do not fit each other".to_owned();
            return Err(RestoreError::Corrupt { name: "nodes".to_owned(), message });
        }
        (self.nodes, self.columns, self.scale) = (nodes, columns, scale);
        (self.heads, self.models, self.slots, self.bins) = (heads, models, slots, bins);
        Ok(())
    }
}
