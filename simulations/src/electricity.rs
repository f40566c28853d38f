//! A market of the shape of the Electricity data: one event each half hour, prices and demands that follow the day and
//! their own past, and the label `UP` where the price is above its mean of the last 24 hours. So the last label again
//! is right about 85 times in 100.
//!
//! Two regimes, as in the data: at first the neighbour's market is closed (its fields stand still); from the middle of
//! the stream on it is open, and the price follows the neighbour's more than the demand.
//!
//! Harries, Splice-2 comparative evaluation: electricity pricing, 1999.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use crate::event::{Event, Line, round};
use crate::random::Random;

const PERIODS: u64 = 48;

#[derive(Clone, Debug)]
pub(crate) struct Electricity {
    random: Random,
    opens_at: u64,
    /// What each quantity keeps of its past: price, demand, the neighbour's price and demand.
    drift: [f64; 4],
    /// Prices of the last 24 hours and their sum.
    prices: VecDeque<f64>,
    sum: f64,
}

impl Electricity {
    /// The event from which on the neighbour's market is open.
    pub(crate) fn opens_at(total: u64) -> u64 {
        total / 2
    }

    pub(crate) fn new(seed: u64, total: u64) -> Self {
        Self {
            random: Random::new(seed),
            opens_at: Self::opens_at(total),
            drift: [0.0; 4],
            prices: VecDeque::new(),
            sum: 0.0,
        }
    }

    /// Where a quantity stands in its autoregressive wandering.
    fn wander(&mut self, which: usize, keeps: f64, deviation: f64) -> f64 {
        let next = keeps * self.drift[which] + deviation * self.random.normal();
        self.drift[which] = next;
        next
    }

    pub(crate) fn event(&mut self, id: u64) -> Event {
        let (day, period) = (id / PERIODS, id % PERIODS);
        let hour = TAU * period as f64 / PERIODS as f64;
        // Low at night, a peak in the morning and one in the evening; less at the weekend.
        let load = -0.7 * libm::cos(hour) - 0.4 * libm::cos(2.0 * hour) - if day % 7 >= 5 { 0.5 } else { 0.0 };
        let demand = round((0.45 + 0.12 * load + self.wander(1, 0.97, 0.012)).clamp(0.0, 1.0), 6);
        let own = self.wander(0, 0.88, 0.22);
        let neighbour = self.wander(2, 0.88, 0.22) + 0.3 * load;

        let open = id >= self.opens_at;
        let log_price = if open { -3.3 + 0.8 * neighbour + 0.35 * own } else { -2.9 + 3.0 * (demand - 0.45) + own };
        let price = round(libm::exp(log_price).min(1.0), 6);
        let abroad = self.wander(3, 0.97, 0.012);
        let (vic_price, vic_demand, transfer) = if open {
            let vic_demand = (0.42 + 0.1 * load + abroad).clamp(0.0, 1.0);
            (round(libm::exp(-5.4 + 0.8 * neighbour).min(1.0), 6), round(vic_demand, 6), round(0.5 - 0.2 * own, 6))
        } else {
            (0.003467, 0.422915, 0.414912)
        };

        self.prices.push_back(price);
        self.sum += price;
        if self.prices.len() as u64 > PERIODS {
            self.sum -= self.prices.pop_front().expect("it is not empty");
        }
        let up = price > self.sum / self.prices.len() as f64;
        Line::new(id, 1_800_000)
            .number("date", round(day as f64 / 944.0, 6))
            .number("day", (day % 7 + 1) as f64)
            .number("period", round(period as f64 / (PERIODS - 1) as f64, 6))
            .number("nswprice", price)
            .number("nswdemand", demand)
            .number("vicprice", vic_price)
            .number("vicdemand", vic_demand)
            .number("transfer", transfer)
            .text("target", if up { "UP" } else { "DOWN" })
            .end("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_label_again_is_right_85_times_in_100_in_either_regime() {
        for seed in [1, 2, 3] {
            let mut market = Electricity::new(seed, 40_000);
            let up: Vec<bool> = (0..40_000).map(|id| market.event(id).json.contains("UP")).collect();
            for half in up.chunks(20_000) {
                let same = half.windows(2).filter(|pair| pair[0] == pair[1]).count();
                let ups = half.iter().filter(|up| **up).count();
                assert!((16_800..17_300).contains(&same), "seed {seed}: {same} of 19,999");
                assert!((8_200..9_200).contains(&ups), "seed {seed}: {ups} of 20,000");
            }
        }
    }
}
