//! The closed list of learners: what each is called, can do and costs, and how it is built.

mod entries;

use features::{Kind, Row, Rows, Target, Task};

use crate::{
    Committee, Ensemble, Forecaster, Forest, Ftrl, HoeffdingTreeClassifier, HoeffdingTreeRegressor, Learner,
    LearnerSpec, Linear, Majority, Mean, NaiveBayes, NoChange, Outcome, Params, Prediction, Refit, RestoreError,
    Scratch, Section, Snapshot, SpecError,
};

pub use self::entries::ENTRIES;
use crate::forest::Rules;

/// A parameter for people.
#[derive(Clone, Copy, Debug)]
pub struct ParamInfo {
    /// Its name.
    pub name: &'static str,
    /// Its range.
    pub range: &'static str,
    /// Its default.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// An entry of the catalog for people.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name in a configuration.
    pub name: &'static str,
    /// What it can do.
    pub tasks: &'static [Task],
    /// The idea in a sentence.
    pub idea: &'static str,
    /// What it computes, in a line.
    pub formula: &'static str,
    /// What a missing value is to it.
    pub missing: &'static str,
    /// Time an event and memory, roughly.
    pub cost: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// What it reaches with its defaults on streams that everybody has, learned from the first event to the last
    /// (docs/benchmarks.md).
    pub measured: &'static str,
    /// Parameters beside `seed` and `max_bytes`.
    pub params: &'static [ParamInfo],
}

/// `auto` for classification and its members.
const MEMBERS: &[&str] =
    &["auto", "label_chain", "softmax", "newton", "cosines", "neural_net", "knn", "hashed", "sparse"];

/// `auto` for regression and its members.
const FORECASTS: &[&str] = &["auto", "rls", "neural_net", "knn", "seasonal_naive"];

/// Learners of the end-to-end tests, which nobody is to meet in the list.
const HIDDEN: &[Entry] = &[
    #[cfg(feature = "witness")]
    Entry {
        name: "witness",
        tasks: &[Task::Regression],
        idea: "the sum of column 0",
        formula: "-",
        missing: "0",
        cost: "-",
        paper: "-",
        measured: "-",
        params: &[],
    },
];

/// Any learner of the catalog.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are the catalog's names")]
pub enum AnyLearner {
    NoChange(NoChange),
    Majority(Majority),
    Mean(Mean),
    Linear(Linear),
    Ftrl(Ftrl),
    HoeffdingTreeClassifier(HoeffdingTreeClassifier),
    HoeffdingTreeRegressor(HoeffdingTreeRegressor),
    NaiveBayes(NaiveBayes),
    Refit(Refit),
    Committee(Box<Committee>),
    Forecaster(Box<Forecaster>),
    Forest(Box<Forest>),
    Ensemble(Box<Ensemble>),
    #[cfg(feature = "witness")]
    Witness(crate::Witness),
}

/// Calls a method of whichever learner it is.
macro_rules! each {
    ($self:expr, $learner:ident => $call:expr) => {
        match $self {
            AnyLearner::NoChange($learner) => $call,
            AnyLearner::Majority($learner) => $call,
            AnyLearner::Mean($learner) => $call,
            AnyLearner::Linear($learner) => $call,
            AnyLearner::Ftrl($learner) => $call,
            AnyLearner::HoeffdingTreeClassifier($learner) => $call,
            AnyLearner::HoeffdingTreeRegressor($learner) => $call,
            AnyLearner::NaiveBayes($learner) => $call,
            AnyLearner::Refit($learner) => $call,
            AnyLearner::Committee($learner) => $call,
            AnyLearner::Forecaster($learner) => $call,
            AnyLearner::Forest($learner) => $call,
            AnyLearner::Ensemble($learner) => $call,
            #[cfg(feature = "witness")]
            AnyLearner::Witness($learner) => $call,
        }
    };
}

impl AnyLearner {
    /// Bytes that a learner counts for in an ensemble beside what it holds. A number, not what the compiler makes of it: the
    /// members' shares of memory follow from it.
    pub(crate) const BYTES: usize = 472;

    /// Builds the learner a specification names, before it has learned anything.
    ///
    /// # Errors
    /// An unknown name or parameter, a value out of range, a task it does not do.
    pub fn build(spec: &LearnerSpec, task: Task, seed: u64, max_bytes: usize) -> Result<Self, SpecError> {
        let entry = check(spec, task)?;
        let params = Params::new(spec, seed, max_bytes);
        params.seed()?;
        params.max_bytes()?;
        Ok(match (entry.name, task) {
            ("no_change", _) => Self::NoChange(NoChange::default()),
            ("majority", _) => Self::Majority(Majority::default()),
            ("mean", _) => Self::Mean(Mean::default()),
            ("linear", _) => Self::Linear(Linear::build(&params, task)?),
            ("ftrl", _) => Self::Ftrl(Ftrl::build(&params, task)?),
            ("hoeffding_tree", Task::Classification) => {
                Self::HoeffdingTreeClassifier(HoeffdingTreeClassifier::new(&params)?)
            }
            ("hoeffding_tree", Task::Regression) => Self::HoeffdingTreeRegressor(HoeffdingTreeRegressor::new(&params)?),
            ("refit", _) => Self::Refit(Refit::build(&params, task)?),
            (name, Task::Classification) if MEMBERS.contains(&name) => {
                Self::Committee(Box::new(Committee::build(name, &params)?))
            }
            (name, Task::Regression) if FORECASTS.contains(&name) => {
                Self::Forecaster(Box::new(Forecaster::build(name, &params)?))
            }
            ("arf", _) => Self::Forest(Box::new(Forest::build(Rules::ARF, &params)?)),
            ("srp", _) => Self::Forest(Box::new(Forest::build(Rules::SRP, &params)?)),
            ("ensemble", _) => Self::Ensemble(Box::new(Ensemble::build(&params, task)?)),
            ("naive_bayes", _) => Self::NaiveBayes(NaiveBayes::build(&params)?),
            #[cfg(feature = "witness")]
            ("witness", _) => Self::Witness(crate::Witness::default()),
            _ => unreachable!("every entry of the catalog is built above"),
        })
    }

    /// An immutable copy for serving.
    pub fn freeze(&mut self) -> Snapshot {
        Snapshot::new(self.served())
    }

    /// A copy that predicts the same and need not be able to learn.
    pub(crate) fn served(&mut self) -> Self {
        match self {
            Self::Committee(committee) => Self::Committee(Box::new(committee.served())),
            Self::Forecaster(forecaster) => Self::Forecaster(Box::new(forecaster.served())),
            Self::Ensemble(ensemble) => Self::Ensemble(Box::new(ensemble.served())),
            Self::Forest(forest) => Self::Forest(Box::new(forest.served())),
            Self::HoeffdingTreeClassifier(tree) => Self::HoeffdingTreeClassifier(tree.served()),
            Self::HoeffdingTreeRegressor(tree) => Self::HoeffdingTreeRegressor(tree.served()),
            _ => self.clone(),
        }
    }
}

fn check(spec: &LearnerSpec, task: Task) -> Result<&'static Entry, SpecError> {
    let entry = ENTRIES
        .iter()
        .chain(HIDDEN)
        .find(|entry| entry.name == spec.name)
        .ok_or_else(|| SpecError::UnknownLearner { name: spec.name.clone(), suggestion: nearest(&spec.name) })?;
    if !entry.tasks.contains(&task) {
        let names: Vec<_> = ENTRIES.iter().filter(|e| e.tasks.contains(&task)).map(|e| e.name).collect();
        let task = if task == Task::Classification { "classification" } else { "regression" };
        return Err(SpecError::WrongTask { name: spec.name.clone(), task, others: names.join(", ") });
    }
    let known = |key: &str| key == "seed" || key == "max_bytes" || entry.params.iter().any(|p| p.name == key);
    if let Some(name) = spec.params.keys().find(|key| !known(key)) {
        let mut names: Vec<_> = entry.params.iter().map(|p| p.name).collect();
        names.extend(["seed", "max_bytes"]);
        return Err(SpecError::UnknownParam {
            learner: spec.name.clone(),
            name: name.clone(),
            known: names.join(", "),
        });
    }
    Ok(entry)
}

/// The learner whose name shares most with a misspelt one, if it is near.
fn nearest(name: &str) -> Option<&'static str> {
    ENTRIES
        .iter()
        .map(|entry| (strsim::damerau_levenshtein(name, entry.name), entry.name))
        .filter(|(distance, near)| *distance <= near.len() / 3 + 1)
        .min()
        .map(|(_, near)| near)
}

impl Learner for AnyLearner {
    fn grow(&mut self, kinds: &[Kind]) {
        each!(self, l => l.grow(kinds))
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        each!(self, l => l.learn(row, target, weight))
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        each!(self, l => l.predict_into(row, scratch, out))
    }

    fn remember(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction, memory: &mut Vec<f64>) {
        each!(self, l => l.remember(row, scratch, out, memory))
    }

    fn learn_remembered(&mut self, row: &Row<'_>, memory: &[f64], target: Target, weight: f64) {
        each!(self, l => l.learn_remembered(row, memory, target, weight))
    }

    fn memory(&self) -> (usize, usize) {
        each!(self, l => l.memory())
    }

    fn predict_then_learn(
        &mut self,
        row: &Row<'_>,
        target: Target,
        weight: f64,
        scratch: &mut Scratch,
        out: &mut Prediction,
    ) {
        each!(self, l => l.predict_then_learn(row, target, weight, scratch, out))
    }

    fn test_then_train(&mut self, rows: &Rows, scratch: &mut Scratch, outcomes: &mut Vec<Outcome>) {
        each!(self, l => l.test_then_train(rows, scratch, outcomes))
    }

    fn bytes(&self) -> usize {
        each!(self, l => l.bytes())
    }

    fn save(&self, out: &mut Vec<Section>) {
        each!(self, l => l.save(out))
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        each!(self, l => l.restore(sections))
    }
}
