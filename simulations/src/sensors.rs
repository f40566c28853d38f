//! Eight weather stations on eight buildings: temperature with a daily season and weather of its own, humidity that
//! falls when it is warm (1 % of its readings are missing), light, and the power that the building's heating and
//! cooling draw, which is to be predicted (kW).
//!
//! `s3`'s thermometer drifts: from a known event on it reads more and more, at last 6 °C too much. And now and then
//! all buildings change their controls at once: another set point, more power a degree.

use std::f64::consts::TAU;

use crate::event::{Event, Line, round};
use crate::random::Random;

const STATIONS: u64 = 8;
const DRIFTING: usize = 3;
const DRIFT_DEGREES: f64 = 6.0;
const STEP_MS: i64 = 60_000;
const STEPS_A_DAY: u64 = 1_440;

/// How a building is controlled: below `heat_below` (°C) it draws `heat` kW a degree, above `cool_above` `cool`.
struct Controls {
    base: f64,
    heat_below: f64,
    heat: f64,
    cool_above: f64,
    cool: f64,
}

const CONTROLS: [Controls; 2] = [
    Controls { base: 2.0, heat_below: 16.0, heat: 0.4, cool_above: 22.0, cool: 0.3 },
    Controls { base: 4.0, heat_below: 20.0, heat: 0.9, cool_above: 25.0, cool: 0.8 },
];

#[derive(Clone, Debug)]
pub(crate) struct Sensors {
    random: Random,
    every: u64,
    weather: [f64; STATIONS as usize],
}

impl Sensors {
    /// `s3` drifts from this event on, for as many events; the controls change at twice, four times … this event.
    pub(crate) fn every(total: u64) -> u64 {
        (total / 3).clamp(1, 10_000)
    }

    pub(crate) fn new(seed: u64, total: u64) -> Self {
        Self { random: Random::new(seed), every: Self::every(total), weather: [0.0; STATIONS as usize] }
    }

    pub(crate) fn event(&mut self, id: u64) -> Event {
        let station = (id % STATIONS) as usize;
        let hour = (id % STEPS_A_DAY) as f64 / STEPS_A_DAY as f64 * 24.0;
        let weather = 0.995 * self.weather[station] + 0.35 * self.random.normal();
        self.weather[station] = weather;
        // Coldest at three at night; each station has its own height.
        let season = -libm::cos(TAU * (hour - 3.0) / 24.0);
        let t = 17.0 + 0.6 * (station as f64 - 3.5) + 6.0 * season + weather;
        let rh = round((65.0 - 2.0 * (t - 15.0) + 4.0 * self.random.normal()).clamp(5.0, 100.0), 1);
        let light = round((season + 0.2).max(0.0) * 600.0 * (0.8 + 0.2 * self.random.uniform()), 0);

        let c = &CONTROLS[(id / (2 * self.every)) as usize % 2];
        let heating = c.heat * (c.heat_below - t).max(0.0);
        let cooling = c.cool * (t - c.cool_above).max(0.0);
        let busy = if (7.0..19.0).contains(&hour) { 1.5 } else { 0.0 };
        let power = c.base + heating + cooling + busy + 0.01 * rh + 0.3 * self.random.normal();

        let gone = id.saturating_sub(self.every) as f64 / self.every as f64;
        let too_much = if station == DRIFTING { DRIFT_DEGREES * gone.min(1.0) } else { 0.0 };
        let key = format!("s{station}");
        let line = Line::new(id, STEP_MS)
            .text("station", &key)
            .number("hour", round(hour, 2))
            .number("t", round(t + too_much + 0.1 * self.random.normal(), 2));
        let line = if self.random.chance(0.01) { line.null("rh") } else { line.number("rh", rh) };
        line.number("light", light).number("power", round(power.max(0.0), 3)).end(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::tests::field;

    #[test]
    fn one_station_drifts_and_the_controls_change() {
        let total = 30_000;
        let mut sensors = Sensors::new(1, total);
        let mut t = [[0.0; 3]; 8];
        let mut power = [0.0; 3];
        for id in 0..total {
            let event = sensors.event(id);
            let third = (id / 10_000) as usize;
            t[(id % 8) as usize][third] += field(&event.json, "t") / 1_250.0;
            power[third] += field(&event.json, "power") / 10_000.0;
        }
        let others = |third: usize| (0..8).filter(|s| *s != 3).map(|s| t[s][third]).sum::<f64>() / 7.0;
        let ahead: Vec<f64> = (0..3).map(|third| t[3][third] - others(third)).collect();
        assert!(ahead[1] - ahead[0] > 1.0 && ahead[2] - ahead[0] > 3.0, "{ahead:?}");
        assert!(power[2] > power[1] + 2.0, "{power:?}");
    }
}
