//! What is shown of a model: the newest snapshot, or beside it the pinned version that answers.

use std::sync::Arc;

use checkpoints::{CheckpointError, CheckpointStore};
use fold::{Fold, FoldConfig, Live, ModelSnapshot, RestoreFoldError};
use thiserror::Error;
use tracing::error;

use super::convert::from_store;
use crate::live::Served;

/// Why a pinned version cannot be served.
#[derive(Debug, Error)]
enum Unavailable {
    #[error(transparent)]
    State(#[from] CheckpointError),
    #[error(transparent)]
    Restore(#[from] RestoreFoldError),
}

/// Makes of snapshots what is served.
pub struct Shown {
    name: String,
    /// That of genesis.
    config: FoldConfig,
    store: Arc<dyn CheckpointStore>,
    /// Until this version, what was decided before the restart holds.
    before: (u64, Live),
    /// The pinned version and since when it answers; `None` in place of the model: it cannot be read.
    pinned: Option<(u64, Option<Arc<ModelSnapshot>>, i64)>,
}

impl Shown {
    /// Nothing is loaded yet. While a state before version `until` is folded again, `live` is served, as it was then.
    pub fn new(name: &str, config: &FoldConfig, store: &Arc<dyn CheckpointStore>, (until, live): (u64, Live)) -> Self {
        let (name, config, store) = (name.to_owned(), config.clone(), Arc::clone(store));
        Self { name, config, store, before: (until, live), pinned: None }
    }

    /// What is served from `now_ms` on. A pinned version that cannot be read is told once; the newest model answers then.
    pub fn of(&mut self, mut newest: ModelSnapshot, now_ms: i64) -> Served {
        if newest.version < self.before.0 {
            newest.live = self.before.1;
        }
        let newest = Arc::new(newest);
        let mut served =
            Served { name: self.name.clone(), model: Arc::clone(&newest), newest, published_at_ms: now_ms };
        let Live::Pinned(version) = served.newest.live else {
            self.pinned = None;
            return served;
        };
        if self.pinned.as_ref().is_none_or(|(loaded, ..)| *loaded != version) {
            let model = self.load(version).map(Arc::new);
            if let Err(e) = &model {
                error!(model = self.name, version, "the pinned version cannot be served, the newest model is: {e}");
            }
            self.pinned = Some((version, model.ok(), now_ms));
        }
        if let Some((_, Some(model), since)) = &self.pinned {
            (served.model, served.published_at_ms) = (Arc::clone(model), *since);
        }
        served
    }

    fn load(&self, version: u64) -> Result<ModelSnapshot, Unavailable> {
        let checkpoint = self.store.at(&self.name, version)?;
        Ok(Fold::restore(self.config.clone(), &from_store(checkpoint.sections))?.snapshot())
    }
}
