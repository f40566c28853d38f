//! A fleet of `stations` weather stations on as many buildings, which send in turn: temperature with a daily season and
//! weather of its own, humidity that falls when it is warm (1 % of its readings are missing), light, and the power that
//! the building's heating, cooling and people draw, which is to be predicted (kW). At the weekend nobody is in; one
//! sees it by the lamps.
//!
//! What may change: all buildings' `controls` (from 0 to 1: other set points, more power a degree); `s3`'s thermometer
//! reads `s3_drift` °C too much; `s5`'s has failed (`s5_failed` = 1: it shows the same for ever, and no humidity);
//! `s1`'s is not calibrated and reads `s1_offset` °C too much. After each reading a station falls silent for six hours
//! with probability `gaps`.

use std::f64::consts::TAU;

use super::{Concept, Param, fixed, real, whole};
use crate::event::{Event, Line, round};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[
    fixed("stations", 8.0, 1.0, 1_000.0),
    real("controls", 0.0, 0.0, 1.0),
    real("s3_drift", 0.0, -20.0, 20.0),
    whole("s5_failed", 0.0, 0.0, 1.0),
    real("s1_offset", 0.0, -20.0, 20.0),
    real("gaps", 0.0, 0.0, 0.5),
    real("noise", 0.3, 0.0, 10.0),
];

const HOUR_MS: i64 = 3_600_000;
const SILENT_MS: i64 = 6 * HOUR_MS;

/// Base power (kW); below a temperature (°C) so many kW a degree to heat, above another so many to cool.
const CONTROLS: [[f64; 5]; 2] = [[2.0, 16.0, 0.4, 22.0, 0.3], [4.0, 20.0, 0.9, 25.0, 0.8]];

struct Station {
    key: String,
    weather: f64,
    /// What it showed before it failed.
    stuck: f64,
    silent_until: i64,
}

struct Sensors {
    random: Random,
    stations: Vec<Station>,
    turn: usize,
}

pub(super) fn start(p: &[f64], seed: u64) -> Box<dyn Concept> {
    let station = |i| Station { key: format!("s{i}"), weather: 0.0, stuck: 20.0, silent_until: 0 };
    Box::new(Sensors { random: Random::new(seed), stations: (0..p[0] as usize).map(station).collect(), turn: 0 })
}

impl Sensors {
    /// The next station that is not silent; when all are, the next one.
    fn next(&mut self, at_ms: i64) -> usize {
        let n = self.stations.len();
        let turns = (0..n).map(|i| (self.turn + i) % n);
        let which = turns.into_iter().find(|&i| self.stations[i].silent_until <= at_ms).unwrap_or(self.turn);
        self.turn = (which + 1) % n;
        which
    }
}

impl Concept for Sensors {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[_, controls, s3_drift, s5_failed, s1_offset, gaps, noise] = p else {
            unreachable!("as many as there are parameters")
        };
        let at_ms = line.at_ms;
        let which = self.next(at_ms);
        let random = &mut self.random;
        let station = &mut self.stations[which];
        station.weather = 0.995 * station.weather + 0.35 * random.normal();
        // 1970 began with a Thursday; 0 is Monday.
        let day = (at_ms / (24 * HOUR_MS) + 3) % 7;
        let hour = (at_ms % (24 * HOUR_MS)) as f64 / HOUR_MS as f64;
        let busy = day < 5 && (7.0..19.0).contains(&hour);
        // Coldest at three at night; each station has its own height.
        let season = -libm::cos(TAU * (hour - 3.0) / 24.0);
        let t = 17.0 + 0.6 * ((which % 8) as f64 - 3.5) + 6.0 * season + station.weather;
        let rh = round((65.0 - 2.0 * (t - 15.0) + 4.0 * random.normal()).clamp(5.0, 100.0), 1);
        let day_light = (season + 0.2).max(0.0) * 600.0 * (0.8 + 0.2 * random.uniform());
        let light = round(day_light + if busy { 250.0 } else { 0.0 }, 0);

        let [base, heat_below, heat, cool_above, cool] =
            std::array::from_fn(|i| CONTROLS[0][i] + controls * (CONTROLS[1][i] - CONTROLS[0][i]));
        let heating = heat * (heat_below - t).max(0.0);
        let cooling = cool * (t - cool_above).max(0.0);
        let people = if busy { 1.5 } else { 0.0 };
        let power = base + heating + cooling + people + 0.01 * rh + noise * random.normal();

        let too_much = match which {
            1 => s1_offset,
            3 => s3_drift,
            _ => 0.0,
        };
        let shown = round(t + too_much + 0.1 * random.normal(), 2);
        let failed = which == 5 && s5_failed == 1.0;
        if !failed {
            station.stuck = shown;
        }
        let no_humidity = random.chance(0.01) || failed;
        if random.chance(gaps) {
            station.silent_until = at_ms + SILENT_MS;
        }
        let line = line.text("station", &station.key).number("hour", round(hour, 2)).number("t", station.stuck);
        let line = if no_humidity { line.null("rh") } else { line.number("rh", rh) };
        line.number("light", light).number("power", round(power.max(0.0), 3)).end(&station.key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::super::tests::{events, number, share};

    const WEEK: u64 = 7 * 1_440;

    fn mean(events: &[Value], name: &str, of: impl Fn(&Value) -> bool) -> f64 {
        let (sum, n) = events.iter().filter(|e| of(e)).fold((0.0, 0.0), |(s, n), e| (s + number(e, name), n + 1.0));
        sum / n
    }

    /// Days since the first event, which is at midnight from Sunday to Monday.
    fn day(event: &Value) -> u64 {
        event["id"].as_u64().unwrap() / 1_440 % 7
    }

    #[test]
    fn a_day_and_a_week_have_their_seasons() {
        let events = events("sensors", &[], 1, 4 * WEEK);
        let hour = |from: f64| move |e: &Value| (from..from + 1.0).contains(&number(e, "hour"));
        assert!(mean(&events, "t", hour(14.0)) > mean(&events, "t", hour(2.0)) + 8.0);
        let noon = |weekend: bool| move |e: &Value| hour(12.0)(e) && (day(e) >= 5) == weekend;
        assert!(mean(&events, "power", noon(false)) > mean(&events, "power", noon(true)) + 1.0);
        assert!(mean(&events, "light", noon(false)) > mean(&events, "light", noon(true)) + 200.0);
    }

    #[test]
    fn thermometers_err_and_controls_change() {
        let before = events("sensors", &[], 1, WEEK);
        let set = [("s3_drift", 6.0), ("s1_offset", -2.0), ("s5_failed", 1.0), ("controls", 1.0)];
        let after = events("sensors", &set, 1, WEEK);
        let of = |name: &'static str| move |e: &Value| e["station"] == name;
        let more = |name| mean(&after, "t", of(name)) - mean(&before, "t", of(name));
        assert!((more("s3") - 6.0).abs() < 0.1 && (more("s1") + 2.0).abs() < 0.1 && more("s0").abs() < 0.1);
        let failed: Vec<_> = after.iter().filter(|e| of("s5")(e)).collect();
        assert!(failed.iter().all(|e| e["t"] == failed[0]["t"] && e["rh"].is_null()));
        assert!(mean(&after, "power", |_| true) > mean(&before, "power", |_| true) + 2.0);
        let missing = share(&before, |e| e["rh"].is_null());
        assert!((missing - 0.01).abs() < 0.005, "{missing}");
    }

    #[test]
    fn a_silent_station_is_silent_for_six_hours() {
        let longest = |gaps: f64| -> u64 {
            let (mut last, mut longest) = (BTreeMap::new(), 0);
            for event in events("sensors", &[("gaps", gaps)], 1, WEEK) {
                let id = event["id"].as_u64().unwrap();
                let before = last.insert(event["station"].as_str().unwrap().to_owned(), id);
                longest = longest.max(id - before.unwrap_or(id));
            }
            longest
        };
        assert_eq!(longest(0.0), 8);
        let minutes = longest(0.002);
        assert!((360..380).contains(&minutes), "{minutes}");
    }
}
