//! `state reset`: a model begins anew.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Args;

use super::{CliError, Which, change};
use crate::state_change::{NewState, StateChange};

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
    let to = NewState::Nothing;
    println!("{}", change(&place.dir, place.config.as_ref(), &StateChange { model, to })?);
    Ok(ExitCode::SUCCESS)
}
