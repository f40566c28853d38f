//! Reads a scenario from TOML, strictly: a key that is not known is an error that names it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;
use thiserror::Error;

use crate::concepts::{self, Entry, Kind, Param};
use crate::drift::DriftKind;
use crate::faults::disorder::Delays;
use crate::faults::poison::PoisonShare;
use crate::scenario::{Faults, Scenario};
use crate::schedule::{Change, Schedule};
use crate::timeline::{Bursts, Gaps, Timeline};

/// What is wrong with a scenario.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// It is no TOML, a key is unknown or missing, or a value is of the wrong kind.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A name that is none of those there are.
    #[error("{key}: there is no {got:?} (there is: {among})")]
    Unknown {
        /// Where it stands.
        key: String,
        /// The name.
        got: String,
        /// What there is.
        among: String,
    },
    /// A value that cannot be.
    #[error("{key}: expected {expected}, got {got}")]
    Value {
        /// Where it stands.
        key: String,
        /// What would do.
        expected: String,
        /// What stands there.
        got: String,
    },
}

fn wrong<T>(key: impl Into<String>, expected: impl Into<String>, got: impl ToString) -> Result<T, ScenarioError> {
    Err(ScenarioError::Value { key: key.into(), expected: expected.into(), got: got.to_string() })
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    concept: String,
    spacing_ms: u32,
    #[serde(default)]
    parameters: BTreeMap<String, f64>,
    #[serde(default)]
    schedule: ScheduleTable,
    #[serde(default)]
    drifts: Vec<DriftTable>,
    #[serde(default)]
    faults: FaultsTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleTable {
    events: Option<u64>,
    #[serde(default)]
    repeat: bool,
    #[serde(default)]
    shrink: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DriftTable {
    at: u64,
    kind: DriftKind,
    width: Option<u64>,
    set: BTreeMap<String, f64>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsTable {
    late: Option<Delays>,
    duplicates: Option<Delays>,
    poison: Option<PoisonShare>,
    bursts: Option<Bursts>,
    gaps: Option<Gaps>,
    #[serde(default)]
    label_delay_ms: u32,
}

/// The scenario that `text` describes.
pub(crate) fn scenario(name: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let file: File = toml::from_str(text)?;
    let concept = concepts::by_name(&file.concept).ok_or_else(|| ScenarioError::Unknown {
        key: "concept".into(),
        got: file.concept.clone(),
        among: list(concepts::ENTRIES.iter().map(|entry| entry.name)),
    })?;
    within("spacing_ms", f64::from(file.spacing_ms), 1.0..=86_400_000.0)?;
    let mut values: Vec<f64> = concept.params.iter().map(|param| param.default).collect();
    set(concept, "parameters", &file.parameters, &mut values)?;
    let schedule = schedule(concept, &file, values)?;
    let timeline = timeline(&file)?;
    Ok(Scenario {
        name: name.to_owned(),
        description: file.about,
        task: concept.task,
        target: concept.target,
        id: "id",
        time: "at",
        entity: concept.entity,
        nominal: concept.nominal,
        concept,
        schedule,
        shrink: file.schedule.events.filter(|_| file.schedule.shrink),
        timeline,
        faults: faults(file.faults, file.spacing_ms)?,
    })
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn within(key: &str, got: f64, range: RangeInclusive<f64>) -> Result<(), ScenarioError> {
    if range.contains(&got) { Ok(()) } else { wrong(key, format!("{} to {}", range.start(), range.end()), got) }
}

/// Puts the values of a table in their places.
fn set(concept: &Entry, table: &str, from: &BTreeMap<String, f64>, into: &mut [f64]) -> Result<(), ScenarioError> {
    for (name, &value) in from {
        let key = format!("{table}.{name}");
        let (place, param) = param(concept, table, name)?;
        within(&key, value, param.low..=param.high)?;
        if param.kind != Kind::Real && value.fract() != 0.0 {
            return wrong(key, "a whole number", value);
        }
        into[place] = value;
    }
    Ok(())
}

fn param(concept: &Entry, table: &str, name: &str) -> Result<(usize, &'static Param), ScenarioError> {
    let found = concept.params.iter().enumerate().find(|(_, param)| param.name == name);
    found.ok_or_else(|| ScenarioError::Unknown {
        key: format!("{table}.{name}"),
        got: name.to_owned(),
        among: list(concept.params.iter().map(|param| param.name)),
    })
}

fn schedule(concept: &Entry, file: &File, start: Vec<f64>) -> Result<Schedule, ScenarioError> {
    let ScheduleTable { events, repeat, shrink } = file.schedule;
    match events {
        None if repeat || shrink => {
            return wrong("schedule.events", "how many events to repeat or to shrink", "nothing");
        }
        Some(events) => within("schedule.events", events as f64, 1.0..=1e12)?,
        None => {}
    }
    let mut changes: Vec<Change> = Vec::new();
    for (i, drift) in file.drifts.iter().enumerate() {
        let key = |name: &str| format!("drifts[{i}].{name}");
        let takes_time = matches!(drift.kind, DriftKind::Gradual | DriftKind::Incremental);
        let width = match (takes_time, drift.width) {
            (true, Some(width)) => {
                within(&key("width"), width as f64, 1.0..=1e12)?;
                width
            }
            (true, None) => return wrong(key("width"), "how many events it takes", "nothing"),
            (false, Some(width)) => return wrong(key("width"), "nothing, for it takes no time", width),
            (false, None) => 0,
        };
        let first = changes.last().map_or(1, |last| last.until.max(last.at + 1));
        let end = events.unwrap_or(1_000_000_000_000);
        within(&key("at"), drift.at as f64, first as f64..=end.saturating_sub(width.max(1)) as f64)?;

        let before = changes.last().map_or(&start, |last| &last.values);
        let mut values = before.clone();
        set(concept, &key("set"), &drift.set, &mut values)?;
        for name in drift.set.keys() {
            let kind = param(concept, "", name)?.1.kind;
            if kind == Kind::Fixed || kind == Kind::Whole && drift.kind == DriftKind::Incremental {
                let can = list(concept.params.iter().filter(|p| p.kind == Kind::Real).map(|p| p.name));
                return wrong(key(&format!("set.{name}")), format!("a parameter that can move ({can})"), name);
            }
        }
        if values == *before {
            return wrong(key("set"), "a change", "what held before");
        }
        let known = values == start || changes.iter().any(|earlier| earlier.values == values);
        if drift.kind == DriftKind::Recurring && !known {
            return wrong(key("kind"), "parameters that held before", "new ones, which recur to nothing");
        }
        let name = drift.name.clone().unwrap_or_else(|| named(concept, &values, &drift.set));
        changes.push(Change { at: drift.at, until: drift.at + width, kind: drift.kind, values, name });
    }
    // At first holds what any of the drifts will change.
    let all = file.drifts.iter().flat_map(|drift| drift.set.clone()).collect();
    Ok(Schedule { name: named(concept, &start, &all), start, changes, round: events.filter(|_| repeat) })
}

/// `threshold = 9, noise = 0.1`
fn named(concept: &Entry, values: &[f64], which: &BTreeMap<String, f64>) -> String {
    let params = concept.params.iter().zip(values).filter(|(param, _)| which.contains_key(param.name));
    params.map(|(param, value)| format!("{} = {value}", param.name)).collect::<Vec<_>>().join(", ")
}

fn timeline(file: &File) -> Result<Timeline, ScenarioError> {
    let FaultsTable { bursts, gaps, .. } = &file.faults;
    if let Some(b) = bursts {
        within("faults.bursts.every", f64::from(b.every), 1.0..=1e9)?;
        within("faults.bursts.events", f64::from(b.events), 1.0..=f64::from(b.every))?;
        within("faults.bursts.spacing_ms", f64::from(b.spacing_ms), 1.0..=f64::from(file.spacing_ms))?;
    }
    if let Some(g) = gaps {
        within("faults.gaps.every", f64::from(g.every), 1.0..=1e9)?;
    }
    Ok(Timeline { spacing_ms: file.spacing_ms, bursts: bursts.clone(), gaps: gaps.clone() })
}

fn faults(table: FaultsTable, spacing_ms: u32) -> Result<Faults, ScenarioError> {
    for (name, delays) in [("late", &table.late), ("duplicates", &table.duplicates)] {
        let Some(delays) = delays else { continue };
        within(&format!("faults.{name}.share"), delays.share, 0.0..=1.0)?;
        within(&format!("faults.{name}.by"), f64::from(delays.by), 1.0..=100_000.0)?;
    }
    if let Some(poison) = &table.poison {
        within("faults.poison.share", poison.share, 0.0..=1.0)?;
        let bytes = poison.too_large_bytes.unwrap_or(1_000);
        within("faults.poison.too_large_bytes", f64::from(bytes), 1_000.0..=16_777_216.0)?;
    }
    // So many labels wait at once.
    let longest = 1_000_000.0 * f64::from(spacing_ms);
    within("faults.label_delay_ms", f64::from(table.label_delay_ms), 0.0..=longest)?;
    Ok(Faults {
        late: table.late,
        duplicates: table.duplicates,
        poison: table.poison,
        label_delay_ms: table.label_delay_ms.into(),
    })
}

#[cfg(test)]
mod tests;
