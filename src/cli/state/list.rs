//! `state list`: which versions of which models are kept.

use std::process::ExitCode;

use checkpoints::Look;
use clap::Args;

use super::shown::Shown;
use super::{CliError, Which, now_ms, unavailable};

/// Arguments of `state list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// Prints JSON on standard output, one object a line.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &ListArgs) -> Result<ExitCode, CliError> {
    let place = args.which.place()?;
    for model in Look::models(&place.dir).map_err(unavailable)? {
        if args.which.model.as_ref().is_some_and(|only| *only != model) {
            continue;
        }
        let look = Look::at(&place.dir, &model).map_err(unavailable)?;
        for listed in look.list().map_err(unavailable)? {
            let shown = Shown::of(&listed);
            println!("{}", if args.json { shown.json() } else { shown.line(now_ms()) });
        }
        if !args.json {
            println!("{model:<20} journal {:>12} bytes", look.journal_bytes().map_err(unavailable)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}
