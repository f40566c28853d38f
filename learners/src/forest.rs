//! Forests of Hoeffding trees, each on columns and rows of its own, replaced where they drift: `arf` and `srp`.
//!
//! Every tree learns a row Poisson(6) times. It sees six tenths of the columns, drawn by a seed of its own: in an adaptive
//! random forest each leaf draws its own, in streaming random patches the whole tree has the same. ADWIN watches a tree's
//! errors: at a warning a fresh tree begins to learn beside it, at a drift that takes its place. The answer is the mean of the
//! trees' probabilities. Missing values and late categories: as the trees have it.
//!
//! | | `arf` | `srp` |
//! |---|---|---|
//! | columns are drawn for | each leaf | each tree |
//! | chance of a false drift, a false warning | .001, .01 | .00001, .0001 |
//! | a row counts in the tree beside it | once | as often as in the tree |
//! | errors that ADWIN sees | of rows that the tree learns | all |
//!
//! Unlike in MOA every tree has its own seed (there the k-th leaf of every tree draws the same columns), ADWIN sees what a
//! tree said before it learned, one ADWIN has both chances (a second warning does not begin another tree), and votes are
//! not weighted by accuracy; only the first of these changes figures.
//!
//! Cost: a tree's each, those beside them included; at most `max_bytes`, shared by all.
//! Gomes et al., Adaptive random forests for evolving data stream classification, 2017; Streaming random patches for
//! evolving data stream classification, 2019.

use features::{ClassId, EntityId, EventTime, Kind, Row, Target};
use serde::{Deserialize, Serialize};

use crate::hoeffding_tree::Visit;
use crate::inputs::mix;
use crate::prediction::normalise;
use crate::{
    Adwin, Detector, HoeffdingTreeClassifier, Learner, LearnerSpec, Params, Prediction, RestoreError, Scratch, Section,
    Signal, SpecError,
};

/// How often a row is learned, in the mean.
const LAMBDA: f64 = 6.0;
/// Share of the columns that a tree sees.
const COLUMNS: f64 = 0.6;
/// Bytes below which a tree is of no use.
const LEAST_BYTES: usize = 48 << 10;
/// Bytes of a detector and of what else a tree needs beside itself.
const BESIDE: usize = 8 << 10;

/// What tells forests apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Chances of a false drift and a false warning.
    drift: f64,
    warning: f64,
    /// Whether each leaf draws columns, not the whole tree.
    by_leaf: bool,
}

impl Rules {
    pub(crate) const ARF: Self = Self { drift: 1e-3, warning: 1e-2, by_leaf: true };
    pub(crate) const SRP: Self = Self { drift: 1e-5, warning: 1e-4, by_leaf: false };

    fn detector(&self) -> Adwin {
        Adwin::new(self.drift, self.warning)
    }
}

/// A tree and the columns it sees.
#[derive(Clone, Debug)]
struct Patch {
    /// What its columns are drawn by.
    draw: u64,
    /// `None`: all, and its leaves draw.
    columns: Option<Vec<u32>>,
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
pub struct Forest {
    rules: Rules,
    seed: u64,
    spec: LearnerSpec,
    tree_bytes: usize,
    successors: bool,
    kinds: Vec<Kind>,
    classes: usize,
    events: u64,
    members: Vec<Member>,
    /// A copy was made to be served since it last went through rows. Not part of the state.
    served_since: bool,
    /// Memory for learning; its content means nothing between calls.
    work: ForestWork,
}

/// Memory for what the trees say of a row, which learning it then shares.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForestWork {
    voters: Vec<Voter>,
    said: Prediction,
    /// For the trees beside.
    values: Vec<f64>,
    answer: Prediction,
}

/// A tree's part in an answer.
#[derive(Clone, Debug, Default)]
struct Voter {
    values: Vec<f64>,
    visit: Visit,
    /// The class it names.
    vote: Option<ClassId>,
}

impl Forest {
    /// Reads `members`, `grace`, `confidence`.
    pub(crate) fn build(rules: Rules, params: &Params<'_>) -> Result<Self, SpecError> {
        let members = params.whole("members", 10, 1, 200)? as usize;
        let grace = params.whole("grace", 50, 1, 1_000_000)?;
        let confidence = params.number("confidence", 0.01, 1e-12, 0.5)?;
        Self::new(rules, members, grace, confidence, params.seed()?, params.max_bytes()?)
    }

    /// `members` trees in `max_bytes`; as many as there is room for.
    pub(crate) fn new(
        rules: Rules,
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
            rules,
            seed,
            spec,
            tree_bytes,
            successors,
            kinds: vec![],
            classes: 0,
            events: 0,
            members: vec![],
            served_since: false,
            work: ForestWork::default(),
        };
        for member in 0..members as u64 {
            let patch = ensemble.patch(mix(seed ^ mix(member)))?;
            let detector = rules.detector();
            ensemble.members.push(Member { patch, detector, next: None, draws: 0 });
        }
        Ok(ensemble)
    }

    /// A copy that predicts the same and cannot learn: without the trees beside, and what watches.
    pub(crate) fn served(&mut self) -> Self {
        self.served_since = true;
        let member = |Member { patch, draws, .. }: &mut Member| Member {
            patch: Patch { draw: patch.draw, columns: patch.columns.clone(), tree: patch.tree.served() },
            detector: self.rules.detector(),
            next: None,
            draws: *draws,
        };
        Self {
            members: self.members.iter_mut().map(member).collect(),
            spec: self.spec.clone(),
            kinds: self.kinds.clone(),
            work: ForestWork::default(),
            ..*self
        }
    }

    /// A tree that has seen nothing, on columns drawn by `draw`.
    fn patch(&self, draw: u64) -> Result<Patch, SpecError> {
        let tree = HoeffdingTreeClassifier::new(&Params::new(&self.spec, self.seed, self.tree_bytes))?;
        let mut patch = match self.rules.by_leaf {
            true => Patch { draw, columns: None, tree: tree.with_subspaces(COLUMNS, draw) },
            false => Patch { draw, columns: Some(vec![]), tree },
        };
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
        if self.columns.is_none() {
            return self.tree.grow(kinds);
        }
        let mut columns: Vec<_> = (0..kinds.len()).filter(|c| self.sees(*c)).map(|c| c as u32).collect();
        if columns.is_empty() && !kinds.is_empty() {
            columns.push(0);
        }
        let kinds: Vec<_> = columns.iter().map(|column| kinds[*column as usize]).collect();
        self.columns = Some(columns);
        self.tree.grow(&kinds);
    }

    /// The row as the tree sees it.
    fn seen<'a>(&self, row: &Row<'a>, values: &'a mut Vec<f64>) -> Row<'a> {
        let Some(columns) = &self.columns else { return *row };
        let value = |column: &u32| row.values.get(*column as usize).copied().unwrap_or(f64::NAN);
        values.clear();
        values.extend(columns.iter().map(value));
        Row { values, ..*row }
    }

    fn bytes(&self) -> usize {
        self.columns.as_deref().map_or(0, size_of_val) + self.tree.bytes()
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

impl Forest {
    /// The mean of the trees' probabilities; leaves in `work` what learning the row needs.
    pub(crate) fn answer(&self, row: &Row<'_>, work: &mut ForestWork, out: &mut Prediction) {
        out.clear();
        out.probabilities.resize(self.classes, 0.0);
        work.voters.resize_with(self.members.len(), Voter::default);
        for (member, voter) in self.members.iter().zip(&mut work.voters) {
            member.vote(row, voter, &mut work.said);
            out.probabilities.iter_mut().zip(&work.said.probabilities).for_each(|(sum, p)| *sum += p);
        }
        if self.classes > 0 {
            out.normalise();
        }
    }

    /// Learns a row that was just answered with `work`.
    pub(crate) fn learn_answered(&mut self, row: &Row<'_>, work: &mut ForestWork, target: Target, weight: f64) {
        let Target::Class(class) = target else { return };
        for (i, voter) in work.voters.iter_mut().enumerate() {
            self.learn_voted(i, self.events, row, voter, &mut work.values, (class, weight));
        }
        self.took_in(class);
    }

    /// Answers each row, of at least one, and then learns it: tree by tree, since none sees another; the bits are those of row by
    /// row. Rows stand one after the other in `values`, answers in `answers`, and `classes` are their labels. An answer made
    /// before any class is known is left as it is.
    pub(crate) fn study(&mut self, values: &[f64], classes: &[usize], work: &mut ForestWork, answers: &mut [f64]) {
        let [columns, width] = [values.len(), answers.len()].map(|len| len / classes.len().max(1));
        let row = |n| Row { values: &values[n * columns..][..columns], at: EventTime(0), entity: EntityId(0) };
        work.voters.resize_with(self.members.len(), Voter::default);
        // A tree that it has just gone through is in the caches.
        let served_often = std::mem::take(&mut self.served_since);
        if self.classes > 0 {
            answers.fill(0.0);
        } else {
            answers.iter_mut().skip(width).for_each(|p| *p = 0.0);
        }
        for (i, voter) in work.voters.iter_mut().enumerate() {
            for (n, (&class, answer)) in classes.iter().zip(answers.chunks_exact_mut(width)).enumerate() {
                let row = row(n);
                self.members[i].vote(&row, voter, &mut work.said);
                answer.iter_mut().zip(&work.said.probabilities).for_each(|(sum, p)| *sum += p);
                let class = (ClassId(class as u32), 1.0);
                self.learn_voted(i, self.events + n as u64, &row, voter, &mut work.values, class);
            }
            if served_often {
                self.members[i].patch.tree.prepare_to_serve();
            }
        }
        for (answer, &class) in answers.chunks_exact_mut(width).zip(classes) {
            normalise(&mut answer[..self.classes]);
            self.took_in(ClassId(class as u32));
        }
    }

    /// A row was learned.
    fn took_in(&mut self, ClassId(class): ClassId) {
        self.classes = self.classes.max(class as usize + 1);
        self.events += 1;
    }

    /// What tree `i` does with the label of row number `event`, on which it has just voted; `values`: any numbers.
    fn learn_voted(
        &mut self,
        i: usize,
        event: u64,
        row: &Row<'_>,
        voter: &mut Voter,
        values: &mut Vec<f64>,
        (class, weight): (ClassId, f64),
    ) {
        let member = &mut self.members[i];
        let draw = mix(self.seed ^ mix((i as u64) << 48 ^ event));
        let times = poisson((draw >> 11) as f64 / (1_u64 << 53) as f64);
        let mut signal = Signal::Stable;
        if times > 0.0 || !self.rules.by_leaf {
            let wrong = voter.vote != Some(class);
            signal = member.detector.update(f64::from(u8::from(wrong)));
        }
        if times > 0.0 {
            let seen = member.patch.seen(row, &mut voter.values);
            member.patch.tree.learn_visited(&seen, &mut voter.visit, class.0 as usize, weight * times);
            let times = if self.rules.by_leaf { 1.0 } else { times };
            if let Some(next) = &mut member.next {
                let seen = next.seen(row, values);
                next.tree.learn(&seen, Target::Class(class), weight * times);
            }
        }
        if signal != Signal::Stable {
            self.follow(i, signal);
        }
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
            member.detector = self.rules.detector();
        } else if fresh.is_some() {
            member.next = fresh;
        }
    }
}

impl Learner for Forest {
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
        let mut work = std::mem::take(&mut self.work);
        let mut answer = std::mem::take(&mut work.answer);
        self.answer(row, &mut work, &mut answer);
        self.learn_answered(row, &mut work, target, weight);
        work.answer = answer;
        self.work = work;
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        self.answer(row, &mut scratch.forest, out);
    }

    fn predict_then_learn(
        &mut self,
        row: &Row<'_>,
        target: Target,
        weight: f64,
        _scratch: &mut Scratch,
        out: &mut Prediction,
    ) {
        let mut work = std::mem::take(&mut self.work);
        self.answer(row, &mut work, out);
        self.learn_answered(row, &mut work, target, weight);
        self.work = work;
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
            Section::nest(&format!("{i}/"), &member.patch.tree, out);
            member.next.iter().for_each(|next| Section::nest(&format!("{i}/next/"), &next.tree, out));
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
                Section::unnest(prefix, &mut patch.tree, sections)?;
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
    /// What its tree says of a row, and what learning the row needs.
    fn vote(&self, row: &Row<'_>, Voter { values, visit, vote }: &mut Voter, said: &mut Prediction) {
        let row = self.patch.seen(row, values);
        self.patch.tree.visit(&row, visit);
        self.patch.tree.answer(&row, visit, said);
        *vote = said.class();
    }

    fn saved(&self) -> SavedMember {
        let next = self.next.as_ref().map(|next| next.draw);
        SavedMember { draw: self.patch.draw, detector: self.detector.clone(), next, draws: self.draws }
    }
}
