//! What acting on decay is worth: every scenario that drifts, folded twice by the same champion, once with a fresh
//! challenger at each warning (`on_drift = "challenge"`), once only told of it ("alert"). Where the world changes is
//! known, so what each change costs is measured, not guessed.
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
/// Events before a change that say how good the champion was, and behind its end in which it is to recover.
const BEFORE: usize = 1_000;
const AFTER: usize = 5_000;
/// The loss counts as back when its mean over so many events is within a fifth of the way down.
const ROLLING: usize = 200;
const NEAR: f64 = 0.2;
/// A change hurts if not acting costs more than this share of the loss before it, and more than this much.
const HURTS: f64 = 0.05;
const BATCH: usize = 1_000;

/// One run.
struct Run {
    /// The champion's loss on each event: 0 or 1, or the absolute error.
    losses: Vec<f64>,
    cpu: Duration,
    promotions: u64,
    /// Promotions whose effect was that the loss rose.
    worse: u64,
}

/// A change of the world as two runs came through it: without acting, with acting.
struct Passed {
    hurts: bool,
    /// Mean loss above that before the change, until [`AFTER`] events behind its end.
    extra: [f64; 2],
    /// Events from its end until the loss was back; `None`: not before the next change.
    back: [Option<usize>; 2],
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
    println!(
        "| world | loss in all: alert → challenge | promotions a run (worse) | changes that hurt | extra loss: alert → challenge | less / more | events to be back: alert → challenge | not back: alert → challenge | CPU |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, events) in WORLDS.into_iter().filter(|(name, _)| only.is_empty() || *name == only) {
        let scenario = Scenario::by_name(name).expect("it is in the catalog");
        let drifts = scenario.drifts(events);
        let runs = both(seeds, |seed| {
            [OnDrift::Alert, OnDrift::Challenge].map(|on_drift| {
                let config = config(scenario, &learner, &challengers, on_drift);
                run(config, scenario, seed, events)
            })
        });
        print(name, &drifts, &runs);
    }
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

fn config(scenario: &Scenario, learner: &str, challengers: &str, on_drift: OnDrift) -> FoldConfig {
    let mut config = ModelConfig::new("bench", vec!["events".into()], scenario.task, scenario.target).fold;
    config.event.time = Some(scenario.time.into());
    config.event.entity = scenario.entity.map(Into::into);
    config.event.id = Some(scenario.id.into());
    config.event.nominal = scenario.nominal.iter().map(|&name| name.into()).collect();
    config.learner = learner.parse().expect("a learner");
    let names = challengers.split(',').filter(|name| !name.is_empty());
    config.challengers = names.map(|name| name.parse().expect("a learner")).collect();
    config.on_drift = on_drift;
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

/// How two runs came through the change `i`.
fn passed(drifts: &[Drift], i: usize, [alert, challenge]: &[Run; 2]) -> Passed {
    let runs = [&alert.losses, &challenge.losses];
    let at = drifts[i].at_event as usize;
    let next = drifts.get(i + 1).map_or(alert.losses.len(), |next| next.at_event as usize);
    let end = drifts[i].ends_at.map_or(at, |end| end as usize).min(next);
    let until = (end + AFTER).min(next);
    let before = runs.map(|losses| mean(losses, at - BEFORE..at));
    let before = before[0].min(before[1]);
    let extra = runs.map(|losses| mean(losses, at..until) - before);
    let worst = windows(runs[0], at..until).map(|(_, loss)| loss).fold(before, f64::max);
    let enough = before + NEAR * (worst - before);
    let back = runs.map(|losses| windows(losses, end..next).find(|(_, loss)| *loss <= enough).map(|(to, _)| to - end));
    Passed { hurts: extra[0] > HURTS * before && extra[0] > 0.005, extra, back }
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

fn print(name: &str, drifts: &[Drift], runs: &[[Run; 2]]) {
    let count = runs.len() as f64;
    let each =
        |figure: fn(&Run) -> f64| [0, 1].map(|arm| runs.iter().map(|pair| figure(&pair[arm])).sum::<f64>() / count);
    let overall = each(|run| mean(&run.losses, 0..run.losses.len()));
    let cpu = each(|run| run.cpu.as_secs_f64());
    let (promotions, worse) = (each(|run| run.promotions as f64)[1], each(|run| run.worse as f64)[1]);
    let all = (0..drifts.len()).flat_map(|i| runs.iter().map(move |pair| passed(drifts, i, pair)));
    let all: Vec<Passed> = all.collect();
    let hurting: Vec<&Passed> = all.iter().filter(|passed| passed.hurts).collect();
    let extra = [0, 1].map(|arm| median(hurting.iter().map(|passed| passed.extra[arm])));
    let back =
        [0, 1].map(|arm| median(hurting.iter().map(|p| p.back[arm].map_or(f64::INFINITY, |events| events as f64))));
    let never = [0, 1].map(|arm| hurting.iter().filter(|p| p.back[arm].is_none()).count());
    let less = hurting.iter().filter(|p| p.extra[1] < p.extra[0]).count();
    let more = hurting.iter().filter(|p| p.extra[1] > p.extra[0]).count();
    let events = |x: f64| if x.is_finite() { format!("{x:.0}") } else { "-".into() };
    println!(
        "| {name} | {:.4} → {:.4} | {promotions:.1} ({worse:.1}) | {} of {} | {:.4} → {:.4} | {less} / {more} | {} → {} | {} → {} | {:.2} × |",
        overall[0],
        overall[1],
        hurting.len(),
        all.len(),
        extra[0],
        extra[1],
        events(back[0]),
        events(back[1]),
        never[0],
        never[1],
        cpu[1] / cpu[0],
    );
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
}
