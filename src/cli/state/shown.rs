//! A version of a model as `list` and `show` print it.

use std::collections::BTreeMap;

use checkpoints::{Checkpoint, Listed};
use serde::Serialize;

use crate::pipeline::{Meta, hex};

/// A version.
#[derive(Serialize)]
pub(super) struct Shown {
    model: String,
    version: u64,
    events: u64,
    state_hash: String,
    model_hash: String,
    position: BTreeMap<String, BTreeMap<i32, i64>>,
    created_at: String,
    #[serde(skip)]
    created_at_ms: i64,
    bytes: u64,
    learner: String,
    fold_version: u32,
    pinned: bool,
    /// Whether a checkpoint of it is kept; it was folded again otherwise.
    kept: bool,
}

impl Shown {
    pub(super) fn of(listed: &Listed) -> Self {
        let Listed { manifest, is_pinned } = listed;
        let meta = Meta::decode(&manifest.meta);
        Self {
            model: manifest.model.clone(),
            version: manifest.version,
            events: meta.events,
            state_hash: hex(&manifest.state_hash),
            model_hash: hex(&manifest.model_hash),
            position: meta.position,
            created_at: time(manifest.created_at_ms),
            created_at_ms: manifest.created_at_ms,
            bytes: manifest.bytes(),
            learner: meta.learner,
            fold_version: meta.fold_version,
            pinned: *is_pinned,
            kept: true,
        }
    }

    /// One that was folded again.
    pub(super) fn folded(checkpoint: &Checkpoint) -> Self {
        let meta = Meta::decode(&checkpoint.meta);
        Self {
            model: checkpoint.model.clone(),
            version: checkpoint.version,
            events: meta.events,
            state_hash: hex(&checkpoint.state_hash),
            model_hash: hex(&checkpoint.model_hash),
            position: meta.position,
            created_at: time(checkpoint.created_at_ms),
            created_at_ms: checkpoint.created_at_ms,
            bytes: checkpoint.sections.iter().map(|section| section.bytes.len() as u64).sum(),
            learner: meta.learner,
            fold_version: meta.fold_version,
            pinned: false,
            kept: false,
        }
    }

    /// One JSON object on one line.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("plain data has a JSON form")
    }

    /// Several lines of JSON.
    pub(super) fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form")
    }

    /// One line for people.
    pub(super) fn line(&self, now_ms: i64) -> String {
        let positions: Vec<String> = self
            .position
            .iter()
            .flat_map(|(topic, partitions)| partitions.iter().map(move |(n, next)| format!("{topic}/{n}:{next}")))
            .collect();
        format!(
            "{:<20} version {:>12}  {:>12} events  {:>11} bytes  {:>10} old  {}  {}{}",
            self.model,
            self.version,
            self.events,
            self.bytes,
            age(now_ms - self.created_at_ms),
            &self.state_hash[..16],
            positions.join(" "),
            if self.pinned { "  pinned" } else { "" }
        )
    }
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// A duration in its largest two units.
fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} m {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_told_in_two_units() {
        let told = [-5, 59_999, 61_000, 7_384_000, 200_000_000].map(age);
        assert_eq!(told, ["0 s", "59 s", "1 m 1 s", "2 h 3 m", "2 d 7 h"]);
    }
}
