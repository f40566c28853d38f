//! Seeded streams and what must come of them, reckoned in the simplest way.

#![allow(clippy::disallowed_methods, reason = "the events of a test, made once and sent to all")]

use std::collections::{BTreeMap, BTreeSet};

/// Minutes from one step to the next, and for how long a sensor's value is predicted ahead.
const STEP_MS: i64 = 60_000;
const HORIZON_MS: i64 = 30 * STEP_MS;
const BEGAN_MS: i64 = 1_767_225_600_000;

/// A record to be sent at a step.
#[derive(Clone, Debug)]
pub struct Line {
    pub step: u64,
    pub topic: &'static str,
    pub json: String,
}

/// Seeded dice (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// One of `0..n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % n
    }

    /// A number around 0, of deviation 1.
    fn noise(&mut self) -> f64 {
        (0..12).map(|_| self.below(1_000) as f64 / 1_000.0).sum::<f64>() - 6.0
    }
}

/// Above or below a line that turns over every `turn` steps; 5 % of the labels are wrong.
pub fn turns(dice: &mut Dice, steps: u64, turn: u64) -> Vec<Line> {
    let line = |step| {
        let (a, b) = (dice.below(1_000), dice.below(1_000));
        let up = (a > b) ^ (step / turn % 2 == 1) ^ (dice.below(20) == 0);
        let (at, y) = (BEGAN_MS + step as i64 * STEP_MS, if up { "up" } else { "down" });
        Line { step, topic: "turns", json: format!(r#"{{"at":{at},"a":{a},"b":{b},"y":"{y}"}}"#) }
    };
    (0..steps).map(line).collect()
}

/// What must come of labels on a topic.
#[derive(Debug, Default)]
pub struct Orders {
    pub lines: Vec<Line>,
    pub joined: u64,
    /// Of `n`, over the orders whose label was there.
    pub sum: u64,
    pub waiting: u64,
    pub early: u64,
    pub duplicate: u64,
    pub changed: u64,
}

/// An order every other step, whose label comes a hundred steps later or more; or before it, twice, with two answers, or
/// never; and labels of orders that never come.
pub fn orders(dice: &mut Dice, steps: u64) -> Orders {
    let mut orders = Orders::default();
    for n in 1..steps / 2 {
        let step = 2 * n;
        let (size, day) = (dice.below(100), dice.below(7));
        let json = format!(r#"{{"id":"o{n}","n":{n},"size":{size},"day":{day}}}"#);
        orders.lines.push(Line { step, topic: "orders", json });
        let target = u64::from(size + 10 * day > 80);
        let mut label = |step, id: &str, target| {
            let json = format!(r#"{{"id":"{id}","target":{target}}}"#);
            orders.lines.push(Line { step, topic: "orders-labels", json });
        };
        let id = format!("o{n}");
        let later = step + 100 + dice.below(200);
        match dice.below(100) {
            0..10 => {
                orders.waiting += 1;
                continue;
            }
            10..18 => label(step.saturating_sub(1 + dice.below(60)), &id, target),
            18..28 => {
                label(later, &id, target);
                label(later + dice.below(50), &id, target);
                orders.duplicate += 1;
            }
            28..32 => {
                label(later, &id, target);
                label(later + 1 + dice.below(50), &id, 1 - target);
                orders.changed += 1;
            }
            32..34 => {
                label(later, &id, target);
                label(later, &format!("x{n}"), target);
                orders.early += 1;
            }
            _ => label(later, &id, target),
        }
        orders.joined += 1;
        orders.sum += n;
    }
    orders.lines.sort_by_key(|line| line.step);
    orders
}

/// What must come of values that label those half an hour before.
#[derive(Debug, Default)]
pub struct Sensors {
    pub lines: Vec<Line>,
    pub joined: u64,
    /// Of `n`, over the readings whose value half an hour later is there.
    pub sum: u64,
    pub waiting: u64,
}

/// Four sensors, a reading a step of one of them, its temperature missing in one of twenty; the sun says where the
/// temperature goes.
pub fn sensors(dice: &mut Dice, steps: u64) -> Sensors {
    let mut sensors = Sensors::default();
    let mut waiting: BTreeMap<u64, Vec<(i64, u64)>> = BTreeMap::new();
    for n in 1..=steps {
        let (station, at) = (dice.below(4), BEGAN_MS + n as i64 * STEP_MS);
        let day = n as f64 / 1_440.0 * std::f64::consts::TAU;
        let (temp, sun) = (20.0 + station as f64 + 8.0 * day.sin() + 0.1 * dice.noise(), day.cos());
        let missing = dice.below(20) == 0;
        let field = if missing { String::new() } else { format!(r#","temp":{temp:.3}"#) };
        let json = format!(r#"{{"at":{at},"station":"s{station}","n":{n},"sun":{sun:.3}{field}}}"#);
        sensors.lines.push(Line { step: n, topic: "sensors", json });
        let before = waiting.entry(station).or_default();
        if !missing {
            for (_, n) in before.extract_if(.., |(then, _)| *then + HORIZON_MS <= at) {
                sensors.joined += 1;
                sensors.sum += n;
            }
        }
        before.push((at, n));
    }
    sensors.waiting = waiting.values().map(|rows| rows.len() as u64).sum();
    sensors
}

/// One stream of several.
pub fn mixed(streams: impl IntoIterator<Item = Vec<Line>>) -> Vec<Line> {
    let mut lines: Vec<Line> = streams.into_iter().flatten().collect();
    lines.sort_by_key(|line| line.step);
    lines
}

/// Records of each topic.
pub fn counts(lines: &[Line]) -> BTreeMap<&'static str, u64> {
    let topics: BTreeSet<&str> = lines.iter().map(|line| line.topic).collect();
    topics.into_iter().map(|topic| (topic, lines.iter().filter(|line| line.topic == topic).count() as u64)).collect()
}
