//! How several regression members become one number: four rules beside each other, and BOA over them, with the running
//! mean and the last value as two voices more.
//!
//! *Shares*: w_m ∝ w_m exp(-.3 min((|e_m| - least |e|)/b, 20)) with b the least fading mean error, and .01 shared out.
//! *BOA* over the members. *Stacks*: the members are corrected by recursive least squares on their distance from a base
//! (members weighed by 1/s², s their fading error), one with every event counting min(3, 1/|residual|), which makes it
//! follow the median, one with all events alike; both within the range of targets seen and 5 % beyond.

use serde::{Deserialize, Serialize};

use super::boa::Boa;
use crate::explain::shares;
use crate::gain::Gain;
use crate::lanes::{add_scaled, dot, padded};
use crate::maths;

/// Fading of errors.
const KEEP: f64 = 0.998;
const RATE: f64 = 0.3;
const SHARE: f64 = 0.01;
const BIAS: f64 = 0.3;
/// Corrections are made within so many usual errors.
const FAR: f64 = 20.0;
/// How far beyond the range seen a stack may go.
const BEYOND: f64 = 0.05;
/// Voices of the last BOA: shares, BOA, two stacks, the first two members (mean and last value).
const VOICES: usize = 6;

/// One correction of the members by least squares.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stack {
    gain: Gain,
    weights: Vec<f64>,
}

impl Stack {
    fn new(members: usize) -> Self {
        let mut gain = Gain::new(0.999, 0.01, 0.04);
        gain.grow(members + 1);
        Self { gain, weights: vec![0.0; padded(members + 1)] }
    }

    fn learn(&mut self, x: &[f64], y: f64, robust: bool, gain: &mut Vec<f64>) {
        let error = (y - dot(&self.weights, x)).clamp(-FAR, FAR);
        let weight = if robust { (1.0 / error.abs()).min(3.0) } else { 1.0 };
        self.gain.step(x, 1.0 / weight, gain);
        add_scaled(&mut self.weights, error, gain);
        if self.weights.iter().any(|w| !w.is_finite()) {
            *self = Self::new(self.gain.size() - 1);
        }
    }
}

/// The rules.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Council {
    /// Fading absolute error of each member, and of how many events (fading, too).
    errors: Vec<f64>,
    events: f64,
    shares: Vec<f64>,
    boa: Boa,
    robust: Stack,
    square: Stack,
    last: Boa,
    low: f64,
    high: f64,
}

/// Memory that a council works in.
#[derive(Clone, Debug, Default)]
pub(crate) struct CouncilWork {
    voices: [f64; VOICES],
    answer: f64,
    base: f64,
    unit: f64,
    x: Vec<f64>,
    gain: Vec<f64>,
    scaled: Vec<f64>,
}

impl Council {
    /// The first two members are to be the running mean and the last value.
    pub(crate) fn new(members: usize) -> Self {
        Self {
            errors: vec![0.0; members],
            events: 0.0,
            shares: vec![1.0 / members as f64; members],
            boa: Boa::new(members),
            robust: Stack::new(members),
            square: Stack::new(members),
            last: Boa::new(VOICES),
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }

    /// A finite number within the range seen and `beyond` of it more.
    pub(crate) fn within(&self, x: f64, beyond: f64) -> Option<f64> {
        let margin = beyond * (self.high - self.low);
        (x.is_finite() && self.low <= self.high).then(|| x.clamp(self.low - margin, self.high + margin))
    }

    /// One answer of what the members said, all of them finite.
    pub(crate) fn combine(&self, said: &[f64], work: &mut CouncilWork) -> f64 {
        let least = self.errors.iter().fold(f64::INFINITY, |least, e| least.min(*e));
        work.unit = if self.events > 0.0 && least > 0.0 { least / self.events } else { 1.0 };
        // Weighed by 1/s²; errors relative to the least, so that nothing overflows.
        let (mut sum, mut base) = (0.0, 0.0);
        for (p, error) in said.iter().zip(&self.errors) {
            let relative = if least > 0.0 { least / error } else { 1.0 };
            sum += relative * relative;
            base += relative * relative * p;
        }
        work.base = base / sum;
        work.x.clear();
        work.x.extend(said.iter().map(|p| ((p - work.base) / work.unit).clamp(-FAR, FAR)));
        work.x.push(BIAS);
        work.x.resize(padded(said.len() + 1), 0.0);
        let stacked = |stack: &Stack, unit: f64| {
            self.within(work.base + unit * dot(&stack.weights, &work.x), BEYOND).unwrap_or(work.base)
        };
        work.voices = [
            self.shares.iter().zip(said).map(|(w, p)| w * p).sum(),
            self.boa.combine(said),
            stacked(&self.robust, work.unit),
            stacked(&self.square, work.unit),
            said[0],
            said[1],
        ];
        work.answer = self.last.combine(&work.voices);
        work.answer
    }

    /// Learns the truth of what was just combined in `work`.
    pub(crate) fn learn(&mut self, said: &[f64], work: &mut CouncilWork, y: f64) {
        let unit = work.unit;
        let target = ((y - work.base) / unit).clamp(-FAR * FAR, FAR * FAR);
        self.robust.learn(&work.x, target, true, &mut work.gain);
        self.square.learn(&work.x, target, false, &mut work.gain);
        // In units of usual errors, so that one wild target does not make BOA slow for good.
        let bounded = |p: f64| ((p - y) / unit).clamp(-FAR * FAR, FAR * FAR);
        work.scaled.clear();
        work.scaled.extend(said.iter().map(|p| bounded(*p)));
        self.boa.learn(&work.scaled, bounded(work.voices[1]), 0.0);
        work.scaled.clear();
        work.scaled.extend(work.voices.iter().map(|p| bounded(*p)));
        self.last.learn(&work.scaled, bounded(work.answer), 0.0);
        let best = said.iter().fold(f64::INFINITY, |best, p| best.min((p - y).abs()));
        let mut sum = 0.0;
        for (share, p) in self.shares.iter_mut().zip(said) {
            *share *= maths::exp(-RATE * (((p - y).abs() - best) / unit).min(20.0));
            sum += *share;
        }
        let equal = 1.0 / said.len() as f64;
        self.shares.iter_mut().for_each(|share| *share = (1.0 - SHARE) * *share / sum + SHARE * equal);
        self.events = KEEP * self.events + 1.0;
        for (error, p) in self.errors.iter_mut().zip(said) {
            *error = KEEP * *error + (p - y).abs();
        }
        self.see(y);
    }

    /// A target belongs to the range seen.
    pub(crate) fn see(&mut self, y: f64) {
        (self.low, self.high) = (self.low.min(y), self.high.max(y));
    }

    /// Each member's share of the answer, its weight in it (they sum to 1 and may be negative), and its fading mean
    /// absolute error.
    pub(crate) fn members(&self) -> impl Iterator<Item = (f64, f64, Option<f64>)> {
        let voices: Vec<f64> = self.last.weights().collect();
        let least = self.errors.iter().fold(f64::INFINITY, |least, e| least.min(*e));
        let close = |error: f64| if least > 0.0 { (least / error) * (least / error) } else { 1.0 };
        let sum: f64 = self.errors.iter().map(|error| close(*error)).sum();
        // A stack's answer is linear in what the members say: its weights, and what they leave to the base.
        let left = |stack: &Stack| 1.0 - stack.weights[..self.errors.len()].iter().sum::<f64>();
        let lefts = [left(&self.robust), left(&self.square)];
        let parts = self.shares.iter().zip(self.boa.weights()).zip(&self.errors).enumerate();
        let weights: Vec<f64> = parts
            .map(|(i, ((share, boa), error))| {
                let base = close(*error) / sum;
                let stacks = [self.robust.weights[i] + lefts[0] * base, self.square.weights[i] + lefts[1] * base];
                let own = if i < 2 { voices[4 + i] } else { 0.0 };
                voices[0] * share + voices[1] * boa + voices[2] * stacks[0] + voices[3] * stacks[1] + own
            })
            .collect();
        let parts = shares(&weights);
        let losses = self.errors.iter().map(|error| (self.events > 0.0).then(|| error / self.events));
        parts.into_iter().zip(weights).zip(losses).map(|((share, weight), loss)| (share, weight, loss))
    }

    /// Operations an event.
    pub(crate) fn operations(members: usize) -> f64 {
        (4 * members * members + 150 * members) as f64
    }

    pub(crate) fn bytes(&self) -> usize {
        let stacks = self.robust.gain.bytes() + self.square.gain.bytes() + 2 * size_of_val(&*self.robust.weights);
        stacks + size_of_val(&*self.errors) + size_of_val(&*self.shares) + self.boa.bytes() + self.last.bytes()
    }

    pub(crate) fn served(&self) -> Self {
        let mut served = self.clone();
        served.robust.gain = self.robust.gain.stripped();
        served.square.gain = self.square.gain.stripped();
        served
    }

    pub(crate) fn is_sound(&self, members: usize) -> bool {
        let stack =
            |s: &Stack| s.gain.is_sound() && s.gain.size() == members + 1 && s.weights.len() == padded(members + 1);
        self.errors.len() == members
            && self.shares.len() == members
            && self.boa.is_sound(members)
            && self.last.is_sound(VOICES)
            && stack(&self.robust)
            && stack(&self.square)
    }
}
