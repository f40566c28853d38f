//! What watching a learner costs an event: scores, detector, verdict.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use features::{ClassId, Target, Task};
use learners::{Adwin, Detector, Monitor, Outcome, Prediction, Scores};

const EVENTS: u32 = 100_000;

/// Two classes, a fifth of them wrong; numbers with scattered errors.
fn events(task: Task) -> Vec<(Outcome, Target)> {
    (0..EVENTS)
        .map(|i| {
            let u = f64::from(i.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24);
            match task {
                Task::Classification => {
                    let (truth, right) = (i / 7 % 2, u > 0.2);
                    let confidence = 0.5 + u / 2.0;
                    let up = if right == (truth == 1) { confidence } else { 1.0 - confidence };
                    let said = Prediction { probabilities: vec![1.0 - up, up], value: 0.0 };
                    let target = Target::Class(ClassId(truth));
                    (Outcome::of(&said, target), target)
                }
                Task::Regression => (Outcome::Value(u), Target::Value(0.5)),
            }
        })
        .collect()
}

fn monitor(c: &mut Criterion) {
    let mut group = c.benchmark_group("monitor");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    for (name, task) in [("classification", Task::Classification), ("regression", Task::Regression)] {
        let events = events(task);
        group.bench_function(format!("scores/{name}"), |b| {
            let mut scores = Scores::new(task);
            b.iter(|| events.iter().map(|(outcome, target)| scores.update(black_box(outcome), *target).0).sum::<f64>());
        });
        group.bench_function(format!("monitor/{name}"), |b| {
            let mut monitor = Monitor::new(task, "adwin", 1e6).expect("it is in the catalog");
            b.iter(|| events.iter().map(|(outcome, target)| monitor.observe(black_box(outcome), *target)).sum::<f64>());
        });
    }
    group.bench_function("adwin", |b| {
        let mut adwin = Adwin::new(Adwin::DELTA, Adwin::WARNING_DELTA);
        let losses: Vec<f64> =
            (0..EVENTS).map(|i| f64::from(u8::from(i.wrapping_mul(2_654_435_761) < 1 << 29))).collect();
        b.iter(|| losses.iter().filter(|loss| adwin.update(black_box(**loss)) != learners::Signal::Stable).count());
    });
    group.finish();
}

criterion_group!(benches, monitor);
criterion_main!(benches);
