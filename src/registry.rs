//! The models of this process by name. Requests read it; the pipelines put a model in, again when it is started anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::control::Control;
use crate::live::LiveModel;
use crate::status::ModelStatus;

/// One model as the endpoints reach it.
#[derive(Debug)]
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
pub type Models = BTreeMap<String, Arc<ModelHandle>>;

/// The models, for everybody who holds a clone of this. Nobody waits for anybody.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<ArcSwap<Models>>);

impl Registry {
    /// Puts a model in, in place of one of the same name. Requests under way keep what they have got.
    pub fn insert(&self, name: &str, live: LiveModel, status: Arc<ModelStatus>, control: Control) {
        let handle = Arc::new(ModelHandle { live, status, control });
        self.0.rcu(|models| {
            let mut models = Models::clone(models);
            models.insert(name.to_owned(), Arc::clone(&handle));
            models
        });
    }

    /// The model of this name.
    pub fn get(&self, name: &str) -> Option<Arc<ModelHandle>> {
        self.0.load().get(name).cloned()
    }

    /// Every model as they are now.
    pub fn all(&self) -> Arc<Models> {
        self.0.load_full()
    }

    /// The name nearest to a misspelt one, if one is near.
    pub fn nearest(&self, name: &str) -> Option<String> {
        self.all()
            .keys()
            .map(|known| (strsim::damerau_levenshtein(name, known), known))
            .filter(|(distance, known)| *distance <= known.len() / 3 + 1)
            .min()
            .map(|(_, known)| known.clone())
    }
}
