//! The trees of [`crate::Forest`] as a member: they see the row as it is, and on request the labels known to it.

use features::{ClassId, EntityId, EventTime, Kind, Row, Target};
use serde::{Deserialize, Serialize};

use super::{Member, Work};
use crate::forest::{Forest as Trees, Rules};
use crate::inputs::{Encoded, Shape};
use crate::{Learner, Section};

/// Weight between attempts to split, and risk of a wrong question.
const GRACE: u64 = 50;
const CONFIDENCE: f64 = 0.01;
/// Classes beyond which naive Bayes in every leaf is too much to pay.
const MOST_CLASSES: usize = 100;

/// How the trees are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    trees: usize,
    labels: bool,
    seed: u64,
    max_bytes: usize,
}

/// The trees.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Saved", try_from = "Saved")]
pub(crate) struct Forest {
    plan: Plan,
    trees: Trees,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    plan: Plan,
    sections: Vec<(String, u16, Vec<u8>)>,
}

impl Forest {
    /// `labels` adds the last two labels known and how long the last has run to the columns.
    pub(crate) fn new(trees: usize, labels: bool, seed: u64, max_bytes: usize) -> Self {
        Self::of(Plan { trees, labels, seed, max_bytes })
    }

    fn of(plan: Plan) -> Self {
        let trees = Trees::new(Rules::SRP, plan.trees, GRACE, CONFIDENCE, plan.seed, plan.max_bytes);
        Self { plan, trees: trees.expect("grace and confidence are within their ranges") }
    }

    /// Adds the columns that the trees see.
    fn write(&self, x: &Encoded, values: &mut Vec<f64>) {
        if self.plan.labels {
            let number = |class: Option<u32>| class.map_or(f64::NAN, f64::from);
            let run = x.known.inputs.first().copied().unwrap_or(0.0);
            values.extend([number(x.known.last), number(x.known.before), run]);
        }
        values.extend_from_slice(&x.values);
    }
}

impl From<Forest> for Saved {
    fn from(forest: Forest) -> Self {
        let mut sections = Vec::new();
        forest.trees.save(&mut sections);
        let sections = sections.into_iter().map(|s| (s.name, s.version, s.bytes)).collect();
        Self { plan: forest.plan, sections }
    }
}

impl TryFrom<Saved> for Forest {
    type Error = crate::RestoreError;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        let section = |(name, version, bytes)| Section { name, version, bytes };
        let sections: Vec<_> = saved.sections.into_iter().map(section).collect();
        if saved.plan.trees > 1_000 {
            let message = format!("{} trees", saved.plan.trees);
            return Err(crate::RestoreError::Corrupt { name: "forest".into(), message });
        }
        let mut forest = Self::of(saved.plan);
        forest.trees.restore(&sections)?;
        Ok(forest)
    }
}

fn row(values: &[f64]) -> Row<'_> {
    Row { values, at: EventTime(0), entity: EntityId(0) }
}

impl Member for Forest {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        (self.plan.max_bytes <= room && shape.classes <= MOST_CLASSES).then_some(self.plan.max_bytes)
    }

    fn operations(&self, shape: &Shape) -> usize {
        self.plan.trees * (300 + 30 * shape.classes * shape.plain)
    }

    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        work.basis.clear();
        self.write(x, &mut work.basis);
        self.trees.answer(&row(&work.basis), &mut work.trees, &mut work.answer);
        let known = &work.answer.probabilities;
        if !known.is_empty() {
            said.fill(0.0);
            said.iter_mut().zip(known).for_each(|(p, known)| *p = *known);
        }
    }

    fn learn(&mut self, _x: &Encoded, work: &mut Work, _said: &[f64], class: usize, weight: f64) {
        let target = Target::Class(ClassId(class as u32));
        self.trees.learn_answered(&row(&work.basis), &mut work.trees, target, weight);
    }

    fn study(&mut self, rows: &[Encoded], classes: &[usize], work: &mut Work, said: &mut [f64]) {
        work.basis.clear();
        rows[..classes.len()].iter().for_each(|x| self.write(x, &mut work.basis));
        self.trees.study(&work.basis, classes, &mut work.trees, said);
    }

    fn grow(&mut self, kinds: &[Kind]) {
        let labels: &[Kind] = if self.plan.labels { &[Kind::Nominal, Kind::Nominal, Kind::Number] } else { &[] };
        self.trees.grow(&[labels, kinds].concat());
    }

    fn bytes(&self) -> usize {
        self.trees.bytes()
    }

    fn served(&mut self) -> Self {
        Self { trees: self.trees.served(), ..*self }
    }

    fn is_sound(&self, _shape: &Shape) -> bool {
        true
    }
}
