//! `state show`: a model as it was.

use std::process::ExitCode;

use checkpoints::Listed;
use clap::Args;

use super::shown::Shown;
use super::{CliError, Log, Which, bar, now_ms, refold_failed, unavailable};
use crate::pipeline::travel;

/// Arguments of `state show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// The model at this version, folded again from the nearest older checkpoint if none of it is kept; the newest
    /// checkpoint otherwise.
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub version: Option<u64>,
    /// The newest checkpoint taken at or before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// The log.
    #[command(flatten)]
    pub log: Log,
    /// Prints one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &ShowArgs) -> Result<ExitCode, CliError> {
    let place = args.which.place()?;
    let mut look = args.which.look(&place)?;
    let model = look.model().to_owned();
    let at = match &args.at {
        None => i64::MAX,
        Some(text) => text
            .parse::<jiff::Timestamp>()
            .map_err(|e| {
                CliError::Usage(format!("--at: expected a time like 2026-01-31T00:00:00Z, got {text:?}: {e}"))
            })?
            .as_millisecond(),
    };
    let listed = look.list().map_err(unavailable)?;
    let versions: Vec<_> = listed.iter().map(|l| l.manifest.version.to_string()).collect();
    let wanted = |l: &&Listed| {
        args.version.is_none_or(|version| l.manifest.version == version) && l.manifest.created_at_ms <= at
    };
    let shown = match (listed.iter().rev().find(wanted), args.version) {
        (Some(found), _) => Shown::of(found),
        (None, Some(version)) => {
            let mut source = args.log.source(&place, &model);
            let bar = bar(Some(version), "versions");
            let past = travel(&mut look, version, &mut source, now_ms(), &|reached| bar.set_position(reached));
            bar.finish_and_clear();
            let past = past.map_err(|e| {
                let CliError::Unavailable(why) = refold_failed(&model, &e) else { return refold_failed(&model, &e) };
                CliError::Unavailable(format!("{why}; kept are: {}", versions.join(", ")))
            })?;
            Shown::folded(&past.checkpoint)
        }
        (None, None) => {
            let what = format!("model {model}: no such checkpoint; kept are: {}", versions.join(", "));
            return Err(CliError::Unavailable(what));
        }
    };
    println!("{}", if args.json { shown.json() } else { shown.pretty() });
    Ok(ExitCode::SUCCESS)
}
