//! A scenario: which concept, under which parameters, when they change, and what goes wrong on the way. Those that come
//! with the library are the files of `simulations/scenarios/`.

use std::sync::LazyLock;

use features::Task;

use crate::concepts::{Concept, Entry};
use crate::drift::Drift;
use crate::event::{Event, Line};
use crate::faults::Delivery;
use crate::faults::disorder::{Delays, Disorder};
use crate::faults::labels::Labels;
use crate::faults::poison::{Poison, PoisonShare};
use crate::random::Random;
use crate::read::{self, ScenarioError};
use crate::schedule::Schedule;
use crate::timeline::Timeline;

/// A world that yields events.
#[derive(Clone)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What happens in it, in a sentence.
    pub description: String,
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
    pub(crate) concept: &'static Entry,
    pub(crate) schedule: Schedule,
    /// A stream shorter than this has its schedule shrunk to its length.
    pub(crate) shrink: Option<u64>,
    pub(crate) timeline: Timeline,
    pub(crate) faults: Faults,
}

/// What goes wrong between the world and its topic.
#[derive(Clone)]
pub(crate) struct Faults {
    pub(crate) late: Option<Delays>,
    pub(crate) duplicates: Option<Delays>,
    pub(crate) poison: Option<PoisonShare>,
    pub(crate) label_delay_ms: i64,
}

macro_rules! files {
    ($($name:ident)*) => {
        [$((stringify!($name), include_str!(concat!("../scenarios/", stringify!($name), ".toml")))),*]
    };
}

static ENTRIES: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let files = files! {
        sensors demo seasons rough market electricity sea stagger rbf hyperplane led agrawal friedman
    };
    let read = |(name, text)| read::scenario(name, text).expect("the scenarios of the library are tested");
    files.into_iter().map(read).collect()
});

impl Scenario {
    /// Every scenario that comes with the library.
    pub fn all() -> &'static [Self] {
        &ENTRIES
    }

    /// The scenario called `name`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|scenario| scenario.name == name)
    }

    /// The scenario that a TOML text describes.
    ///
    /// # Errors
    /// A key is unknown or missing, or a value cannot be; the error names the key.
    pub fn read(name: &str, text: &str) -> Result<Self, ScenarioError> {
        read::scenario(name, text)
    }

    /// The schedule of a stream of `total` events.
    fn schedule(&self, total: u64) -> Schedule {
        self.shrink.map_or_else(|| self.schedule.clone(), |events| self.schedule.shrunk(events, total))
    }

    /// The scenario's `total` events in the order in which they happen, whole, each with its target. `total` may also
    /// decide where drifts stand: see [`Scenario::drifts`].
    pub fn events(&self, seed: u64, total: u64) -> Events {
        Events {
            world: (self.concept.start)(&self.schedule.start, seed),
            schedule: self.schedule(total),
            values: Vec::new(),
            random: Random::new(seed ^ 0x2545_f491_4f6c_dd1d),
            timeline: self.timeline.clone(),
            next: 0,
            total,
        }
    }

    /// Where the world changes within `total` events, in order. A scenario that says so has all its changes in a
    /// stream too short for them, nearer together.
    pub fn drifts(&self, total: u64) -> Vec<Drift> {
        self.schedule(total).drifts(total)
    }

    /// The scenario's events as they arrive: late ones behind others, duplicates again, broken ones broken. With
    /// `labels_apart` no event has a target: its label follows it after the scenario's delay, as a record of its own.
    pub fn deliveries(&self, seed: u64, total: u64, labels_apart: bool) -> Box<dyn Iterator<Item = Delivery>> {
        let faults = &self.faults;
        let events = Disorder::new(self.events(seed, total), faults.late.clone(), faults.duplicates.clone(), seed);
        let target = (!labels_apart).then_some(self.target);
        let records: Box<dyn Iterator<Item = Delivery>> = if labels_apart {
            Box::new(Labels::new(events, self.target, faults.label_delay_ms))
        } else {
            Box::new(events)
        };
        match &faults.poison {
            Some(poison) => Box::new(Poison::new(records, target, poison.clone(), seed)),
            None => records,
        }
    }

    /// How long after its event a label comes, in milliseconds of event time.
    pub fn label_delay_ms(&self) -> i64 {
        self.faults.label_delay_ms
    }

    /// The time between two events that is usual, in milliseconds.
    pub fn spacing_ms(&self) -> u32 {
        self.timeline.spacing_ms
    }
}

/// The events of a scenario, in order.
pub struct Events {
    world: Box<dyn Concept>,
    schedule: Schedule,
    values: Vec<f64>,
    /// For the schedule alone: a world's own randomness does not depend on how it drifts.
    random: Random,
    timeline: Timeline,
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
        self.schedule.values(id, &mut self.random, &mut self.values);
        Some(self.world.event(&self.values, Line::new(id, self.timeline.at_ms(id))))
    }
}

#[cfg(test)]
mod tests;
