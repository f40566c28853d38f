//! What a checkpoint says about itself to people, and which release made it: kept beside its sections, never read back into
//! the fold.

use std::collections::BTreeMap;

use fold::Fold;
use serde::{Deserialize, Serialize};

/// A checkpoint's description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Events learned from.
    pub events: u64,
    /// The serving learner.
    pub learner: String,
    /// The behaviour of the fold that made it.
    pub fold_version: u32,
    /// Topic → partition → the first offset not folded.
    pub position: BTreeMap<String, BTreeMap<i32, i64>>,
}

impl Meta {
    /// Describes a state.
    pub fn of(fold: &Fold) -> Self {
        let mut position: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
        for (from, next) in fold.position() {
            let topic = fold.config().topics.get(from.topic.0 as usize).cloned().unwrap_or_default();
            position.entry(topic).or_default().insert(from.partition, next.0);
        }
        Self {
            events: fold.counts().events,
            learner: fold.learners().swap_remove(0),
            fold_version: fold::FOLD_VERSION,
            position,
        }
    }

    /// The fold version that made it; that of genesis if it does not say.
    pub fn made_by(&self, genesis: u32) -> u32 {
        if self.fold_version == 0 { genesis } else { self.fold_version }
    }

    /// The saved form.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data has a JSON form")
    }

    /// Reads what [`Meta::encode`] wrote; what cannot be read is left empty.
    pub fn decode(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }
}
