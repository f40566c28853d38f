//! The value of one season ago: of the same hour yesterday, say.
//!
//! The season is counted in events. If it is not given, it is at every event that of 7, 12, 24, 48, 96, 144, 168 or 288
//! whose absolute error, fading by .999 an event, is least. Knows no entities. Hyndman & Athanasopoulos, Forecasting:
//! principles and practice, 2018.

use serde::{Deserialize, Serialize};

use super::Forecast;
use crate::inputs::{Encoded, Shape};
use crate::members::Work;

const PERIODS: [u32; 8] = [24, 7, 12, 48, 96, 144, 168, 288];
const KEEP: f64 = 0.999;

/// The newest targets, in a ring.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Seasonal {
    periods: Vec<u32>,
    errors: Vec<f64>,
    ring: Vec<f64>,
    count: u64,
}

impl Seasonal {
    /// The season in events; 0: the best of a few.
    pub(crate) fn new(period: u32) -> Self {
        let periods = if period == 0 { PERIODS.to_vec() } else { vec![period] };
        let longest = periods.iter().copied().max().unwrap_or(1);
        Self { errors: vec![0.0; periods.len()], periods, ring: vec![f64::NAN; longest as usize], count: 0 }
    }

    fn ago(&self, period: u32) -> f64 {
        let length = self.ring.len() as u64;
        self.ring[((self.count + length - u64::from(period)) % length) as usize]
    }
}

impl Forecast for Seasonal {
    fn fit(&mut self, _shape: &Shape, room: usize) -> Option<usize> {
        Some(self.bytes()).filter(|bytes| *bytes <= room)
    }

    fn operations(&self, _shape: &Shape) -> usize {
        100
    }

    fn predict(&self, _x: &Encoded, _work: &mut Work) -> f64 {
        let mut best = 0;
        for (i, error) in self.errors.iter().enumerate() {
            if *error < self.errors[best] {
                best = i;
            }
        }
        self.ago(self.periods[best])
    }

    fn learn(&mut self, _x: &Encoded, _work: &mut Work, y: f64, _weight: f64) {
        for i in 0..self.periods.len() {
            let ago = self.ago(self.periods[i]);
            // Not there yet: as wrong as the worst.
            let error = if ago.is_nan() { y.abs() } else { (y - ago).abs() };
            self.errors[i] = KEEP * self.errors[i] + error;
        }
        let length = self.ring.len() as u64;
        self.ring[(self.count % length) as usize] = y;
        self.count += 1;
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.ring) + size_of_val(&*self.errors) + size_of_val(&*self.periods)
    }

    fn served(&self) -> Self {
        self.clone()
    }

    fn is_sound(&self, _shape: &Shape) -> bool {
        self.periods.len() == self.errors.len()
            && self.periods.iter().all(|period| (1..=self.ring.len()).contains(&(*period as usize)))
            && self.periods.iter().any(|period| *period as usize == self.ring.len())
    }
}
