//! `state import`: an exported model goes on here.

use std::path::PathBuf;
use std::process::ExitCode;

use checkpoints::{CheckpointStore, Exported, FileStore, StateDir};
use clap::Args;
use fold::Fold;

use super::{CliError, load_config, unavailable};
use crate::pipeline::{Meta, check_carried, from_store, genesis_of, hex};

/// Arguments of `state import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What `state export` wrote.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The state folder, made if it is not there; the configuration's, if only that is given.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub state: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The name it gets here; its own otherwise.
    #[arg(long, value_name = "M")]
    pub model: Option<String>,
}

pub(super) fn run(args: &ImportArgs) -> Result<ExitCode, CliError> {
    let exported = Exported::open(&args.file).map_err(unavailable)?;
    let model = args.model.as_ref().unwrap_or(&exported.model);
    // It is refused now, not when the model is to run.
    let genesis = genesis_of(model, &exported.genesis).map_err(|e| CliError::Unavailable(e.to_string()))?;
    check_carried(model, Meta::decode(&exported.checkpoint.meta).made_by(genesis.fold_version))
        .map_err(|e| CliError::Unavailable(e.to_string()))?;
    Fold::restore(genesis.config, &from_store(exported.checkpoint.sections.clone()))
        .map_err(|e| CliError::Unavailable(format!("{}: {e}", args.file.display())))?;
    let config = args.config.as_deref().map(load_config).transpose()?;
    let dir = match (&args.state, &config) {
        (Some(dir), _) => dir,
        (None, Some(config)) => &config.runtime.state_dir,
        (None, None) => return Err(CliError::Usage("--state or --config is needed".into())),
    };
    let state = StateDir::open(dir).map_err(unavailable)?;
    let store = FileStore::open(&state).map_err(unavailable)?;
    let store: &dyn CheckpointStore = &store;
    exported.import(&state, store, model).map_err(unavailable)?;
    println!("{model}: goes on from version {} when it runs next", exported.checkpoint.version);
    println!("state {}", hex(&exported.checkpoint.state_hash));
    Ok(ExitCode::SUCCESS)
}
