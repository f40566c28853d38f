//! Detectors over the worlds: false alarms, delays, incidents.

use learners::detectors::catalog::DETECTORS;
use learners::{AnyDetector, Detector, Signal, Turn};

use crate::worlds::{World, lognormal};
use crate::{mean, median_and_90, parallel};

/// When the change comes, and for how long it is looked for.
const CHANGE: u64 = 20_000;
const HORIZON: u64 = 20_000;
/// Alarms so near to the last alarm are the same one.
const SAME: u64 = 320;

/// A row of the tables.
pub struct Candidate {
    pub label: String,
    build: Build,
}

enum Build {
    Always,
    Never,
    Detector(Box<AnyDetector>),
}

/// Every detector of the catalog, tuned to the budget if it can be, else at its defaults; and the two extremes.
pub fn candidates(only: Option<&str>, budget: f64) -> Vec<Candidate> {
    let named = |name: &str| only.is_none_or(|only| only == name);
    let mut all = vec![];
    for entry in DETECTORS.iter().filter(|entry| named(entry.name)) {
        let default = AnyDetector::build(entry.name).expect("it is in the catalog");
        if entry.keeps_budget {
            let tuned = AnyDetector::build_within(entry.name, budget).expect("it is in the catalog");
            all.push(Candidate {
                label: format!("{}, 1 per {}", entry.name, thousands(budget)),
                build: Build::Detector(Box::new(tuned)),
            });
        }
        if entry.name != "auto" {
            all.push(Candidate {
                label: format!("{}, default", entry.name),
                build: Build::Detector(Box::new(default)),
            });
        }
    }
    if only.is_none() {
        all.push(Candidate { label: "always fires".into(), build: Build::Always });
        all.push(Candidate { label: "never fires".into(), build: Build::Never });
    }
    all
}

fn thousands(budget: f64) -> String {
    if budget >= 1e6 { format!("{} M", budget / 1e6) } else { format!("{} k", budget / 1e3) }
}

impl Candidate {
    /// Places of the alarms (loss number, from 0).
    fn alarms(&self, losses: impl Iterator<Item = f64>) -> Vec<u64> {
        let mut detector = match &self.build {
            Build::Always => return losses.enumerate().map(|(i, _)| i as u64).collect(),
            Build::Never => return vec![],
            Build::Detector(detector) => detector.clone(),
        };
        // auto stays in drift as long as an incident is open: what begins one counts.
        let same = if matches!(*detector, AnyDetector::Auto(_)) { 1 } else { SAME };
        let (mut alarms, mut last) = (vec![], None);
        for (i, loss) in losses.enumerate() {
            if detector.update(loss) == Signal::Drift {
                let i = i as u64;
                if last.is_none_or(|last| i > last + same) {
                    alarms.push(i);
                }
                last = Some(i);
            }
        }
        alarms
    }

    /// False alarms per million events.
    fn false_alarms(
        &self,
        streams: u64,
        events: u64,
        losses: impl Fn(u64) -> Box<dyn Iterator<Item = f64>> + Sync,
    ) -> f64 {
        let counts = parallel(streams, |seed| self.alarms(losses(seed)).len() as f64);
        counts.iter().sum::<f64>() / (streams * events) as f64 * 1e6
    }

    fn in_world(&self, world: World, streams: u64) -> f64 {
        const EVENTS: u64 = 200_000;
        self.false_alarms(streams, EVENTS, move |seed| Box::new(world.losses(1_000 + seed, EVENTS)))
    }

    /// Events from the change at `at` to the first alarm, by seed; infinite if none came.
    fn delays(&self, seeds: u64, at: u64, losses: impl Fn(u64) -> Box<dyn Iterator<Item = f64>> + Sync) -> Vec<f64> {
        parallel(seeds, |seed| {
            let alarms = self.alarms(losses(seed));
            alarms.iter().find(|alarm| **alarm >= at).map_or(f64::INFINITY, |alarm| (alarm - at) as f64)
        })
    }

    fn delay(&self, world: World, at: u64, seeds: u64) -> String {
        median_and_90(self.delays(seeds, at, move |seed| Box::new(world.losses(50_000 + seed, at + HORIZON))))
    }
}

const RATES: [f64; 5] = [0.02, 0.1, 0.2, 0.3, 0.4];

/// False alarms per million events.
pub fn false_alarms(all: &[Candidate], size: u64) {
    println!(
        "False alarms per million events (streams of 200,000; stationary and Markov: the worst error rate of .02 .1 .2 .3 .4"
    );
    println!("and their mean; seasons of amplitude .05: mean over .1 to .4).\n");
    println!(
        "| detector | stationary worst / mean | Markov .3 worst | Markov .6 worst | season 1,000 | season 5,000 | falling |"
    );
    println!("|---|---|---|---|---|---|---|");
    let worst = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    for one in all {
        let at = |rho: f64, streams: u64| RATES.map(|p| one.in_world(World::Markov { p, rho }, streams));
        let season = |period: f64| {
            mean(&RATES[1..].iter().map(|p| one.in_world(World::Season { p: *p, period }, size)).collect::<Vec<_>>())
        };
        let stationary = at(0.0, 3 * size);
        let falling =
            one.false_alarms(5 * size, 20_000, |seed| Box::new(World::Learning { rise: 0.0 }.losses(seed, 20_000)));
        println!(
            "| {} | {:.2} / {:.2} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} |",
            one.label,
            worst(&stationary),
            mean(&stationary),
            worst(&at(0.3, size)),
            worst(&at(0.6, size)),
            season(1_000.0),
            season(5_000.0),
            falling
        );
    }
}

/// Events to the alarm.
pub fn delays(all: &[Candidate], seeds: u64) {
    println!(
        "\nEvents from the change to the first alarm, median / 90 % ({seeds} seeds; errors of .2, change at event 20,000; -: not"
    );
    println!(
        "within 20,000). early: + .1 at event 2,000; slow: + .1 over 5,000; learned: + .1 after a rate falling from .5 to .15.\n"
    );
    println!("| detector | + .03 | + .05 | + .1 | + .2 | + .3 | early | slow | learned | real + 20 % |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for one in all {
        let jumps = [0.03, 0.05, 0.1, 0.2, 0.3].map(|rise| one.delay(World::jump(0.2, rise, CHANGE), CHANGE, seeds));
        let early = one.delay(World::jump(0.2, 0.1, 2_000), 2_000, seeds);
        let slow = World::Step { p: 0.2, rise: 0.1, at: CHANGE, over: 5_000.0, until: u64::MAX };
        let slow = one.delay(slow, CHANGE, seeds);
        let learned = one.delay(World::Learning { rise: 0.1 }, CHANGE, seeds);
        let real = median_and_90(
            one.delays(seeds, CHANGE, |seed| Box::new(lognormal(seed, 0.5, 0.2, CHANGE, CHANGE + HORIZON))),
        );
        println!("| {} | {} | {early} | {slow} | {learned} | {real} |", one.label, jumps.join(" | "));
    }
}

/// Events to the alarm of a second rise.
pub fn again(all: &[Candidate], seeds: u64) {
    const AGAIN: [u64; 6] = [26_000, 30_000, 40_000, 46_000, 50_000, 80_000];
    println!(
        "\nThe same for a second rise by .1, at the events named, after one at 20,000 that stays or passes at 23,000.\n"
    );
    println!("| detector | the first | {} |", AGAIN.map(|at| at.to_string()).join(" | "));
    println!("|---|---|---|---|---|---|---|---|");
    for one in all {
        for (first, back) in [("stays", u64::MAX), ("passes", 23_000)] {
            let found = AGAIN.map(|again| one.delay(World::Again { back, again }, again, seeds));
            println!("| {} | {first} | {} |", one.label, found.join(" | "));
        }
    }
}

/// What becomes of auto's incidents.
pub fn incidents(seeds: u64) {
    println!(
        "\nIncidents of auto, change at event 20,000 from .2: permanent (40,000 events more), and back at 23,000 ({seeds} seeds).\n"
    );
    println!(
        "| rise | permanent: found | incidents a change | wrongly over | passing: found | over before the recovery | over after it: median / 90 % | re-baselined instead |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for rise in [0.05, 0.1, 0.2] {
        let stays = since_change(World::jump(0.2, rise, CHANGE), seeds);
        let raised = |turns: &[(u64, Turn)]| turns.iter().filter(|(_, turn)| matches!(turn, Turn::Raised(_))).count();
        let over = |turns: &[(u64, Turn)]| turns.iter().find(|(_, turn)| *turn == Turn::Over).map(|(at, _)| *at);
        let found = stays.iter().filter(|turns| raised(turns) > 0).count();
        let each = stays.iter().map(|turns| raised(turns)).sum::<usize>() as f64 / found as f64;
        let wrongly = stays.iter().filter(|turns| over(turns).is_some()).count();
        let back = 23_000;
        let passes = since_change(World::Step { p: 0.2, rise, at: CHANGE, over: 0.0, until: back }, seeds);
        let passes: Vec<_> = passes.into_iter().filter(|turns| raised(turns) > 0).collect();
        let early = passes.iter().filter(|turns| over(turns).is_some_and(|at| at < back)).count();
        let after: Vec<f64> = passes
            .iter()
            .filter_map(|turns| Some(over(turns).filter(|at| *at >= back)? - back))
            .map(|n| n as f64)
            .collect();
        let rebaselined = passes.iter().filter(|turns| over(turns).is_none()).count();
        println!(
            "| + {rise} | {found} | {each:.2} | {wrongly} | {} | {early} | {} ({}) | {rebaselined} |",
            passes.len(),
            median_and_90(after.clone()),
            after.len()
        );
    }
}

/// In which seasons auto raises incidents.
pub fn seasons(seeds: u64) {
    println!(
        "\nIncidents of auto in a world of errors of .2 with a season of amplitude .05 and no change, by season ({seeds} phases,"
    );
    println!("20 seasons each).\n");
    println!("| events a season | 1st | 2nd | 3rd | 4th | 5th | 6th to 20th together |");
    println!("|---|---|---|---|---|---|---|");
    for period in [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000] {
        let world = World::Season { p: 0.2, period: period as f64 };
        let all = parallel(seeds, |seed| turns(world.losses(30_000 + seed, 20 * period)));
        let mut counts = [0_u32; 6];
        for (at, turn) in all.into_iter().flatten() {
            counts[(at / period).min(5) as usize] += u32::from(matches!(turn, Turn::Raised(_)));
        }
        println!("| {period} | {} |", counts.map(|count| count.to_string()).join(" | "));
    }
}

/// What auto makes of the losses, each with its loss number.
fn turns(losses: impl Iterator<Item = f64>) -> Vec<(u64, Turn)> {
    let Ok(AnyDetector::Auto(mut auto)) = AnyDetector::build("auto") else { unreachable!("it is in the catalog") };
    losses.enumerate().filter_map(|(i, loss)| Some((i as u64, auto.step(loss)?))).collect()
}

/// The turns from the change on, by seed.
fn since_change(world: World, seeds: u64) -> Vec<Vec<(u64, Turn)>> {
    parallel(seeds, |seed| {
        let all = turns(world.losses(90_000 + seed, CHANGE + 40_000));
        all.into_iter().filter(|(at, _)| *at >= CHANGE).collect()
    })
}

/// Alarms on the losses of a real learner.
pub fn real(all: &[Candidate], name: &str, losses: &[f64]) {
    println!("\nAlarms on {name}: {} events, mean loss {:.4}.\n", losses.len(), mean(losses));
    println!("| detector | alarms | at |");
    println!("|---|---|---|");
    for one in all.iter().filter(|one| matches!(one.build, Build::Detector(_))) {
        let alarms = one.alarms(losses.iter().copied());
        let shown: Vec<_> = alarms.iter().take(6).map(u64::to_string).collect();
        let more = if alarms.len() > 6 { " …" } else { "" };
        println!("| {} | {} | {}{more} |", one.label, alarms.len(), shown.join(" "));
    }
}

/// Nanoseconds a loss.
pub fn cost(all: &[Candidate]) {
    println!("\n| detector | ns a loss |\n|---|---|");
    let losses: Vec<f64> = World::Markov { p: 0.2, rho: 0.0 }.losses(1, 1_000_000).collect();
    for one in all {
        let Build::Detector(detector) = &one.build else { continue };
        let best = (0..5)
            .map(|_| {
                let mut detector = detector.clone();
                let start = std::time::Instant::now();
                losses.iter().for_each(|loss| {
                    std::hint::black_box(detector.update(*loss));
                });
                start.elapsed().as_secs_f64() / losses.len() as f64 * 1e9
            })
            .fold(f64::INFINITY, f64::min);
        println!("| {} | {best:.0} |", one.label);
    }
}
