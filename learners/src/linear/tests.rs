//! What the linear models promise, on streams whose truth is known.

use features::{ClassId, EntityId, EventTime};
use proptest::prelude::*;

use super::*;
use crate::AnyLearner;

/// Knuth's linear congruential generator, in 0..1.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn row(values: &[f64]) -> Row<'_> {
    Row { values, at: EventTime(0), entity: EntityId(0) }
}

fn new(name: &str, task: Task, kinds: &[Kind]) -> AnyLearner {
    let mut learner = AnyLearner::build(&name.parse().unwrap(), task, 1, 1 << 20).unwrap();
    learner.grow(kinds);
    learner
}

fn says(learner: &AnyLearner, values: &[f64]) -> Prediction {
    let mut out = Prediction::default();
    learner.predict_into(&row(values), &mut Scratch::default(), &mut out);
    out
}

const NAMES: [&str; 2] = ["linear", "ftrl"];

#[test]
fn a_linear_function_is_learned_and_followed_when_it_turns_round() {
    for (name, most) in [("linear", 0.1), ("ftrl", 1.0)] {
        let (mut learner, mut random) = (new(name, Task::Regression, &[Kind::Number; 2]), Random(1));
        let mut worst = [0.0_f64; 2];
        for i in 0..40_000 {
            let x = [random.unit(), 1e4 * random.unit() + 1e6];
            let y = (3.0 * x[0] - 2e-4 * (x[1] - 1e6)) * if i < 20_000 { 1.0 } else { -1.0 } + 500.0;
            if i % 20_000 >= 19_000 {
                let miss = (says(&learner, &x).value - y).abs();
                worst[i / 20_000] = worst[i / 20_000].max(miss);
            }
            learner.learn(&row(&x), Target::Value(y), 1.0);
        }
        assert!(worst[0] < 0.05 && worst[1] < most, "{name}: {worst:?}, the labels reach over 5");
    }
}

#[test]
fn three_classes_are_told_apart_by_numbers_and_names() {
    for name in NAMES {
        let (mut learner, mut random) = (new(name, Task::Classification, &[Kind::Number, Kind::Nominal]), Random(2));
        let mut right = 0;
        for i in 0..4_000 {
            let x = [random.unit() - 0.5, (3.0 * random.unit()).floor()];
            let truth = if x[1] == 2.0 { 2 } else { u32::from(x[0] > 0.0) };
            right += u32::from(i >= 3_000 && says(&learner, &x).class() == Some(ClassId(truth)));
            learner.learn(&row(&x), Target::Class(ClassId(truth)), 1.0);
        }
        assert!(right > 960, "{name}: {right} of 1000");
    }
}

#[test]
fn a_class_that_comes_later_is_learned() {
    let (mut learner, mut random) = (new("linear", Task::Classification, &[Kind::Number]), Random(3));
    assert_eq!(says(&learner, &[0.0]).class(), None);
    for known in 1..=3 {
        for _ in 0..1_000 {
            let x = 3.0 * random.unit();
            learner.learn(&row(&[x]), Target::Class(ClassId((x as u32).min(known - 1))), 1.0);
        }
        let last = says(&learner, &[2.9]);
        assert_eq!((last.probabilities.len(), last.class()), (known as usize, Some(ClassId(known - 1))));
    }
    assert_eq!(says(&learner, &[0.1]).class(), Some(ClassId(0)));
}

#[test]
fn neither_scale_nor_offset_of_columns_and_targets_matters() {
    for name in NAMES {
        let mut random = Random(4);
        let mut plain = new(name, Task::Regression, &[Kind::Number; 2]);
        let (mut scaled, mut shifted) = (plain.clone(), plain.clone());
        for _ in 0..2_000 {
            let (a, b) = (random.unit(), random.unit());
            let y = a - 3.0 * b + 0.1 * random.unit();
            // Powers of two: every product is exact, so the bits are the same but for the exponent.
            let (big, moved) = ([1024.0 * a, b / 4096.0], [a + 1000.0, b - 50.0]);
            let says = [says(&plain, &[a, b]).value, says(&scaled, &big).value / 256.0, says(&shifted, &moved).value];
            assert_eq!(says[0], says[1], "{name}");
            assert!((says[0] - says[2]).abs() < 1e-6, "{name}: {says:?}");
            plain.learn(&row(&[a, b]), Target::Value(y), 1.0);
            scaled.learn(&row(&big), Target::Value(256.0 * y), 1.0);
            shifted.learn(&row(&moved), Target::Value(y), 1.0);
        }
    }
}

#[test]
fn one_wild_row_is_soon_forgotten() {
    for name in NAMES {
        let (mut learner, mut random) = (new(name, Task::Regression, &[Kind::Number]), Random(5));
        let mut miss = 0.0_f64;
        for i in 0..4_000 {
            let x = random.unit();
            if i > 3_000 {
                miss = miss.max((says(&learner, &[x]).value - x).abs());
            }
            let wild = i == 2_000;
            let (x, y) = if wild { (-1e308, 1e308) } else { (x, x) };
            learner.learn(&row(&[x]), Target::Value(y), 1.0);
        }
        assert!(miss < 0.1, "{name} is {miss} off");
    }
}

#[test]
fn old_gradients_are_forgotten_after_some_memories() {
    let rule = Adaptive::new(0.5, 100.0);
    let (mut weight, mut sum, mut step) = ([0.0], [1e6], [0.0]);
    for _ in 0..1_000 {
        rule.step(&[1.0], [&mut weight, &mut sum], &mut step, 1e-3, 0.25, 1.0);
    }
    // What is left of the old sum, 1e6 · 0.99^1000 = 43, and nothing near what 1,000 small gradients add.
    assert!((40.0..45.0).contains(&sum[0]), "{sum:?}");
}

proptest! {
    /// The damped step moves a least-squares score towards the label and never past it, however heavy the event.
    #[test]
    fn a_step_never_passes_the_label(
        inputs in prop::collection::vec(-10.0..10.0_f64, 1..8),
        sums in prop::collection::vec(0.0..100.0_f64, 8),
        label in -10.0..10.0_f64,
        rate in 1e-4..100.0_f64,
        weight in 1e-3..1e6_f64,
    ) {
        let mut weights = vec![0.0; inputs.len()];
        let mut sums = sums[..inputs.len()].to_vec();
        let mut steps = weights.clone();
        Adaptive::new(rate, 1000.0).step(&inputs, [&mut weights, &mut sums], &mut steps, -label, 1.0, weight);
        let score = weights::dot(&weights, &inputs);
        prop_assert!(score * label >= 0.0 && score.abs() <= label.abs() * (1.0 + 1e-9), "{score} for {label}");
    }

    /// Nothing a stream may hold makes an answer impossible, at the ends of the parameters' ranges too.
    #[test]
    fn answers_stay_possible(
        rows in prop::collection::vec((prop::array::uniform3(any::<f64>()), 0..4_u32, 1e-9..1e9_f64), 1..60),
    ) {
        let ends = ["linear:rate=100,memory=10", "linear:rate=0.0001", "ftrl:alpha=100,beta=0.001", "ftrl:alpha=0.0001,l1=1e6"];
        for name in ends {
            let mut learner = new(name, Task::Classification, &[Kind::Number, Kind::Nominal, Kind::Number]);
            for (values, class, weight) in &rows {
                let values = values.map(|x| if x.is_infinite() { f64::MAX } else { x });
                learner.learn(&row(&values), Target::Class(ClassId(*class)), *weight);
                let sum: f64 = says(&learner, &values).probabilities.iter().sum();
                prop_assert!((sum - 1.0).abs() < 1e-9, "{name}: the probabilities sum to {sum}");
            }
        }
    }
}
