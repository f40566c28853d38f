//! Both trees against MOA's numbers, and against what every learner promises.

use features::{ClassId, EntityId, EventTime, Kind, Row, Rows, Target, Task};

use crate::{AnyLearner, Learner, Outcome, Prediction, Scratch, Section};

/// A linear congruential generator (Knuth's MMIX constants), uniform in [0, 1).
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: f64) -> f64 {
        (n * self.next()).floor()
    }
}

fn build(spec: &str, task: Task) -> AnyLearner {
    AnyLearner::build(&spec.parse().unwrap(), task, 1, 32 << 20).unwrap()
}

fn row(values: &[f64]) -> Row<'_> {
    Row { values, at: EventTime(0), entity: EntityId(0) }
}

fn predict(tree: &AnyLearner, values: &[f64]) -> Prediction {
    let mut out = Prediction::default();
    tree.predict_into(&row(values), &mut Scratch::default(), &mut out);
    out
}

fn saved(tree: &AnyLearner) -> Vec<Section> {
    let mut sections = vec![];
    tree.save(&mut sections);
    sections
}

fn nodes(tree: &AnyLearner) -> usize {
    match tree {
        AnyLearner::HoeffdingTreeClassifier(tree) => tree.nodes(),
        AnyLearner::HoeffdingTreeRegressor(tree) => tree.nodes(),
        other => panic!("{other:?} is no Hoeffding tree"),
    }
}

const KINDS: [Kind; 5] = [Kind::Number, Kind::Number, Kind::Number, Kind::Number, Kind::Nominal];

/// Four numbers, a name of three, and whether two of the numbers exceed 1 together: other two from event 10,000 on. A
/// tenth of the labels is wrong. `missing`: the share of values that are.
fn classes(n: usize, missing: f64) -> Rows {
    let mut rng = Lcg(42);
    let mut gaps = Lcg(7);
    let mut rows = Rows::new(5);
    for i in 0..n {
        let mut x = [0.0; 5];
        x[..4].iter_mut().for_each(|x| *x = rng.next());
        x[4] = rng.below(3.0);
        let y = if i < 10_000 { x[0] + x[1] > 1.0 } else { x[1] + x[2] > 1.0 };
        let class = u32::from(y ^ (rng.next() < 0.1));
        x.iter_mut().filter(|_| gaps.next() < missing).for_each(|x| *x = f64::NAN);
        rows.push(&x, EventTime(0), EntityId(0), Target::Class(ClassId(class)));
    }
    rows
}

/// A name that decides which of two numbers counts.
fn values(n: usize) -> Rows {
    let mut rng = Lcg(42);
    let mut rows = Rows::new(5);
    for _ in 0..n {
        let x = [rng.next(), rng.next(), rng.next(), 7.0, rng.below(3.0)];
        let y = if x[4] == 1.0 { 10.0 * x[0] } else { 20.0 + 5.0 * x[1] } + rng.next() - 0.5;
        rows.push(&x, EventTime(0), EntityId(0), Target::Value(y));
    }
    rows
}

/// Everything that may happen: missing, huge and constant values, ever more columns, categories and classes.
fn wild(n: usize, columns: usize, task: Task) -> (Vec<Kind>, Rows) {
    let mut rng = Lcg(3);
    let kinds = (0..columns).map(|i| if i % 3 == 2 { Kind::Nominal } else { Kind::Number }).collect();
    let mut rows = Rows::new(columns);
    for i in 0..n {
        let known = 1 + i * columns / n;
        let mut x: Vec<f64> = (0..known)
            .map(|j| match (j, rng.below(20.0) as u32) {
                (_, 0) => f64::NAN,
                (0, _) => 5.0,
                (j, _) if j % 3 == 2 => rng.below(1.0 + i as f64 / 20.0),
                (_, 1) => 1e308 * (2.0 * rng.next() - 1.0),
                (_, 2) => 1e-308 * rng.next(),
                _ => rng.next() - 0.5,
            })
            .collect();
        x.resize(columns, f64::NAN);
        let target = match task {
            Task::Classification => Target::Class(ClassId(if x[1..].first() > Some(&0.0) {
                0
            } else {
                rng.below(1.0 + i as f64 / 5.0) as u32
            })),
            Task::Regression if i % 100 == 99 => Target::Value(1e308 * (2.0 * rng.next() - 1.0)),
            Task::Regression => Target::Value(if x[0] > 0.0 { 3.0 } else { rng.next() }),
        };
        rows.push(&x, EventTime(0), EntityId(0), target);
    }
    (kinds, rows)
}

fn outcomes(tree: &mut AnyLearner, rows: &Rows) -> Vec<Outcome> {
    let mut outcomes = vec![];
    tree.test_then_train(rows, &mut Scratch::default(), &mut outcomes);
    outcomes
}

/// Right answers among the first half and among all.
fn right(spec: &str, rows: &Rows) -> (usize, usize, usize) {
    let mut tree = build(spec, Task::Classification);
    tree.grow(&KINDS);
    let hit = |(outcome, target): (&Outcome, &Target)| match (outcome, target) {
        (Outcome::Class { predicted, .. }, Target::Class(class)) => usize::from(*predicted == Some(*class)),
        _ => 0,
    };
    let hits: Vec<usize> = outcomes(&mut tree, rows).iter().zip(rows.targets()).map(hit).collect();
    (hits[..rows.len() / 2].iter().sum(), hits.iter().sum(), nodes(&tree))
}

#[test]
fn as_many_are_right_as_with_moa() {
    let rows = classes(20_000, 0.0);
    // MOA 2025-09 on the same stream; options -c and -g as here, -z -p. The two differ in what naive Bayes takes for
    // the least spread and in the branch for later categories.
    for (spec, half, all, size) in [
        ("hoeffding_tree:confidence=1e-7", 8_727, 16_493, 15),
        ("hoeffding_tree:confidence=1e-7,leaf=mc", 6_742, 13_826, 15),
        ("hoeffding_tree:confidence=1e-3", 8_601, 15_968, 41),
        ("hoeffding_tree:confidence=0.01,grace=50", 8_654, 16_121, 74),
    ] {
        let got = right(spec, &rows);
        let near = got.0.abs_diff(half) <= 40 && got.1.abs_diff(all) <= 40 && got.2.abs_diff(size) <= 8;
        assert!(near, "{spec}: {got:?}, MOA {half}, {all}, {size} nodes");
    }
}

#[test]
fn missing_values_cost_accuracy_and_no_more() {
    let (whole, gaps) = (classes(10_000, 0.0), classes(10_000, 0.2));
    let (_, all, _) = right("hoeffding_tree", &whole);
    let (_, some, size) = right("hoeffding_tree", &gaps);
    assert!(some > 7_400 && some < all && size > 5, "{some} of {all} right with a fifth missing, {size} nodes");
}

#[test]
fn a_regression_tree_finds_what_counts() {
    let rows = values(10_000);
    let error = |spec: &str| {
        let mut tree = build(spec, Task::Regression);
        tree.grow(&KINDS);
        let errors = outcomes(&mut tree, &rows).into_iter().zip(rows.targets()).map(|pair| match pair {
            (Outcome::Value(p), Target::Value(y)) => (p - y).abs(),
            _ => panic!("a number was asked for"),
        });
        errors.skip(5_000).sum::<f64>() / 5_000.0
    };
    // The noise alone is 0.25; the mean over all would be 6.
    let (adaptive, model, mean) =
        (error("hoeffding_tree"), error("hoeffding_tree:leaf=model"), error("hoeffding_tree:leaf=mean"));
    assert!(adaptive < 0.35 && model < 0.35 && mean < 0.75, "{adaptive} {model} {mean}");
}

const TASKS: [Task; 2] = [Task::Classification, Task::Regression];

/// Every leaf of a task.
fn specs(task: Task) -> [String; 4] {
    let leaves = if task == Task::Classification { ["nba", "nb", "mc"] } else { ["adaptive", "model", "mean"] };
    let [a, b, c] = leaves.map(|leaf| format!("hoeffding_tree:grace=50,leaf={leaf}"));
    let no_heritage = format!("{a},inherit=false,max_bytes=1MiB");
    [a, b, c, no_heritage]
}

#[test]
fn predicting_and_learning_in_one_walk_is_the_same_and_so_is_a_restored_tree() {
    for task in TASKS {
        let (kinds, rows) = wild(2_000, 9, task);
        for spec in specs(task) {
            let (mut one, mut two) = (build(&spec, task), build(&spec, task));
            one.grow(&kinds);
            two.grow(&kinds);
            let together = outcomes(&mut one, &rows);
            for (i, (row, target)) in rows.iter().enumerate() {
                assert_eq!(Outcome::of(&predict(&two, row.values), target), together[i], "{spec}, event {i}");
                two.learn(&row, target, 1.0);
                if i % 500 == 321 {
                    let mut restored = build(&spec, task);
                    restored.restore(&saved(&two)).unwrap();
                    assert_eq!((saved(&restored), restored.bytes()), (saved(&two), two.bytes()), "{spec}, event {i}");
                    two = restored;
                }
            }
            assert_eq!(saved(&one), saved(&two), "{spec}");
            assert!(nodes(&one) > 1, "{spec}: no split was tested");
        }
    }
}

#[test]
fn a_copy_to_be_served_says_what_the_tree_said_when_it_was_made() {
    let same = |copy: &AnyLearner, tree: &AnyLearner, rows: &Rows, context: &str| {
        for (row, _) in rows.iter().step_by(97) {
            assert_eq!(predict(copy, row.values), predict(tree, row.values), "{context}");
        }
    };
    let task = Task::Classification;
    let streams = [(KINDS.to_vec(), classes(6_000, 0.1)), wild(2_000, 9, task)];
    for (kinds, rows) in &streams {
        for spec in specs(task).into_iter().chain(["hoeffding_tree:grace=50,max_bytes=200KiB".to_owned()]) {
            let mut tree = build(&spec, task);
            tree.grow(kinds);
            let mut rng = Lcg(5);
            let mut held: Vec<(usize, AnyLearner, AnyLearner)> = vec![];
            for (i, (row, target)) in rows.iter().enumerate() {
                tree.learn(&row, target, 1.0);
                if rng.below(25.0) == 0.0 {
                    let then = tree.clone();
                    held.push((i, tree.served(), then));
                    if held.len() > 3 {
                        let (made, copy, then) = held.swap_remove(rng.below(4.0) as usize);
                        same(&copy, &then, rows, &format!("{spec}, of event {made} at {i}"));
                    }
                }
            }
            held.iter().for_each(|(made, copy, then)| same(copy, then, rows, &format!("{spec}, of event {made}")));
            assert!(nodes(&tree) > 1, "{spec}: no split was tested");
        }
    }
}

#[test]
fn whatever_comes_it_stays_within_its_bytes_and_predicts_numbers() {
    for task in TASKS {
        let (kinds, rows) = wild(3_000, 500, task);
        for spec in ["hoeffding_tree:max_bytes=64KiB,grace=20", "hoeffding_tree:max_bytes=2MiB,grace=20"] {
            let max = if spec.contains("64KiB") { 64 << 10 } else { 2 << 20 };
            let mut tree = build(spec, task);
            for (i, (row, target)) in rows.iter().enumerate() {
                let known = 1 + i * 500 / 3_000;
                tree.grow(&kinds[..known]);
                let out = predict(&tree, row.values);
                let sum: f64 = out.probabilities.iter().sum();
                assert!(out.probabilities.is_empty() || (sum - 1.0).abs() < 1e-9, "{spec}, event {i}: sum {sum}");
                assert!(out.value.is_finite(), "{spec}, event {i}");
                tree.learn(&row, target, 1.0);
                assert!(tree.bytes() <= max, "{spec}, event {i}: {} bytes", tree.bytes());
            }
        }
    }
}

#[test]
fn a_full_tree_stops_growing_and_goes_on_learning() {
    let rows = classes(20_000, 0.0);
    let (_, small, few) = right("hoeffding_tree:max_bytes=64KiB,grace=20,confidence=0.5,tie=0.3", &rows);
    let (_, large, many) = right("hoeffding_tree:grace=20,confidence=0.5,tie=0.3", &rows);
    assert!(few < many && small > 15_000 && large > 15_000, "{small} right, {few} nodes; {large} right, {many} nodes");
}

#[test]
fn a_class_and_a_category_never_seen_before_are_safe() {
    let mut tree = build("hoeffding_tree", Task::Classification);
    assert!(predict(&tree, &[]).probabilities.is_empty());
    tree.grow(&KINDS);
    tree.learn(&row(&[1.0, 2.0]), Target::Class(ClassId(999)), 1.0);
    assert_eq!(predict(&tree, &[1.0, 2.0, 3.0, 4.0, 1e9]).class(), Some(ClassId(999)));
    // The name alone decides.
    let mut rng = Lcg(1);
    for _ in 0..5_000 {
        let name = rng.below(4.0);
        let x = [0.0, 0.0, 0.0, rng.next(), name];
        tree.learn(&row(&x), Target::Class(ClassId((name as u32) % 2)), 1.0);
    }
    assert!(nodes(&tree) > 4, "a branch for every category");
    assert_eq!(predict(&tree, &[0.0, 0.0, 0.0, 0.5, 3.0]).class(), Some(ClassId(1)));
    assert!(predict(&tree, &[0.0, 0.0, 0.0, 0.5, 77_777.0]).class().is_some());
}

#[test]
fn what_does_not_fit_together_is_refused() {
    for task in TASKS {
        let mut tree = build("hoeffding_tree:grace=50", task);
        tree.grow(&KINDS);
        let rows = if task == Task::Classification { classes(3_000, 0.0) } else { values(3_000) };
        outcomes(&mut tree, &rows);
        assert!(nodes(&tree) > 1);
        let mut sections = saved(&tree);
        let fresh = saved(&build("hoeffding_tree", task));
        sections[1] = fresh[1].clone();
        assert!(build("hoeffding_tree", task).restore(&sections).is_err(), "nodes without their leaves");
    }
}
