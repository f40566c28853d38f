//! The Hoeffding tree's cost an event (predict, score, learn) with 8 columns, one of them nominal, and what a snapshot
//! costs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use features::{ClassId, EntityId, EventTime, Kind, Rows, Target, Task};
use learners::{AnyLearner, Learner, Scratch};

const EVENTS: u32 = 50_000;

/// Seven numbers and a name of seven; two of the numbers decide, others from the middle on.
fn events(task: Task) -> Rows {
    let mut rows = Rows::new(8);
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for i in 0..EVENTS {
        let mut x = [0.0; 8];
        x.iter_mut().for_each(|x| *x = uniform());
        x[7] = (7.0 * x[7]).floor();
        let sum = if i < EVENTS / 2 { x[0] + x[1] } else { x[2] + x[3] } + 0.2 * uniform();
        let target = match task {
            Task::Classification => Target::Class(ClassId(u32::from(sum > 1.1))),
            Task::Regression => Target::Value(sum),
        };
        rows.push(&x, EventTime(0), EntityId(0), target);
    }
    rows
}

fn fresh(task: Task) -> AnyLearner {
    let spec = "hoeffding_tree".parse().expect("a name");
    let mut tree = AnyLearner::build(&spec, task, 1, 64 << 20).expect("it is in the catalog");
    let mut kinds = [Kind::Number; 8];
    kinds[7] = Kind::Nominal;
    tree.grow(&kinds);
    tree
}

fn hoeffding_tree(c: &mut Criterion) {
    let mut group = c.benchmark_group("hoeffding_tree");
    for (name, task) in [("classification", Task::Classification), ("regression", Task::Regression)] {
        let rows = events(task);
        let mut scratch = Scratch::default();
        group.throughput(Throughput::Elements(u64::from(EVENTS)));
        group.bench_function(format!("test_then_train/{name}"), |b| {
            b.iter(|| {
                let mut outcomes = Vec::with_capacity(rows.len());
                let mut tree = fresh(task);
                tree.test_then_train(black_box(&rows), &mut scratch, &mut outcomes);
                (tree.bytes(), outcomes)
            });
        });
        let mut tree = fresh(task);
        tree.test_then_train(&rows, &mut scratch, &mut vec![]);
        group.throughput(Throughput::Bytes(tree.bytes() as u64));
        group.bench_function(format!("snapshot/{name}"), |b| b.iter(|| black_box(&mut tree).freeze()));
    }
    group.finish();
}

criterion_group!(benches, hoeffding_tree);
criterion_main!(benches);
