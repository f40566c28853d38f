//! Which question divides a leaf's targets best: reduction of their standard deviation (Ikonomovska et al. 2011).

use super::bins::{BINS, Bins};
use super::columns::Columns;
use super::moments::Moments;
use super::nodes::{CATEGORIES, Test};

/// Weight that a branch needs at least.
const LEAST: f64 = 5.0;

/// A question, and what it would take from the standard deviation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) column: u16,
    pub(super) test: Test,
    /// In units of the target, weighted by the share of rows in which the column is not missing.
    pub(super) gain: f64,
    /// The targets of its two branches.
    pub(super) branches: [Moments; 2],
}

impl Question {
    fn new(column: u16, test: Test, branches: [Moments; 2], seen: f64) -> Option<Self> {
        let whole = branches[0].with(branches[1]);
        let part = |branch: Moments| branch.weight / whole.weight * branch.sd();
        let gain = (whole.sd() - part(branches[0]) - part(branches[1])) * (whole.weight / seen).min(1.0);
        let large = branches.iter().all(|branch| branch.weight >= LEAST);
        (large && gain > 0.0).then_some(Self { column, test, gain, branches })
    }
}

/// The best question and the gain of the best one about another column (0 if there is none). `seen`: weight of all rows.
pub(super) fn best(columns: &Columns, bins: &Bins, slot: u32, seen: f64) -> Option<(Question, f64)> {
    let mut best: Option<Question> = None;
    let mut second = 0.0;
    let lanes = columns.numbers.iter().enumerate().map(|(lane, &column)| number(bins, slot, lane, column, seen));
    let names = columns.names.iter().enumerate().map(|(name, names)| category(bins, slot, name, names.column, seen));
    for question in lanes.chain(names).flatten() {
        match best {
            Some(old) if question.gain < old.gain => second = question.gain.max(second),
            old => {
                second = old.map_or(0.0, |old| old.gain).max(second);
                best = Some(question);
            }
        }
    }
    best.map(|best| (best, second))
}

fn better(best: Option<Question>, new: Option<Question>) -> Option<Question> {
    match (best, new) {
        (Some(old), Some(new)) if new.gain > old.gain => Some(new),
        (None, new) => new,
        (old, _) => old,
    }
}

fn number(bins: &Bins, slot: u32, lane: usize, column: u16, seen: f64) -> Option<Question> {
    let lane = bins.lane(slot, lane);
    let mut above = [Moments::default(); BINS];
    for i in (1..lane.len()).rev() {
        above[i - 1] = lane.moments(i).with(above[i]);
    }
    let mut below = Moments::default();
    let mut best = None;
    for (i, &above) in above.iter().enumerate().take(lane.len().saturating_sub(1)) {
        below = below.with(lane.moments(i));
        best = better(best, Question::new(column, Test::AtMost(lane.high(i)), [below, above], seen));
    }
    best
}

fn category(bins: &Bins, slot: u32, name: usize, column: u16, seen: f64) -> Option<Question> {
    let mut best = None;
    // The last place stands for many categories: no question may name it.
    for (i, one) in bins.categories(slot, name).enumerate().take(CATEGORIES - 1) {
        let others = bins.categories(slot, name).enumerate().filter(|(j, _)| *j != i);
        let rest = others.fold(Moments::default(), |sum, (_, moments)| sum.with(moments));
        best = better(best, Question::new(column, Test::Is(i), [one, rest], seen));
    }
    best
}
