//! Streaming random patches: Hoeffding trees, each on columns of its own and on rows of its own, replaced where they drift.
//!
//! Every tree sees six tenths of the columns, drawn by seed, and learns a row Poisson(6) times. ADWIN watches its errors: at
//! a warning a tree on other columns begins to learn beside it, at a drift that takes its place. The answer is the mean of
//! the trees' probabilities. Unlike in MOA every tree draws by a seed of its own, and votes are not weighted (which
//! changed nothing there). Missing values and late categories: as the trees have it.
//!
//! Cost: about a tree's each; at most `max_bytes`, shared by the trees and those that grow beside them.
//! Gomes et al., Streaming random patches for evolving data stream classification, 2019.

use features::{ClassId, Kind, Row, Target};
use serde::{Deserialize, Serialize};

use crate::inputs::mix;
use crate::{
    Adwin, Detector, HoeffdingTreeClassifier, Learner, LearnerSpec, Params, Prediction, RestoreError, Scratch, Section,
    Signal, SpecError,
};

/// How often a row is learned, in the mean.
const LAMBDA: f64 = 6.0;
/// Share of the columns that a tree sees.
const COLUMNS: f64 = 0.6;
/// Chances of a false drift and a false warning.
const DRIFT: f64 = 1e-5;
const WARNING: f64 = 1e-4;
/// Bytes below which a tree is of no use.
const LEAST_BYTES: usize = 48 << 10;
/// Bytes of a detector and of what else a tree needs beside itself.
const BESIDE: usize = 8 << 10;

/// A tree and the columns it sees.
#[derive(Clone, Debug)]
struct Patch {
    /// What its columns are drawn by.
    draw: u64,
    columns: Vec<u32>,
    tree: HoeffdingTreeClassifier,
}

/// A tree, what watches it, and its successor while there is a warning.
#[derive(Clone, Debug)]
struct Member {
    patch: Patch,
    detector: Adwin,
    next: Option<Patch>,
    draws: u64,
}

/// What is saved beside the trees.
#[derive(Serialize, Deserialize)]
struct SavedMember {
    draw: u64,
    detector: Adwin,
    next: Option<u64>,
    draws: u64,
}

/// The ensemble.
#[derive(Clone, Debug)]
pub struct Srp {
    seed: u64,
    spec: LearnerSpec,
    tree_bytes: usize,
    successors: bool,
    kinds: Vec<Kind>,
    classes: usize,
    events: u64,
    members: Vec<Member>,
    /// Memory for learning; its content means nothing between calls.
    work: SrpWork,
    scratch: Box<Scratch>,
}

/// Memory for a tree's values and answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct SrpWork {
    values: Vec<f64>,
    said: Prediction,
    /// The class each tree names.
    votes: Vec<Option<ClassId>>,
    answer: Prediction,
}

impl Srp {
    /// Reads `members`, `grace`, `confidence`.
    pub(crate) fn build(params: &Params<'_>) -> Result<Self, SpecError> {
        let members = params.whole("members", 10, 1, 200)? as usize;
        let grace = params.whole("grace", 50, 1, 1_000_000)?;
        let confidence = params.number("confidence", 0.01, 1e-12, 0.5)?;
        Self::new(members, grace, confidence, params.seed()?, params.max_bytes()?)
    }

    /// `members` trees in `max_bytes`; as many as there is room for.
    pub(crate) fn new(
        members: usize,
        grace: u64,
        confidence: f64,
        seed: u64,
        max_bytes: usize,
    ) -> Result<Self, SpecError> {
        let spec = format!("hoeffding_tree:grace={grace},confidence={confidence}").parse()?;
        let members = members.min(max_bytes / (LEAST_BYTES + BESIDE)).max(1);
        let bytes = max_bytes / members;
        let successors = bytes >= 2 * LEAST_BYTES + BESIDE;
        let tree_bytes = (bytes - BESIDE.min(bytes / 4)) / if successors { 2 } else { 1 };
        let mut ensemble = Self {
            seed,
            spec,
            tree_bytes,
            successors,
            kinds: vec![],
            classes: 0,
            events: 0,
            members: vec![],
            work: SrpWork::default(),
            scratch: Box::default(),
        };
        for member in 0..members as u64 {
            let patch = ensemble.patch(mix(seed ^ mix(member)))?;
            let detector = Adwin::new(DRIFT, WARNING);
            ensemble.members.push(Member { patch, detector, next: None, draws: 0 });
        }
        Ok(ensemble)
    }

    /// A tree that has seen nothing, on columns drawn by `draw`.
    fn patch(&self, draw: u64) -> Result<Patch, SpecError> {
        let tree = HoeffdingTreeClassifier::new(&Params::new(&self.spec, self.seed, self.tree_bytes))?;
        let mut patch = Patch { draw, columns: vec![], tree };
        patch.grow(&self.kinds);
        Ok(patch)
    }
}

impl Patch {
    /// Whether it sees a column: one draw each, so that columns may come later.
    fn sees(&self, column: usize) -> bool {
        let unit = (mix(self.draw ^ mix(column as u64)) >> 11) as f64 / (1_u64 << 53) as f64;
        unit < COLUMNS
    }

    fn grow(&mut self, kinds: &[Kind]) {
        self.columns = (0..kinds.len()).filter(|column| self.sees(*column)).map(|column| column as u32).collect();
        if self.columns.is_empty() && !kinds.is_empty() {
            self.columns.push(0);
        }
        let kinds: Vec<_> = self.columns.iter().map(|column| kinds[*column as usize]).collect();
        self.tree.grow(&kinds);
    }

    fn write(&self, row: &Row<'_>, values: &mut Vec<f64>) {
        let value = |column: &u32| row.values.get(*column as usize).copied().unwrap_or(f64::NAN);
        values.clear();
        values.extend(self.columns.iter().map(value));
    }

    fn predict(&self, row: &Row<'_>, values: &mut Vec<f64>, scratch: &mut Scratch, out: &mut Prediction) {
        self.write(row, values);
        self.tree.predict_into(&Row { values, ..*row }, scratch, out);
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.columns) + self.tree.bytes()
    }
}

/// A Poisson number of mean λ by inversion of one uniform number.
fn poisson(uniform: f64) -> f64 {
    let mut p = libm::exp(-LAMBDA);
    let (mut below, mut k) = (p, 0.0);
    while uniform >= below && k < 40.0 {
        k += 1.0;
        p *= LAMBDA / k;
        below += p;
    }
    k
}

impl Srp {
    /// The mean of the trees' probabilities; leaves in `work` which class each tree names.
    pub(crate) fn answer(&self, row: &Row<'_>, work: &mut SrpWork, scratch: &mut Scratch, out: &mut Prediction) {
        out.clear();
        out.probabilities.resize(self.classes, 0.0);
        work.votes.clear();
        for member in &self.members {
            member.patch.predict(row, &mut work.values, scratch, &mut work.said);
            out.probabilities.iter_mut().zip(&work.said.probabilities).for_each(|(sum, p)| *sum += p);
            work.votes.push(work.said.class());
        }
        if self.classes > 0 {
            out.normalise();
        }
    }

    /// Learns a row that was just answered with `work`.
    pub(crate) fn learn_answered(&mut self, row: &Row<'_>, work: &mut SrpWork, target: Target, weight: f64) {
        let Target::Class(ClassId(class)) = target else { return };
        self.classes = self.classes.max(class as usize + 1);
        for i in 0..self.members.len() {
            let member = &mut self.members[i];
            let wrong = work.votes[i] != Some(ClassId(class));
            let signal = member.detector.update(f64::from(u8::from(wrong)));
            let draw = mix(self.seed ^ mix((i as u64) << 48 ^ self.events));
            let times = weight * poisson((draw >> 11) as f64 / (1_u64 << 53) as f64);
            if times > 0.0 {
                for patch in std::iter::once(&mut member.patch).chain(&mut member.next) {
                    patch.write(row, &mut work.values);
                    patch.tree.learn(&Row { values: &work.values, ..*row }, target, times);
                }
            }
            if signal != Signal::Stable {
                self.follow(i, signal);
            }
        }
        self.events += 1;
    }

    /// Does what a member's detector asks for.
    fn follow(&mut self, i: usize, signal: Signal) {
        let member = &self.members[i];
        let draws = member.draws + 1;
        let begins = signal == Signal::Drift || (member.next.is_none() && self.successors);
        let fresh = begins.then(|| self.patch(mix(self.seed ^ mix((i as u64) << 32 ^ draws))));
        let fresh = fresh.and_then(Result::ok);
        let member = &mut self.members[i];
        member.draws = draws;
        if signal == Signal::Drift {
            if let Some(patch) = member.next.take().or(fresh) {
                member.patch = patch;
            }
            member.detector = Adwin::new(DRIFT, WARNING);
        } else if fresh.is_some() {
            member.next = fresh;
        }
    }
}

impl Learner for Srp {
    fn grow(&mut self, kinds: &[Kind]) {
        if self.kinds == kinds {
            return;
        }
        self.kinds = kinds.to_vec();
        for member in &mut self.members {
            member.patch.grow(kinds);
            member.next.iter_mut().for_each(|next| next.grow(kinds));
        }
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        let (mut work, mut scratch) = (std::mem::take(&mut self.work), std::mem::take(&mut self.scratch));
        let mut answer = std::mem::take(&mut work.answer);
        self.answer(row, &mut work, &mut scratch, &mut answer);
        self.learn_answered(row, &mut work, target, weight);
        work.answer = answer;
        (self.work, self.scratch) = (work, scratch);
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        let mut work = std::mem::take(&mut scratch.srp);
        self.answer(row, &mut work, scratch, out);
        scratch.srp = work;
    }

    fn bytes(&self) -> usize {
        let member = |m: &Member| m.patch.bytes() + m.detector.bytes() + m.next.as_ref().map_or(0, Patch::bytes);
        let members: usize = self.members.iter().map(member).sum();
        size_of::<Self>() + self.kinds.len() + self.members.len() * size_of::<Member>() + members
    }

    fn save(&self, out: &mut Vec<Section>) {
        let saved: Vec<_> = self.members.iter().map(Member::saved).collect();
        out.push(Section::of("members", 1, &(self.events, self.classes, &self.kinds, saved)));
        for (i, member) in self.members.iter().enumerate() {
            save_tree(&member.patch, &format!("{i}/"), out);
            member.next.iter().for_each(|next| save_tree(next, &format!("{i}/next/"), out));
        }
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        type Saved = (u64, usize, Vec<Kind>, Vec<SavedMember>);
        let (events, classes, kinds, saved): Saved = Section::read(sections, "members", 1)?;
        let corrupt = |message: &str| RestoreError::Corrupt { name: "members".into(), message: message.into() };
        if saved.len() != self.members.len() {
            return Err(corrupt("another number of trees"));
        }
        (self.events, self.classes, self.kinds) = (events, classes, kinds);
        let mut members = Vec::with_capacity(saved.len());
        for (i, SavedMember { draw, detector, next, draws }) in saved.into_iter().enumerate() {
            let read = |draw, prefix: &str| {
                let mut patch = self.patch(draw).map_err(|e| corrupt(&e.to_string()))?;
                patch.tree.restore(&own(sections, prefix)).map_err(|e| renamed(e, prefix))?;
                Ok(patch)
            };
            let patch = read(draw, &format!("{i}/"))?;
            let next = next.map(|draw| read(draw, &format!("{i}/next/"))).transpose()?;
            members.push(Member { patch, detector, next, draws });
        }
        self.members = members;
        Ok(())
    }
}

impl Member {
    fn saved(&self) -> SavedMember {
        let next = self.next.as_ref().map(|next| next.draw);
        SavedMember { draw: self.patch.draw, detector: self.detector.clone(), next, draws: self.draws }
    }
}

/// A tree's sections, their names behind a prefix.
fn save_tree(patch: &Patch, prefix: &str, out: &mut Vec<Section>) {
    let from = out.len();
    patch.tree.save(out);
    out[from..].iter_mut().for_each(|section| section.name.insert_str(0, prefix));
}

fn own(sections: &[Section], prefix: &str) -> Vec<Section> {
    let own = |s: &Section| Some(Section { name: s.name.strip_prefix(prefix)?.to_owned(), ..s.clone() });
    sections.iter().filter_map(own).collect()
}

/// An error about a section under the name it is saved by.
fn renamed(error: RestoreError, prefix: &str) -> RestoreError {
    let long = |name: String| format!("{prefix}{name}");
    match error {
        RestoreError::Missing(name) => RestoreError::Missing(long(name)),
        RestoreError::Version { name, expected, got } => RestoreError::Version { name: long(name), expected, got },
        RestoreError::Corrupt { name, message } => RestoreError::Corrupt { name: long(name), message },
    }
}
