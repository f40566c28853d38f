//! What acting on decay is worth: every scenario that drifts, folded by the same champion without acting on it
//! (`on_drift = "alert"`), with a detector that always fires, and with `auto`. Where the world changes is known, so what
//! each change costs is measured, not guessed.
//!
//! A detector that never fires is the same as not acting. One change of one seed is mostly noise, so the losses of all
//! seeds are averaged event by event first, of each arm alike, and each change is looked for in that curve.
//!
//! `cargo bench --bench recovery [-- --seeds 20 --learner hoeffding_tree --challengers linear,… --scenario sea]`

use std::ops::Range;
use std::thread;
use std::time::Duration;

use features::{EventTime, NextOffset, PartitionId, Record, Task};
use fold::{Chunk, Fold, FoldConfig, OnDrift, Position, What};
use learners::Outcome;
use perennial::config::ModelConfig;
use rustix::time::{ClockId, clock_gettime};
use simulations::{Drift, Scenario};

/// Scenarios, each with the events of its schedule.
const WORLDS: [(&str, u64); 11] = [
    ("sea", 60_000),
    ("stagger", 40_000),
    ("hyperplane", 80_000),
    ("rbf", 80_000),
    ("led", 60_000),
    ("agrawal", 80_000),
    ("friedman", 60_000),
    ("electricity", 45_312),
    ("market", 80_000),
    ("sensors", 60_000),
    ("demo", 60_000),
];
/// What is done about decay: nothing, and acting on one detector or the other.
const ARMS: [(OnDrift, &str); 3] = [
    (OnDrift::Alert, "auto"),
    // Two errors in a row are an alarm; one that lasts.
    (OnDrift::Challenge, "page_hinkley:lambda=1,warning=0.5,delta=0,alpha=0.9"),
    (OnDrift::Challenge, "auto"),
];
const ACTING: usize = 2;
/// Events before a change that say how good the champion was, and behind its end in which it is to recover.
const BEFORE: usize = 1_000;
const AFTER: usize = 5_000;
/// The loss counts as back when its mean over so many events is within a fifth of the way down.
const ROLLING: usize = 200;
const NEAR: f64 = 0.2;
/// A change hurts if not acting costs more than this share of the loss before it, and more than this much.
const HURTS: f64 = 0.05;
const LEAST: f64 = 0.005;
const BATCH: usize = 1_000;

/// A figure for every arm.
type Each<T> = [T; ARMS.len()];

/// One run.
struct Run {
    /// The champion's loss on each event: 0 or 1, or the absolute error.
    losses: Vec<f64>,
    cpu: Duration,
    promotions: u64,
    /// Promotions whose effect was that the loss rose.
    worse: u64,
}

/// A change of the world: from when on, until when it is complete, and when the next one comes.
struct Change {
    at: usize,
    end: usize,
    next: usize,
}

fn main() -> anyhow::Result<()> {
    let option = |name: &str, default: &str| -> String {
        let mut args = std::env::args().skip_while(|arg| arg != name).skip(1);
        args.next().unwrap_or_else(|| default.to_owned())
    };
    let seeds: u64 = option("--seeds", "20").parse()?;
    let learner = option("--learner", "hoeffding_tree");
    let challengers = option("--challengers", "");
    let only = option("--scenario", "");
    println!("Each cell: not acting / a detector that always fires / auto.\n");
    println!("| world | loss in all | promotions a run (worse) | CPU |\n|---|---|---|---|");
    let mut changes = Vec::new();
    for (name, events) in WORLDS.into_iter().filter(|(name, _)| only.is_empty() || *name == only) {
        let scenario = Scenario::by_name(name).expect("it is in the catalog");
        let runs = both(seeds, |seed| {
            ARMS.map(|(on_drift, detector)| {
                let mut config = config(scenario, &learner, &challengers);
                (config.on_drift, config.detector) = (on_drift, detector.into());
                run(config, scenario, seed, events)
            })
        });
        println!("| {name} | {} |", overall(&runs));
        let curves = each(|arm| curve(&runs, arm));
        for (change, kind) in known(&scenario.drifts(events), events) {
            changes.push(format!("| {name}, {kind} at {} | {} |", change.at, passed(&change, &curves, &runs)));
        }
    }
    println!("\n| change | hurts | extra loss | less / more | events to be back |\n|---|---|---|---|---|");
    changes.iter().for_each(|change| println!("{change}"));
    Ok(())
}

/// Does the work of every seed, on two threads.
fn both<T: Send>(seeds: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let half = |from: u64| (from..=seeds).step_by(2).map(&work).collect::<Vec<T>>();
    thread::scope(|scope| {
        let other = scope.spawn(|| half(2));
        let mut all = half(1);
        all.extend(other.join().expect("a run does not panic"));
        all
    })
}

fn config(scenario: &Scenario, learner: &str, challengers: &str) -> FoldConfig {
    let mut config = ModelConfig::new("bench", vec!["events".into()], scenario.task, scenario.target).fold;
    config.event.time = Some(scenario.time.into());
    config.event.entity = scenario.entity.map(Into::into);
    config.event.id = Some(scenario.id.into());
    config.event.nominal = scenario.nominal.iter().map(|&name| name.into()).collect();
    config.learner = learner.parse().expect("a learner");
    let names = challengers.split(',').filter(|name| !name.is_empty());
    config.challengers = names.map(|name| name.parse().expect("a learner")).collect();
    config
}

fn run(config: FoldConfig, scenario: &Scenario, seed: u64, events: u64) -> Run {
    let start = Position::from([(PartitionId::default(), NextOffset(0))]);
    let mut fold = Fold::genesis(config, start).expect("it can be built");
    let mut chunk = Chunk::default();
    let (mut losses, mut cpu, mut told) = (Vec::with_capacity(events as usize), Duration::ZERO, Vec::new());
    let mut world = scenario.events(seed, events).peekable();
    while world.peek().is_some() {
        let records: Vec<Record> = world
            .by_ref()
            .take(BATCH)
            .map(|event| Record {
                offset: event.id as i64,
                timestamp: EventTime(event.at_ms),
                payload: Some(event.json.into()),
                ..Record::default()
            })
            .collect();
        let began = cpu_time();
        fold.decode(&records, &mut chunk);
        fold.train(&mut chunk);
        cpu += cpu_time() - began;
        assert!(chunk.rejected().is_empty());
        for (record, said) in records.iter().zip(chunk.outcomes()) {
            let said = said.as_ref().expect("the label is in the event");
            losses.push(loss(&fold, scenario, record, said));
        }
        let seen = told.last().map_or(0, |(number, _)| *number);
        let new = fold.snapshot().happenings;
        told.extend(new.iter().filter(|h| h.number > seen).map(|h| (h.number, h.what.clone())));
    }
    let promotions = told.iter().filter(|(_, what)| matches!(what, What::Promotion { .. })).count() as u64;
    let worse = |what: &What| matches!(what, What::Effect { at: Some(at), after, .. } if after > at);
    let worse = told.iter().filter(|(_, what)| worse(what)).count() as u64;
    Run { losses, cpu, promotions, worse }
}

fn loss(fold: &Fold, scenario: &Scenario, record: &Record, said: &Outcome) -> f64 {
    let json = std::str::from_utf8(record.payload.as_deref().expect("an event")).expect("JSON is UTF-8");
    let (_, truth) = json.rsplit_once(':').expect("the last field is the target");
    let truth = truth.trim_end_matches('}').trim_matches('"');
    match (scenario.task, said) {
        (Task::Regression, Outcome::Value(x)) => (x - truth.parse::<f64>().expect("a number")).abs(),
        (Task::Classification, Outcome::Class { predicted, .. }) => {
            let name = predicted.and_then(|class| fold.schema().classes().name(class.0));
            f64::from(u8::from(name != Some(truth)))
        }
        _ => unreachable!("a learner answers its task"),
    }
}

/// The changes of a world with their kinds.
fn known(drifts: &[Drift], events: u64) -> impl Iterator<Item = (Change, String)> {
    drifts.iter().enumerate().map(move |(i, drift)| {
        let at = drift.at_event as usize;
        let next = drifts.get(i + 1).map_or(events, |next| next.at_event) as usize;
        let end = drift.ends_at.map_or(at, |end| end as usize).min(next);
        (Change { at, end, next }, format!("{:?}", drift.kind).to_lowercase())
    })
}

fn each<T>(figure: impl Fn(usize) -> T) -> Each<T> {
    std::array::from_fn(figure)
}

/// The mean loss of all seeds, event by event.
fn curve(runs: &[Each<Run>], arm: usize) -> Vec<f64> {
    let at = |i| runs.iter().map(|run| run[arm].losses[i]).sum::<f64>() / runs.len() as f64;
    (0..runs[0][arm].losses.len()).map(at).collect()
}

/// What the arms made of a change.
fn passed(change: &Change, curves: &Each<Vec<f64>>, runs: &[Each<Run>]) -> String {
    let &Change { at, end, next } = change;
    let until = (end + AFTER).min(next);
    // All are measured by one level: that of the best.
    let before = |losses: &[f64]| mean(losses, at - BEFORE..at);
    let best = each(|arm| before(&curves[arm])).into_iter().fold(f64::INFINITY, f64::min);
    let extra = each(|arm| mean(&curves[arm], at..until) - best);
    let worst = windows(&curves[0], at..until).map(|(_, loss)| loss).fold(best, f64::max);
    let enough = best + NEAR * (worst - best);
    // Behind its own worst: a loss that has not risen yet is not back.
    let back = each(|arm| {
        let worst = windows(&curves[arm], at..until).reduce(|worst, next| if next.1 > worst.1 { next } else { worst });
        let from = worst.map_or(end, |(to, _)| to).max(end + ROLLING);
        let found = windows(&curves[arm], end..next).find(|(to, loss)| *to >= from && *loss <= enough);
        found.map_or("-".to_owned(), |(to, _)| (to - end).to_string())
    });
    let hurts = if extra[0] > HURTS * best && extra[0] > LEAST { "yes" } else { "no" };
    let better = |run: &Each<Run>| mean(&run[0].losses, at..until) - mean(&run[ACTING].losses, at..until);
    let less = runs.iter().filter(|run| better(run) > 0.0).count();
    let more = runs.iter().filter(|run| better(run) < 0.0).count();
    format!("{hurts} | {} | {less} / {more} | {}", extra.map(|x| format!("{x:.4}")).join(" / "), back.join(" / "))
}

/// What the arms made of a world.
fn overall(runs: &[Each<Run>]) -> String {
    let of =
        |figure: fn(&Run) -> f64| each(|arm| runs.iter().map(|run| figure(&run[arm])).sum::<f64>() / runs.len() as f64);
    let losses = of(|run| mean(&run.losses, 0..run.losses.len())).map(|loss| format!("{loss:.4}"));
    let (promotions, worse) = (of(|run| run.promotions as f64), of(|run| run.worse as f64));
    let promotions = each(|arm| format!("{:.1} ({:.1})", promotions[arm], worse[arm]));
    let cpu = of(|run| run.cpu.as_secs_f64());
    let cpu = cpu.map(|seconds| format!("{:.2} ×", seconds / cpu[0]));
    format!("{} | {} | {}", losses.join(" / "), promotions[1..].join(" / "), cpu[1..].join(" / "))
}

fn mean(losses: &[f64], range: Range<usize>) -> f64 {
    losses[range.clone()].iter().sum::<f64>() / range.len() as f64
}

/// The end of every window within a range, and its mean loss.
fn windows(losses: &[f64], range: Range<usize>) -> impl Iterator<Item = (usize, f64)> {
    let from = range.start;
    losses[range]
        .windows(ROLLING)
        .enumerate()
        .map(move |(i, window)| (from + i + ROLLING, window.iter().sum::<f64>() / ROLLING as f64))
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
}
