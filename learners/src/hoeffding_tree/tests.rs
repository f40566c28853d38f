//! Both trees against MOA's numbers, and against what every learner promises.

use features::{ClassId, EntityId, EventTime, Kind, Row, Rows, Target, Task};

use crate::{AnyLearner, Learner, Outcome, Prediction, Scratch, Section};

/// A linear congruential generator (Knuth's MMIX constants), uniform in [0, 1).
pub(super) struct Lcg(u64);

impl Lcg {
    pub(super) fn new() -> Self {
        Self(42)
    }

    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

pub(super) fn build(spec: &str, task: Task) -> AnyLearner {
    AnyLearner::build(&spec.parse().unwrap(), task, 1, 32 << 20).unwrap()
}

fn row(values: &[f64]) -> Row<'_> {
    Row { values, at: EventTime(0), entity: EntityId(0) }
}

pub(super) const KINDS: [Kind; 5] = [Kind::Number, Kind::Number, Kind::Number, Kind::Number, Kind::Nominal];

/// Four numbers, a name of three, and whether two of the numbers exceed 1 together: other two from the middle on. A
/// tenth of the labels is wrong.
pub(super) fn classes(n: usize) -> Rows {
    let mut rng = Lcg::new();
    let mut rows = Rows::new(5);
    for i in 0..n {
        let mut x = [0.0; 5];
        x[..4].iter_mut().for_each(|x| *x = rng.next());
        x[4] = (3.0 * rng.next()).floor();
        let y = if i < 10_000 { x[0] + x[1] > 1.0 } else { x[1] + x[2] > 1.0 };
        let class = u32::from(y ^ (rng.next() < 0.1));
        rows.push(&x, EventTime(0), EntityId(0), Target::Class(ClassId(class)));
    }
    rows
}

/// Right answers among the first half and among all.
fn right(spec: &str, rows: &Rows) -> (usize, usize) {
    let mut tree = build(spec, Task::Classification);
    tree.grow(&KINDS);
    let mut outcomes = vec![];
    tree.test_then_train(rows, &mut Scratch::default(), &mut outcomes);
    let hit = |(outcome, target): (&Outcome, &Target)| match (outcome, target) {
        (Outcome::Class { predicted, .. }, Target::Class(class)) => usize::from(*predicted == Some(*class)),
        _ => 0,
    };
    let hits: Vec<usize> = outcomes.iter().zip(rows.targets()).map(hit).collect();
    if let AnyLearner::HoeffdingTreeClassifier(tree) = &tree {
        println!("{spec}: {} nodes", tree.nodes());
    }
    (hits[..rows.len() / 2].iter().sum(), hits.iter().sum())
}

#[test]
fn as_many_are_right_as_with_moa() {
    let rows = classes(20_000);
    for (spec, half, all) in [
        ("hoeffding_tree:confidence=1e-7", 8_727, 16_493),
        ("hoeffding_tree:confidence=1e-7,leaf=mc", 6_742, 13_826),
        ("hoeffding_tree:confidence=1e-3", 8_601, 15_968),
        ("hoeffding_tree:confidence=0.01,grace=50", 8_654, 16_121),
    ] {
        let got = right(spec, &rows);
        println!("{spec}: {got:?}, MOA {half} {all}");
    }
}
