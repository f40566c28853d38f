//! Which question divides a leaf's classes best: information gain over ten thresholds a number, over the categories of
//! a name (Domingos & Hulten, Mining high-speed data streams, 2000; thresholds and ties as in MOA).

use super::bayes::Statistics;
use super::blocks::Blocks;
use super::columns::Columns;
use super::nodes::{CATEGORIES, Test};
use crate::maths::{normal_cdf, x_ln_x};

const THRESHOLDS: usize = 10;
/// At least two branches hold more than this share.
const SHARE: f64 = 0.01;

/// A question and what it would gain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) column: u16,
    pub(super) test: Test,
    /// Bits, weighted by the share of rows in which the column is not missing.
    pub(super) gain: f64,
    place: Place,
}

/// Where the column's statistics are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Lane(usize),
    Name(usize),
}

/// One class's number in a leaf.
#[derive(Clone, Copy, Debug)]
struct Bell {
    weight: f64,
    mean: f64,
    sd: f64,
    min: f64,
    max: f64,
}

impl Bell {
    fn of(blocks: &Blocks, slot: u32, lane: usize) -> Self {
        let numbers = blocks.numbers(slot);
        let (weight, m2) = (numbers.weight[lane], numbers.m2[lane]);
        let sd = if weight > 1.0 { (m2 / (weight - 1.0)).sqrt() } else { 0.0 };
        Self { weight, mean: numbers.mean[lane], sd, min: numbers.min[lane], max: numbers.max[lane] }
    }

    /// Its weight at or below `threshold`.
    #[inline(always)]
    fn below(&self, threshold: f64) -> f64 {
        let share = normal_cdf((threshold - self.mean) / if self.sd > 1e-300 { self.sd } else { 1e-300 });
        let share = if threshold < self.min { 0.0 } else { share };
        let share = if threshold >= self.max { 1.0 } else { share };
        self.weight * share
    }
}

/// Weights of the branches of one question, summed over classes: W and sum of w ln w.
#[derive(Clone, Copy, Debug, Default)]
struct Branch {
    weight: f64,
    x_ln_x: f64,
}

impl Branch {
    #[inline(always)]
    fn add(&mut self, weight: f64) {
        self.weight += weight;
        self.x_ln_x += x_ln_x(weight);
    }

    /// Weight times entropy, in nats.
    fn disorder(self) -> f64 {
        x_ln_x(self.weight) - self.x_ln_x
    }
}

/// The information gain in bits of dividing `whole` into `branches`; `None` if all but one are (almost) empty.
fn gain(whole: Branch, branches: &[Branch]) -> Option<f64> {
    let large = branches.iter().filter(|branch| branch.weight > SHARE * whole.weight).count();
    let left = branches.iter().map(|branch| branch.disorder()).sum::<f64>();
    (large >= 2).then(|| (whole.disorder() - left) / (whole.weight * std::f64::consts::LN_2))
}

/// The best question and the gain of the best one about another column (0 if there is none).
pub(super) fn best(columns: &Columns, blocks: &Blocks, slots: &[u32]) -> Option<(Question, f64)> {
    let used = || slots.iter().filter(|slot| **slot != 0);
    let lane_weight = |lane: usize| used().map(|&slot| blocks.numbers(slot).weight[lane]).sum::<f64>();
    let name_weight = |name: usize| used().map(|&slot| blocks.names(slot, name).0).sum::<f64>();
    let lanes = (0..columns.numbers.len()).map(lane_weight);
    let seen = lanes.chain((0..columns.names.len()).map(name_weight)).fold(0.0, f64::max);
    let mut best: Option<Question> = None;
    let mut second = 0.0;
    let mut consider = |question: Option<Question>| {
        let Some(question) = question else { return };
        // Of equal ones the last.
        match best {
            Some(old) if question.gain < old.gain => second = question.gain.max(second),
            old => {
                second = old.map_or(0.0, |old| old.gain).max(second);
                best = Some(question);
            }
        }
    };
    // Columns in their own order, so that a restored tree asks the same.
    for lane in 0..columns.numbers.len() {
        consider(number(columns, blocks, slots, lane, seen));
    }
    for name in 0..columns.names.len() {
        consider(category(columns, blocks, slots, name, seen));
    }
    best.map(|best| (best, second))
}

fn number(columns: &Columns, blocks: &Blocks, slots: &[u32], lane: usize, seen: f64) -> Option<Question> {
    let bells = || slots.iter().filter(|slot| **slot != 0).map(|&slot| Bell::of(blocks, slot, lane));
    let low = bells().fold(f64::INFINITY, |low, bell| low.min(bell.min));
    let high = bells().fold(f64::NEG_INFINITY, |high, bell| high.max(bell.max));
    if low >= high {
        return None;
    }
    let mut thresholds = [0.0; THRESHOLDS];
    for (i, threshold) in thresholds.iter_mut().enumerate() {
        *threshold = low + (high - low) * (i + 1) as f64 / (THRESHOLDS + 1) as f64;
    }
    let mut whole = Branch::default();
    let mut branches = [[Branch::default(); 2]; THRESHOLDS];
    for bell in bells() {
        whole.add(bell.weight);
        let mut below = [0.0; THRESHOLDS];
        for (below, &threshold) in below.iter_mut().zip(&thresholds) {
            *below = bell.below(threshold);
        }
        for (branches, &below) in branches.iter_mut().zip(&below) {
            branches[0].add(below);
            branches[1].add((bell.weight - below).max(0.0));
        }
    }
    let mut best: Option<(f64, f64)> = None;
    for (branches, &threshold) in branches.iter().zip(&thresholds) {
        let inside = low < threshold && threshold < high;
        if let Some(gain) = gain(whole, branches)
            && inside
            && best.is_none_or(|(old, _)| gain > old)
        {
            best = Some((gain, threshold));
        }
    }
    best.map(|(gain, threshold)| Question {
        column: columns.numbers[lane],
        test: Test::AtMost(threshold),
        gain: gain * (whole.weight / seen).min(1.0),
        place: Place::Lane(lane),
    })
}

fn category(columns: &Columns, blocks: &Blocks, slots: &[u32], name: usize, seen: f64) -> Option<Question> {
    let mut whole = Branch::default();
    let mut each = [Branch::default(); CATEGORIES];
    let mut rest = [Branch::default(); CATEGORIES];
    let mut categories = 0;
    for &slot in slots.iter().filter(|slot| **slot != 0) {
        let (total, weights) = blocks.names(slot, name);
        whole.add(total);
        for (i, &weight) in weights.iter().enumerate() {
            each[i].add(weight);
            rest[i].add((total - weight).max(0.0));
            if weight > 0.0 {
                categories = categories.max(i + 1);
            }
        }
    }
    // The last place stands for many categories: no question may name it.
    categories = categories.min(CATEGORIES - 1);
    let mut best = gain(whole, &each).map(|gain| (gain, Test::Each(categories)));
    for i in 0..categories {
        if let Some(gain) = gain(whole, &[each[i], rest[i]])
            && best.is_none_or(|(old, _)| gain > old)
        {
            best = Some((gain, Test::Is(i)));
        }
    }
    best.map(|(gain, test)| Question {
        column: columns.names[name].column,
        test,
        gain: gain * (whole.weight / seen).min(1.0),
        place: Place::Name(name),
    })
}

/// The class weights that each branch of `question` would have had, one branch after the other.
pub(super) fn shares(question: &Question, blocks: &Blocks, slots: &[u32]) -> Vec<Vec<f64>> {
    let mut shares = vec![vec![0.0; slots.len()]; question.test.branches()];
    for (class, &slot) in slots.iter().enumerate().filter(|(_, slot)| **slot != 0) {
        match (question.test, question.place) {
            (Test::AtMost(threshold), Place::Lane(lane)) => {
                let bell = Bell::of(blocks, slot, lane);
                shares[0][class] = bell.below(threshold);
                shares[1][class] = (bell.weight - shares[0][class]).max(0.0);
            }
            (Test::Is(category), Place::Name(name)) => {
                let (total, weights) = blocks.names(slot, name);
                shares[0][class] = weights[category];
                shares[1][class] = (total - weights[category]).max(0.0);
            }
            (Test::Each(categories), Place::Name(name)) => {
                for (i, &weight) in blocks.names(slot, name).1.iter().enumerate() {
                    shares[i.min(categories)][class] += weight;
                }
            }
            _ => unreachable!("numbers are asked for thresholds, names for categories"),
        }
    }
    shares
}
