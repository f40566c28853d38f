//! What decay detectors and the promotion test cost and find in worlds whose truth is known, as Markdown tables.
//!
//! `cargo bench -p learners --bench decay -- [--quick] [--detector NAME] [--budget EVENTS] [--only PART] [TABLE.csv]`
//!
//! PART is one of false_alarms, delays, again, incidents, seasons, cost, promotion. With a table, also alarms on a linear learner's
//! losses over it.

mod detectors;
mod electricity;
mod promotion;
mod worlds;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn main() {
    let (mut quick, mut only, mut detector, mut budget, mut table) = (false, None, None, 1e6, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value after the option");
        match arg.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--quick" => quick = true,
            "--detector" => detector = Some(value()),
            "--only" => only = Some(value()),
            "--budget" => budget = value().parse().expect("a number of events"),
            path => table = Some(path.to_owned()),
        }
    }
    let part = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let all = detectors::candidates(detector.as_deref(), budget);
    let (streams, seeds, runs) = if quick { (4, 20, 10) } else { (20, 100, 200) };
    if part("false_alarms") {
        detectors::false_alarms(&all, streams);
    }
    if part("delays") {
        detectors::delays(&all, seeds);
    }
    if part("again") {
        detectors::again(&all, seeds);
    }
    let auto = detector.as_deref().is_none_or(|name| name == "auto");
    if part("incidents") && auto {
        detectors::incidents(seeds);
    }
    if part("seasons") && auto {
        detectors::seasons(seeds);
    }
    if let Some(path) = &table {
        detectors::real(&all, path, &electricity::losses(Path::new(path)));
    }
    if part("cost") {
        detectors::cost(&all);
    }
    if part("promotion") && detector.is_none() {
        promotion::tables(runs);
    }
}

/// `work` of 0, 1, … `jobs` - 1 on all cores, the results in that order.
fn parallel<T: Send>(jobs: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicU64::new(0), Mutex::new(vec![]));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= jobs {
                        break;
                    }
                    let result = work(job);
                    done.lock().expect("no job panics").push((job, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no job panics");
    done.sort_by_key(|(job, _)| *job);
    done.into_iter().map(|(_, result)| result).collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn median_and_90(mut numbers: Vec<f64>) -> String {
    numbers.sort_by(f64::total_cmp);
    let at = |share: f64| match numbers.get(((numbers.len() as f64 * share).ceil() as usize).saturating_sub(1)) {
        Some(n) if n.is_finite() => format!("{n:.0}"),
        _ => "-".to_owned(),
    };
    format!("{} / {}", at(0.5), at(0.9))
}
