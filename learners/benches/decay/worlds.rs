//! Worlds of losses whose truth is known, from seeds.

use std::f64::consts::TAU;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Seeded numbers.
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// In 0..1.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        radius * libm::cos(TAU * self.uniform())
    }
}

/// How the error rate goes.
#[derive(Clone, Copy, Debug)]
pub enum World {
    /// Always p; the chance of an error after an error is higher so that successive ones correlate by rho.
    Markov { p: f64, rho: f64 },
    /// p + .05 sin, of a random phase.
    Season { p: f64, period: f64 },
    /// p until `at`, then p + rise, reached linearly within `over` events, back to p at `until`.
    Step { p: f64, rise: f64, at: u64, over: f64, until: u64 },
    /// .2, .1 more from 20,000 until `back`, and .1 more from `again` on.
    Again { back: u64, again: u64 },
    /// .15 + .35 exp(-t / 2000), from 20,000 on + rise.
    Learning { rise: f64 },
}

impl World {
    /// Errors of p, a jump by `rise` at `at`.
    pub fn jump(p: f64, rise: f64, at: u64) -> Self {
        Self::Step { p, rise, at, over: 0.0, until: u64::MAX }
    }

    /// Its first `events` losses, 0 or 1.
    pub fn losses(self, seed: u64, events: u64) -> impl Iterator<Item = f64> {
        let mut random = Random::new(seed);
        let phase = random.uniform();
        let mut last = false;
        (0..events).map(move |t| {
            let time = t as f64;
            let p = match self {
                Self::Markov { p, rho } => p * (1.0 - rho) + if last { rho } else { 0.0 },
                Self::Season { p, period } => p + 0.05 * libm::sin(TAU * (time / period + phase)),
                Self::Step { p, rise, at, over, until } => {
                    let since = t as f64 - at as f64;
                    let share = if since < 0.0 || t >= until {
                        0.0
                    } else if over > 0.0 {
                        (since / over).min(1.0)
                    } else {
                        1.0
                    };
                    p + rise * share
                }
                Self::Again { back, again } => {
                    0.2 + if (20_000..back).contains(&t) { 0.1 } else { 0.0 } + if t >= again { 0.1 } else { 0.0 }
                }
                Self::Learning { rise } => {
                    0.15 + 0.35 * libm::exp(-time / 2_000.0) + if t >= 20_000 { rise } else { 0.0 }
                }
            };
            last = random.uniform() < p;
            f64::from(u8::from(last))
        })
    }
}

/// Real losses before the scale is applied: lognormal, median 1, deviation sigma of the logarithm; y = l / (l + 1).
pub fn lognormal(seed: u64, sigma: f64, rise: f64, at: u64, events: u64) -> impl Iterator<Item = f64> {
    let mut random = Random::new(seed);
    (0..events).map(move |t| {
        let loss = libm::exp(sigma * random.normal()) * if t >= at { 1.0 + rise } else { 1.0 };
        loss / (loss + 1.0)
    })
}
