//! The promotion test over worlds of two learners' losses.

use features::Task;
use learners::Promotion;

use crate::worlds::Random;
use crate::{median_and_90, parallel};

const ALPHA: f64 = 0.05;
const MIN_GAIN: f64 = 0.005;

/// Losses differ with chance q, the challenger's is lower by d on average; successive differences correlate by rho.
#[derive(Clone, Copy)]
struct Pair {
    q: f64,
    d: f64,
    rho: f64,
}

struct Losses {
    random: Random,
    last: f64,
}

impl Losses {
    fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), last: 0.0 }
    }

    fn next(&mut self, pair: Pair) -> (f64, f64) {
        if pair.rho == 0.0 || self.random.uniform() >= pair.rho {
            let u = self.random.uniform();
            self.last = if u < (pair.q + pair.d) / 2.0 {
                1.0
            } else if u < pair.q {
                -1.0
            } else {
                0.0
            };
        }
        (f64::from(u8::from(self.last > 0.0)), f64::from(u8::from(self.last < 0.0)))
    }
}

/// Events to the promotion, at most `most`; the first `before` of them are of another pair.
fn decide(seed: u64, before: (Pair, u64), pair: Pair, most: u64, min_gain: f64) -> f64 {
    let mut losses = Losses::new(seed);
    let mut promotion = Promotion::new(Task::Classification, ALPHA, min_gain);
    for _ in 0..before.1 {
        let (champion, challenger) = losses.next(before.0);
        // Too early: counted as decided at once.
        if promotion.observe(champion, challenger).is_some() {
            return 0.0;
        }
    }
    for event in 1..=most {
        let (champion, challenger) = losses.next(pair);
        if promotion.observe(champion, challenger).is_some() {
            return event as f64;
        }
    }
    f64::INFINITY
}

/// Two tables: wrong promotions, and events to decide.
pub fn tables(runs: u64) {
    println!(
        "\nWrong promotions within 1,000,000 events ({runs} runs; alpha .05; two learners equally good; q: share of events on"
    );
    println!("which they differ; rho: correlation of successive differences).\n");
    println!("| world | promoted, min_gain 0 | promoted, min_gain .005 |");
    println!("|---|---|---|");
    let nothing = (Pair { q: 0.0, d: 0.0, rho: 0.0 }, 0);
    for (q, rho) in [(0.05, 0.0), (0.15, 0.0), (0.3, 0.0), (0.15, 0.3), (0.15, 0.6)] {
        let pair = Pair { q, d: 0.0, rho };
        let share = |min_gain| {
            let ends = parallel(runs, |seed| decide(seed, nothing, pair, 1_000_000, min_gain));
            ends.iter().filter(|end| end.is_finite()).count() as f64 / runs as f64
        };
        println!("| q {q}, rho {rho} | {:.3} | {:.3} |", share(0.0), share(MIN_GAIN));
    }
    println!(
        "| real, lognormal | {:.3} | {:.3} |",
        real(runs, 1.0, 200_000, 0.0).1,
        real(runs, 1.0, 200_000, MIN_GAIN).1
    );
    println!("\nEvents to decide, median / 90 % ({runs} runs, q .15; at most 500,000).\n");
    println!("| world | min_gain 0 | min_gain .005 |");
    println!("|---|---|---|");
    let row =
        |name: &str, decided: &dyn Fn(f64) -> String| println!("| {name} | {} | {} |", decided(0.0), decided(MIN_GAIN));
    for d in [0.005, 0.01, 0.02, 0.05, 0.1] {
        let pair = Pair { q: 0.15, d, rho: 0.0 };
        row(&format!("challenger better by {d}"), &|gain| {
            median_and_90(parallel(runs, |seed| decide(7_000 + seed, nothing, pair, 500_000, gain)))
        });
    }
    let history = (Pair { q: 0.15, d: -0.02, rho: 0.0 }, 1_000_000);
    let pair = Pair { q: 0.15, d: 0.05, rho: 0.0 };
    row("better by .05 after 1,000,000 events worse by .02", &|gain| {
        median_and_90(parallel(runs, |seed| decide(9_000 + seed, history, pair, 500_000, gain)))
    });
    row("real, lognormal, challenger's errors 10 % lower", &|gain| real(runs, 0.9, 500_000, gain).0);
}

/// Independent lognormal errors (sigma 1), the challenger's times `factor`: events to decide, share promoted.
fn real(runs: u64, factor: f64, most: u64, min_gain: f64) -> (String, f64) {
    let ends = parallel(runs, |seed| {
        let mut random = Random::new(20_000 + seed);
        let mut promotion = Promotion::new(Task::Regression, ALPHA, min_gain);
        for event in 1..=most {
            let (a, b) = (libm::exp(random.normal()), factor * libm::exp(random.normal()));
            if promotion.observe(a, b).is_some() {
                return event as f64;
            }
        }
        f64::INFINITY
    });
    let promoted = ends.iter().filter(|end| end.is_finite()).count() as f64 / runs as f64;
    (median_and_90(ends), promoted)
}
