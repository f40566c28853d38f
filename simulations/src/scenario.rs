//! The list of scenarios: what each is called, what its events look like, and when its world changes.

use features::Task;

use crate::electricity::Electricity;
use crate::event::{Drift, DriftKind, Event};
use crate::sea::Sea;
use crate::sensors::Sensors;

#[derive(Clone, Copy, Debug)]
enum World {
    Sea,
    Electricity,
    Sensors,
}

/// A world that yields events.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// What happens in it, in a sentence.
    pub description: &'static str,
    /// What is to be predicted.
    pub task: Task,
    /// The field to predict: the last one of each event.
    pub target: &'static str,
    /// The field that numbers the events from 0: the first one of each event.
    pub id: &'static str,
    /// The field that holds the time, in milliseconds since the Unix epoch.
    pub time: &'static str,
    /// The field that names the entity, if events belong to one.
    pub entity: Option<&'static str>,
    /// Fields whose numbers are names.
    pub nominal: &'static [&'static str],
    world: World,
}

impl Scenario {
    /// Every scenario.
    pub const ENTRIES: &'static [Self] = &[
        Self {
            name: "sensors",
            description: "eight temperature sensors predict power; one drifts slowly, then all controls change",
            task: Task::Regression,
            target: "power",
            id: "id",
            time: "at",
            entity: Some("station"),
            nominal: &[],
            world: World::Sensors,
        },
        Self {
            name: "sea",
            description: "SEA concepts: two of three numbers decide, 10 % wrong labels, abrupt drift",
            task: Task::Classification,
            target: "target",
            id: "id",
            time: "at",
            entity: None,
            nominal: &[],
            world: World::Sea,
        },
        Self {
            name: "electricity",
            description: "half-hourly prices with an autocorrelated label; in the middle a second market opens",
            task: Task::Classification,
            target: "target",
            id: "id",
            time: "at",
            entity: None,
            nominal: &["day"],
            world: World::Electricity,
        },
    ];

    /// The scenario called `name`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::ENTRIES.iter().find(|scenario| scenario.name == name)
    }

    /// The scenario's `total` events. `total` also decides where drifts stand: see [`Scenario::drifts`].
    pub fn events(&self, seed: u64, total: u64) -> Events {
        let world = match self.world {
            World::Sea => Running::Sea(Sea::new(seed, total)),
            World::Electricity => Running::Electricity(Electricity::new(seed, total)),
            World::Sensors => Running::Sensors(Sensors::new(seed, total)),
        };
        Events { world, next: 0, total }
    }

    /// Where the world changes within `total` events, in order. In a long stream `sea` changes each 15,000 events,
    /// `sensors` each 20,000.
    pub fn drifts(&self, total: u64) -> Vec<Drift> {
        let abrupt = |at_event| Drift { at_event, kind: DriftKind::Abrupt };
        let each = |from: u64, step: u64| (from..total).step_by(step as usize).map(abrupt);
        match self.world {
            World::Sea => each(Sea::drift_every(total), Sea::drift_every(total)).collect(),
            World::Electricity => each(Electricity::opens_at(total), u64::MAX).collect(),
            World::Sensors => {
                let every = Sensors::every(total);
                let slow = Drift { at_event: every, kind: DriftKind::Gradual };
                std::iter::once(slow).chain(each(2 * every, 2 * every)).filter(|d| d.at_event < total).collect()
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Running {
    Sea(Sea),
    Electricity(Electricity),
    Sensors(Sensors),
}

/// The events of a scenario, in order.
#[derive(Clone, Debug)]
pub struct Events {
    world: Running,
    next: u64,
    total: u64,
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.next >= self.total {
            return None;
        }
        let id = self.next;
        self.next += 1;
        Some(match &mut self.world {
            Running::Sea(world) => world.event(id),
            Running::Electricity(world) => world.event(id),
            Running::Sensors(world) => world.event(id),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::Value;

    /// The number in a field of an event.
    pub(crate) fn field(json: &str, name: &str) -> f64 {
        let event: Value = serde_json::from_str(json).unwrap();
        event[name].as_f64().unwrap()
    }

    /// FNV-1a, 64 bits.
    fn hash(events: impl Iterator<Item = Event>) -> u64 {
        let bytes = events.flat_map(|e| format!("{}\t{}\t{}\n", e.at_ms, e.key, e.json).into_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn the_bytes_are_those_they_always_were() {
        let golden = [
            ("sensors", 1, 0x5547_73d8_e0ad_d18e),
            ("sensors", 7, 0xaf48_386e_8538_6824),
            ("sea", 1, 0x8f59_5c3d_bf83_c160),
            ("sea", 7, 0x765d_5cc4_31b0_721a),
            ("electricity", 1, 0xf1a4_21f7_23f8_4b3c),
            ("electricity", 7, 0x49df_0098_4e88_14de),
        ];
        let now =
            golden.map(|(name, seed, _)| (name, seed, hash(Scenario::by_name(name).unwrap().events(seed, 10_000))));
        assert_eq!(now, golden);
    }

    #[test]
    fn every_event_is_what_the_scenario_says() {
        for scenario in Scenario::ENTRIES {
            let total = 5_000;
            let mut last = i64::MIN;
            let events: Vec<Event> = scenario.events(3, total).collect();
            assert_eq!(events.len() as u64, total);
            for (i, event) in events.iter().enumerate() {
                assert!(event.json.starts_with(&format!("{{\"id\":{i},\"at\":{},", event.at_ms)), "{}", event.json);
                assert!(event.at_ms > last);
                last = event.at_ms;
                let json: Value = serde_json::from_str(&event.json).unwrap();
                let target = &json[scenario.target];
                assert_eq!(target.is_string(), scenario.task == Task::Classification);
                assert_eq!(target.is_number(), scenario.task == Task::Regression);
                assert!(scenario.nominal.iter().all(|name| json.get(name).is_some()));
                let key = scenario.entity.map_or("", |entity| json[entity].as_str().unwrap());
                assert_eq!(event.key, key);
                assert!(event.json.len() < 256, "{}", event.json);
            }
        }
    }

    #[test]
    fn drifts_lie_within_the_stream() {
        for scenario in Scenario::ENTRIES {
            for total in [0, 1, 2, 5, 100, 60_000, 100_000] {
                let drifts = scenario.drifts(total);
                assert!(drifts.windows(2).all(|pair| pair[0].at_event < pair[1].at_event));
                assert!(drifts.iter().all(|d| d.at_event < total));
                assert!(total < 100 || !drifts.is_empty());
                assert_eq!(scenario.events(1, total).count() as u64, total);
            }
        }
        let sensors = Scenario::by_name("sensors").unwrap().drifts(30_000);
        assert_eq!(sensors.iter().map(|d| d.at_event).collect::<Vec<_>>(), [10_000, 20_000]);
    }
}
