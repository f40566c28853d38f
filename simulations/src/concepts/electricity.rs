//! A market of the shape of the Electricity data: one event each half hour, prices and demands that follow the day and
//! their own past, and the label `UP` where the price is above its mean of the last 24 hours. So the last label again
//! is right about 85 times in 100.
//!
//! Two regimes, as in the data: the neighbour's market is closed and its fields stand still, or (`open` = 1) it is
//! open and the price follows the neighbour's more than the demand.
//!
//! Harries, Splice-2 comparative evaluation: electricity pricing, 1999.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use super::{Concept, Param, whole};
use crate::event::{Event, Line, round};
use crate::random::Random;
use crate::timeline::START_MS;

pub(super) const PARAMS: &[Param] = &[whole("open", 0.0, 0.0, 1.0)];

const PERIOD_MS: i64 = 1_800_000;
const PERIODS: u64 = 48;

struct Electricity {
    random: Random,
    /// Where each quantity has wandered: price, demand, the neighbour's price and demand.
    drift: [f64; 4],
    /// Prices of the last 24 hours and their sum.
    prices: VecDeque<f64>,
    sum: f64,
}

pub(super) fn start(_: &[f64], seed: u64) -> Box<dyn Concept> {
    Box::new(Electricity { random: Random::new(seed), drift: [0.0; 4], prices: VecDeque::new(), sum: 0.0 })
}

impl Electricity {
    /// Where a quantity stands in its autoregressive wandering.
    fn wander(&mut self, which: usize, keeps: f64, deviation: f64) -> f64 {
        let next = keeps * self.drift[which] + deviation * self.random.normal();
        self.drift[which] = next;
        next
    }
}

impl Concept for Electricity {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let passed = ((line.at_ms - START_MS) / PERIOD_MS) as u64;
        let (day, period) = (passed / PERIODS, passed % PERIODS);
        let hour = TAU * period as f64 / PERIODS as f64;
        // Low at night, a peak in the morning and one in the evening; less at the weekend.
        let load = -0.7 * libm::cos(hour) - 0.4 * libm::cos(2.0 * hour) - if day % 7 >= 5 { 0.5 } else { 0.0 };
        let demand = round((0.45 + 0.12 * load + self.wander(1, 0.97, 0.012)).clamp(0.0, 1.0), 6);
        let own = self.wander(0, 0.88, 0.22);
        let neighbour = self.wander(2, 0.88, 0.22) + 0.3 * load;

        let open = p[0] == 1.0;
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
        line.number("date", round(day as f64 / 944.0, 6))
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
    use super::super::tests::world;
    use super::*;

    #[test]
    fn the_last_label_again_is_right_85_times_in_100_in_either_regime() {
        for (seed, open) in [(1, 0.0), (2, 0.0), (1, 1.0), (2, 1.0)] {
            let (mut market, p) = world("electricity", &[("open", open)], seed);
            let up: Vec<bool> = (0..20_000)
                .map(|id| market.event(&p, Line::new(id, START_MS + id as i64 * PERIOD_MS)).json.contains("UP"))
                .collect();
            let same = up.windows(2).filter(|pair| pair[0] == pair[1]).count();
            let ups = up.iter().filter(|up| **up).count();
            assert!((16_800..17_300).contains(&same), "seed {seed}, open {open}: {same} of 19,999");
            assert!((8_200..9_200).contains(&ups), "seed {seed}, open {open}: {ups} of 20,000");
        }
    }
}
