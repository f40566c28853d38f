//! `state reset`: a model begins anew.

use std::io::IsTerminal;
use std::process::ExitCode;

use checkpoints::{CheckpointStore, FileStore, StateDir};
use clap::Args;

use super::{CliError, Which, unavailable};

/// Arguments of `state reset`.
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// Does not ask.
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: &ResetArgs) -> Result<ExitCode, CliError> {
    let place = args.which.place()?;
    let model = args.which.model(&place)?;
    if !args.yes {
        if !std::io::stdin().is_terminal() {
            return Err(CliError::Usage(format!("this deletes all state of {model}; add --yes")));
        }
        eprint!("Delete all state of {model}: checkpoints, pins and journal? Type its name: ");
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed).map_err(anyhow::Error::from)?;
        if typed.trim() != model {
            return Err(CliError::Usage("nothing was deleted".into()));
        }
    }
    let state = StateDir::open_existing(&place.dir).map_err(unavailable)?;
    let store = FileStore::open(&state).map_err(unavailable)?;
    store.remove(&model).map_err(unavailable)?;
    println!("{model}: begins anew when it runs next");
    Ok(ExitCode::SUCCESS)
}
