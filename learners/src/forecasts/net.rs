//! A small net ([`Net`]) for regression, on the target or on its change since the last value known.
//!
//! The target is (t - μ)/S with μ the mean and S the mean distance from it, of the first 1,000; an error counts as at most
//! 2. Cost: about 6·33·D operations an event, 8·33·D bytes. Missing values: the mean, and an input of their own.

use serde::{Deserialize, Serialize};

use super::{Aim, Forecast};
use crate::inputs::{Encoded, Shape};
use crate::members::Work;
use crate::net::Net;

/// Targets after which their scale stays as it is.
const FIRST: u32 = 1_000;
/// An error counts as at most this.
const MOST_ERROR: f64 = 2.0;
/// The skip's part of the rate.
const SKIP: f64 = 0.2;

/// The net and the scale of what it predicts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetForecast {
    aim: Aim,
    lags: bool,
    net: Net,
    count: u32,
    mean: f64,
    spread: f64,
}

impl NetForecast {
    /// `rate` > 0; `lags` adds what is known of the targets to the inputs.
    pub(crate) fn new(aim: Aim, lags: bool, rate: f64, seed: u64) -> Self {
        Self { aim, lags, net: Net::new(rate, SKIP * rate, seed), count: 0, mean: 0.0, spread: 0.0 }
    }

    fn inputs(&self, shape: &Shape) -> usize {
        if self.lags { shape.labelled } else { shape.plain }
    }

    fn x<'a>(&self, x: &'a Encoded) -> &'a [f32] {
        if self.lags { &x.labelled32 } else { &x.plain32 }
    }
}

impl Forecast for NetForecast {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        self.net.fit(self.inputs(shape), 1, room)
    }

    fn operations(&self, shape: &Shape) -> usize {
        Net::operations(self.inputs(shape), 1)
    }

    fn predict(&self, x: &Encoded, work: &mut Work) -> f64 {
        work.scores.clear();
        work.scores.push(0.0);
        self.net.forward(self.x(x), &mut work.hidden, &mut work.scores);
        self.aim.base(x) + self.mean + self.spread * f64::from(work.scores[0])
    }

    fn learn(&mut self, x: &Encoded, work: &mut Work, y: f64, weight: f64) {
        let target = y - self.aim.base(x);
        if self.count < FIRST {
            self.count += 1;
            let share = 1.0 / f64::from(self.count);
            self.mean += share * (target - self.mean);
            self.spread += share * ((target - self.mean).abs() - self.spread);
        }
        let scaled = if self.spread > 0.0 { (target - self.mean) / self.spread } else { 0.0 };
        let error = (scaled - f64::from(work.scores[0])).clamp(-MOST_ERROR, MOST_ERROR);
        self.net.backward(self.x(x), &work.hidden, &[(weight * error) as f32]);
    }

    fn bytes(&self) -> usize {
        self.net.bytes()
    }

    fn served(&self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.net.is_sound(self.inputs(shape), 1)
    }
}
