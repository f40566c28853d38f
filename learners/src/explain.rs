//! Why a learner answers as it does: what each member of an ensemble counts for, and which inputs its linear parts go by.

use serde::Serialize;

use crate::AnyLearner;

/// A member of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// What it is called among the members.
    pub name: String,
    /// Its part of the answer now: the size of its weight, all rules of the combiner together, of all members' sizes. Of
    /// classes, a weight in the stack counts as far as the member knows anything: one whose own log loss is that of equal
    /// chances says nothing, whatever its weight. 0..=1; they sum to 1.
    pub share: f64,
    /// Its weight in the sharpest rule; below 0 the answer goes against it.
    pub weight: f64,
    /// Its own fading loss: log loss (of probabilities that are at least .02 over the number of classes), or absolute
    /// error. Absent before the first label, and where it does not take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Bytes it holds; 0 while it does not take part.
    pub bytes: usize,
    /// Operations an event, as the budget of `auto` counts them; 0 while it does not take part, absent where nobody counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<usize>,
}

/// What an input counts for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputShare {
    /// The name of a field, or [`PAST`].
    pub input: String,
    /// Its part in the linear members' scores: |weight| times deviation, of all inputs' sum. 0..=1.
    pub share: f64,
}

/// What is known of earlier labels, or targets, as an input.
pub const PAST: &str = "(past)";

/// Why a learner answers as it does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// Empty for a learner without members.
    pub members: Vec<Member>,
    /// What each column counts for, in the schema's order, and behind them the past; empty where nothing is
    /// linear or all weights are 0. It sums to 1.
    pub columns: Vec<f64>,
}

impl AnyLearner {
    /// Why it answers as it does now.
    pub fn explain(&self) -> Explanation {
        match self {
            Self::Committee(committee) => committee.explain(),
            Self::Forecaster(forecaster) => forecaster.explain(),
            Self::Ensemble(ensemble) => ensemble.explain(),
            Self::Linear(linear) => Explanation { members: vec![], columns: linear.sizes().into_shares() },
            Self::Ftrl(ftrl) => Explanation { members: vec![], columns: ftrl.sizes().into_shares() },
            _ => Explanation::default(),
        }
    }
}

impl Explanation {
    /// The inputs by name, the greatest share first, at most `most` of them.
    pub fn inputs<'a>(&self, name: impl Fn(usize) -> Option<&'a str>, most: usize) -> Vec<InputShare> {
        let past = self.columns.len().wrapping_sub(1);
        let mut inputs: Vec<_> = self.columns.iter().enumerate().filter(|(_, share)| **share > 0.0).collect();
        inputs.sort_by(|a, b| b.1.total_cmp(a.1));
        inputs
            .into_iter()
            .take(most)
            .map(|(column, share)| {
                let name = if column == past { Some(PAST) } else { name(column) };
                InputShare { input: name.unwrap_or_default().to_owned(), share: *share }
            })
            .collect()
    }
}

/// How much weights say about each column, without permuting anything: for a number |weight| times its deviation, which
/// is 1 where inputs are standardised; for a column of categories (or of few levels) the deviation of their weights,
/// categories counting alike. Summed over outputs, after the outputs' mean, which changes no answer, is taken off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    columns: Vec<f64>,
    past: f64,
}

impl Sizes {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns: vec![0.0; columns], past: 0.0 }
    }

    /// A number's weight, at one output.
    pub(crate) fn number(&mut self, column: usize, weight: f64) {
        self.columns[column] += weight.abs();
    }

    /// The weights of a column's categories, at one output.
    pub(crate) fn categories(&mut self, column: usize, weights: impl Iterator<Item = f64> + Clone) {
        let count = weights.clone().fold(0.0, |count, _| count + 1.0);
        if count > 0.0 {
            let mean = weights.clone().sum::<f64>() / count;
            let squares: f64 = weights.map(|w| (w - mean) * (w - mean)).sum();
            self.columns[column] += (squares / count).sqrt();
        }
    }

    /// The weight of an input that tells of the past, which has this deviation.
    pub(crate) fn past(&mut self, weight: f64, deviation: f64) {
        self.past += weight.abs() * deviation;
    }

    /// Adds another's shares, `by` as much each.
    pub(crate) fn add(&mut self, other: Self, by: f64) {
        let shares = other.into_shares();
        if let Some((past, columns)) = shares.split_last() {
            self.columns.iter_mut().zip(columns).for_each(|(size, share)| *size += by * share);
            self.past += by * past;
        }
    }

    /// Shares that sum to 1, the past last; empty if there is nothing.
    pub(crate) fn into_shares(mut self) -> Vec<f64> {
        self.columns.push(self.past);
        let sum: f64 = self.columns.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return vec![];
        }
        self.columns.iter_mut().for_each(|size| *size /= sum);
        self.columns
    }
}

/// Parts of sizes that sum to 1.
pub(crate) fn shares(weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().map(|w| w.abs()).sum();
    let equal = 1.0 / weights.len() as f64;
    weights.iter().map(|w| if sum > 0.0 && sum.is_finite() { w.abs() / sum } else { equal }).collect()
}

#[cfg(test)]
mod tests {
    use features::{ClassId, EntityId, EventTime, Kind, Row, Target, Task};

    use super::*;
    use crate::inputs::mix;
    use crate::{Learner, Prediction, Scratch};

    fn uniform(i: u64) -> f64 {
        (mix(i) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// What a learner says after 3,000 rows, whose target goes by column 1 (in units of a million) and a little by
    /// the category in column 2, not by column 0.
    fn explained(spec: &str, task: Task) -> Explanation {
        let mut learner = AnyLearner::build(&spec.parse().unwrap(), task, 1, 64 << 20).unwrap();
        learner.grow(&[Kind::Number, Kind::Number, Kind::Nominal]);
        let (mut scratch, mut said) = (Scratch::default(), Prediction::default());
        for i in 0..3_000 {
            let (noise, x, category) = (uniform(3 * i), uniform(3 * i + 1), mix(3 * i + 2) % 3);
            let values = [noise, 1e6 * x, category as f64];
            let score = x + 0.1 * category as f64;
            let target = match task {
                Task::Classification => Target::Class(ClassId(u32::from(score > 0.6))),
                Task::Regression => Target::Value(score),
            };
            let row = Row { values: &values, at: EventTime(0), entity: EntityId(0) };
            learner.predict_into(&row, &mut scratch, &mut said);
            learner.learn(&row, target, 1.0);
        }
        learner.explain()
    }

    #[test]
    fn the_input_that_decides_counts_most_whatever_its_unit() {
        for (spec, task) in [
            ("linear", Task::Classification),
            ("linear", Task::Regression),
            ("softmax", Task::Classification),
            ("auto:budget=cheap", Task::Classification),
            ("rls", Task::Regression),
            ("auto:budget=cheap", Task::Regression),
        ] {
            let explanation = explained(spec, task);
            let [noise, x, category, past] = explanation.columns[..] else { panic!("{spec}: {explanation:?}") };
            assert!((noise + x + category + past - 1.0).abs() < 1e-9, "{spec}");
            // x deviates by 0.29, the category's effect by 0.08.
            assert!(x > 2.0 * category && category > noise, "{spec} {task:?}: {:?}", explanation.columns);
            let named = explanation.inputs(|column| ["noise", "x", "category"].get(column).copied(), 2);
            assert_eq!((named.len(), &*named[0].input), (2, "x"), "{spec}");
        }
    }

    #[test]
    fn members_have_shares_losses_and_bytes() {
        for (task, member) in [(Task::Classification, "softmax"), (Task::Regression, "rls_target")] {
            let members = explained("auto:budget=cheap", task).members;
            let sum: f64 = members.iter().map(|member| member.share).sum();
            assert!((sum - 1.0).abs() < 1e-9 && members.iter().all(|member| member.share >= 0.0), "{members:?}");
            let of = |name: &str| members.iter().find(|member| member.name == name).unwrap();
            let base = of(if task == Task::Classification { "prior" } else { "mean" });
            let good = of(member);
            assert!(good.loss.unwrap() < 0.5 * base.loss.unwrap(), "{good:?} {base:?}");
            assert!(good.bytes > 0 && good.share > 0.0, "{good:?}");
            assert!(members.iter().all(|member| member.bytes > 0 || member.name != "net"));
        }
        let idle = explained("auto:budget=cheap", Task::Classification).members;
        let sparse = idle.iter().find(|member| member.name == "sparse").unwrap();
        assert_eq!((sparse.loss, sparse.bytes, sparse.share), (None, 0, 0.0), "there is nothing for it to do");
    }

    #[test]
    fn a_tree_and_a_new_learner_have_nothing_to_say() {
        assert_eq!(explained("hoeffding_tree", Task::Classification), Explanation::default());
        let fresh = AnyLearner::build(&"linear".parse().unwrap(), Task::Regression, 1, 1 << 20).unwrap();
        assert_eq!(fresh.explain(), Explanation::default());
    }
}
