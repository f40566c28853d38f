//! Changes of kept state that a person asks for: a model begins anew, or goes on from a file. Carried out by the command
//! itself, or by the process that owns the state ([`crate::admin_socket`]).

use std::path::PathBuf;

use anyhow::{Context, ensure};
use checkpoints::{CheckpointStore, Exported, StateDir};
use fold::{Fold, FoldConfig};
use serde::{Deserialize, Serialize};

use crate::history;
use crate::pipeline::{Meta, check_carried, from_store, genesis_of, hex};

/// A change of a model's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// Whose state.
    pub model: String,
    /// What is to become of it.
    pub to: NewState,
}

/// What is to become of a model's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewState {
    /// None: it begins anew.
    Nothing,
    /// What `state export` wrote.
    Exported {
        /// The file, by its whole path.
        file: PathBuf,
        /// In place of state that the model has.
        replace: bool,
    },
}

/// A change that can be carried out.
pub struct Checked<'a> {
    change: &'a StateChange,
    exported: Option<Exported>,
}

impl StateChange {
    /// Whether it can be carried out on `state`, by a model that will run under `config`. Nothing is changed yet.
    ///
    /// # Errors
    /// There is no such state, the model has state that is not to be replaced, the file is damaged, or the model could not go
    /// on from it.
    pub fn check(&self, state: &StateDir, config: Option<&FoldConfig>) -> anyhow::Result<Checked<'_>> {
        let Self { model, to } = self;
        let models = state.models()?;
        let exported = match to {
            NewState::Nothing => {
                ensure!(models.contains(model), "there is no state of model {model}");
                None
            }
            NewState::Exported { file, replace } => {
                let exported = Exported::open(file)?;
                ensure!(
                    *replace || !models.contains(model),
                    "the state folder has a model {model} already: --replace puts this one in its place"
                );
                // It is refused now, not when the model is to run.
                let genesis = genesis_of(model, &exported.genesis)?;
                check_carried(model, Meta::decode(&exported.checkpoint.meta).made_by(genesis.fold_version))?;
                let fold = Fold::restore(genesis.config, &from_store(exported.checkpoint.sections.clone()))
                    .with_context(|| file.display().to_string())?;
                if let Some(Err(refused)) = config.map(|config| fold.config().check_change(config)) {
                    let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
                    anyhow::bail!("its configuration cannot go on from this state: {}", refused.join(". "));
                }
                Some(exported)
            }
        };
        Ok(Checked { change: self, exported })
    }
}

impl Checked<'_> {
    /// Carries it out; the model does not run. What charts have shown of it goes too. Returns what came of it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn carry_out(&self, state: &StateDir, store: &dyn CheckpointStore) -> anyhow::Result<String> {
        let StateChange { model, to } = self.change;
        if !matches!(to, NewState::Exported { replace: false, .. }) {
            store.remove(model)?;
        }
        history::remove(state.path(), model)?;
        let Some(exported) = &self.exported else { return Ok(format!("{model}: begins anew")) };
        exported.import(state, store, model)?;
        let (version, hash) = (exported.checkpoint.version, hex(&exported.checkpoint.state_hash));
        Ok(format!("{model}: goes on from version {version}\nstate {hash}"))
    }
}
