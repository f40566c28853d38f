//! `state import`: an exported model goes on here.

use std::path::PathBuf;
use std::process::ExitCode;

use checkpoints::Exported;
use clap::Args;

use super::{CliError, change, load_config, unavailable};
use crate::state_change::{NewState, StateChange};

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
    /// In place of the state that the model has here.
    #[arg(long)]
    pub replace: bool,
}

pub(super) fn run(args: &ImportArgs) -> Result<ExitCode, CliError> {
    let model = match &args.model {
        Some(model) => model.clone(),
        None => Exported::open(&args.file).map_err(unavailable)?.model,
    };
    let file = std::path::absolute(&args.file).map_err(anyhow::Error::from)?;
    let config = args.config.as_deref().map(load_config).transpose()?;
    let dir = match (&args.state, &config) {
        (Some(dir), _) => dir,
        (None, Some(config)) => &config.runtime.state_dir,
        (None, None) => return Err(CliError::Usage("--state or --config is needed".into())),
    };
    let to = NewState::Exported { file, replace: args.replace };
    println!("{}", change(dir, config.as_ref(), &StateChange { model, to })?);
    Ok(ExitCode::SUCCESS)
}
