//! The list of concepts: what can be in a world, and which parameters a scenario may set or let drift.

mod agrawal;
mod electricity;
mod friedman;
mod hyperplane;
mod led;
mod market;
mod rbf;
mod sea;
mod sensors;
mod stagger;

use features::Task;

use crate::event::{Event, Line};

/// A world that makes one event after the other.
pub(crate) trait Concept: Send {
    /// The event that `line` begins, under the parameters `p`, in the order of the list.
    fn event(&mut self, p: &[f64], line: Line) -> Event;
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any number of its range; may move.
    Real,
    /// A whole number; may jump.
    Whole,
    /// A whole number that stays what it is.
    Fixed,
}

/// A parameter of a concept; its range includes both ends.
#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

const fn real(name: &'static str, default: f64, low: f64, high: f64) -> Param {
    Param { name, kind: Kind::Real, default, low, high }
}

const fn whole(name: &'static str, default: f64, low: f64, high: f64) -> Param {
    Param { name, kind: Kind::Whole, default, low, high }
}

const fn fixed(name: &'static str, default: f64, low: f64, high: f64) -> Param {
    Param { name, kind: Kind::Fixed, default, low, high }
}

/// A concept, with what its events look like.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) task: Task,
    pub(crate) target: &'static str,
    pub(crate) entity: Option<&'static str>,
    pub(crate) nominal: &'static [&'static str],
    pub(crate) params: &'static [Param],
    pub(crate) start: fn(p: &[f64], seed: u64) -> Box<dyn Concept>,
}

const fn classes(name: &'static str, params: &'static [Param], start: fn(&[f64], u64) -> Box<dyn Concept>) -> Entry {
    Entry { name, task: Task::Classification, target: "target", entity: None, nominal: &[], params, start }
}

/// Every concept.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry { nominal: &["car", "zipcode"], ..classes("agrawal", agrawal::PARAMS, agrawal::start) },
    Entry { nominal: &["day"], ..classes("electricity", electricity::PARAMS, electricity::start) },
    Entry { task: Task::Regression, ..classes("friedman", friedman::PARAMS, friedman::start) },
    classes("hyperplane", hyperplane::PARAMS, hyperplane::start),
    Entry { target: "digit", ..classes("led", led::PARAMS, led::start) },
    Entry { target: "next", entity: Some("ticker"), ..classes("market", market::PARAMS, market::start) },
    classes("rbf", rbf::PARAMS, rbf::start),
    classes("sea", sea::PARAMS, sea::start),
    Entry {
        task: Task::Regression,
        target: "power",
        entity: Some("station"),
        ..classes("sensors", sensors::PARAMS, sensors::start)
    },
    classes("stagger", stagger::PARAMS, stagger::start),
];

/// The concept called `name`.
pub(crate) fn by_name(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;

    /// A concept by its name with its defaults but for some parameters, and the parameters.
    pub(crate) fn world(name: &str, set: &[(&str, f64)], seed: u64) -> (Box<dyn Concept>, Vec<f64>) {
        let entry = by_name(name).unwrap();
        let value = |param: &Param| set.iter().find(|(name, _)| *name == param.name).map_or(param.default, |(_, x)| *x);
        let values: Vec<f64> = entry.params.iter().map(value).collect();
        ((entry.start)(&values, seed), values)
    }

    /// The first `n` events of such a world, a minute apart.
    pub(crate) fn events(name: &str, set: &[(&str, f64)], seed: u64, n: u64) -> Vec<Value> {
        let (mut world, values) = world(name, set, seed);
        let at = |id: u64| crate::timeline::START_MS + id as i64 * 60_000;
        (0..n).map(|id| serde_json::from_str(&world.event(&values, Line::new(id, at(id))).json).unwrap()).collect()
    }

    /// The number in a field of an event.
    pub(crate) fn number(event: &Value, name: &str) -> f64 {
        event[name].as_f64().unwrap_or_else(|| panic!("{name} in {event}"))
    }

    /// The share of events for which `holds`.
    pub(crate) fn share(events: &[Value], holds: impl Fn(&Value) -> bool) -> f64 {
        events.iter().filter(|event| holds(event)).count() as f64 / events.len() as f64
    }

    #[test]
    fn defaults_lie_within_their_ranges() {
        for entry in ENTRIES {
            for p in entry.params {
                assert!((p.low..=p.high).contains(&p.default), "{}.{}", entry.name, p.name);
                assert!(p.kind == Kind::Real || (p.low.fract(), p.default.fract()) == (0.0, 0.0), "{}", p.name);
            }
        }
    }

    #[test]
    fn the_page_names_every_concept_and_parameter() {
        let page = include_str!("../../../docs/simulations.md");
        for entry in ENTRIES {
            let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", entry.name)));
            let row = row.unwrap_or_else(|| panic!("{} is not on the page", entry.name));
            for p in entry.params {
                assert!(row.contains(&format!("`{}`", p.name)), "{}.{} is not on the page", entry.name, p.name);
            }
        }
    }
}
