//! The models of this process by name. Filled before serving begins, only read after.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::control::Control;
use crate::live::LiveModel;
use crate::status::ModelStatus;

/// One model as the endpoints reach it.
#[derive(Clone, Debug)]
pub struct ModelHandle {
    /// What is served.
    pub live: LiveModel,
    /// How its pipeline is doing.
    pub status: Arc<ModelStatus>,
    /// What its trainer can be asked through.
    pub control: Control,
}

impl ModelHandle {
    /// Why it is not ready; empty = it is.
    pub fn reasons(&self) -> Vec<String> {
        let status = self.status.get();
        let mut reasons: Vec<String> = status.phase.reason().into_iter().collect();
        reasons.extend(status.stopped_partitions);
        if self.live.load().is_none_or(|served| !served.has_learned()) {
            reasons.push("no event has been learned from yet".into());
        }
        reasons
    }
}

/// Models by name.
#[derive(Clone, Debug, Default)]
pub struct Registry(BTreeMap<String, ModelHandle>);

impl Registry {
    /// Adds a model.
    pub fn insert(&mut self, name: &str, live: LiveModel, status: Arc<ModelStatus>, control: Control) {
        self.0.insert(name.to_owned(), ModelHandle { live, status, control });
    }

    /// The model of this name.
    pub fn get(&self, name: &str) -> Option<&ModelHandle> {
        self.0.get(name)
    }

    /// Every model in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ModelHandle)> {
        self.0.iter().map(|(name, handle)| (name.as_str(), handle))
    }

    /// The name nearest to a misspelt one, if one is near.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        self.0
            .keys()
            .map(|known| (strsim::damerau_levenshtein(name, known), known.as_str()))
            .filter(|(distance, known)| *distance <= known.len() / 3 + 1)
            .min()
            .map(|(_, known)| known)
    }
}
