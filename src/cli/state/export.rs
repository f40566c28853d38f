//! `state export`: a model in one file.

use std::path::PathBuf;
use std::process::ExitCode;

use checkpoints::export;
use clap::Args;
use serde_json::json;

use super::{CliError, Log, Which, bar, now_ms, refold_failed, unavailable};
use crate::pipeline::{Past, hex, travel};

/// Arguments of `state export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// The model at this version, folded again from the nearest older checkpoint if none of it is kept; the newest
    /// checkpoint otherwise.
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
    /// The log.
    #[command(flatten)]
    pub log: Log,
    /// The file to write.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// Prints one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &ExportArgs) -> Result<ExitCode, CliError> {
    let place = args.which.place()?;
    let mut look = args.which.look(&place)?;
    let model = look.model().to_owned();
    let newest = look.list().map_err(unavailable)?.last().map(|listed| listed.manifest.version);
    let Some(version) = args.version.or(newest) else {
        return Err(CliError::Unavailable(format!("model {model}: nothing is kept yet")));
    };
    let mut source = args.log.source(&place, &model);
    let bar = bar(Some(version), "versions");
    let past = travel(&mut look, version, &mut source, now_ms(), &|reached| bar.set_position(reached));
    bar.finish_and_clear();
    let Past { checkpoint, last, from } = past.map_err(|e| refold_failed(&model, &e))?;
    let whole = last.as_ref().map_or(version, |part| part.from);
    let first = look.first().map_err(unavailable)?;
    let entries = look.entries(0).map_err(unavailable)?;
    let whole_ones = entries.take_while(|entry| entry.as_ref().map_or(true, |entry| entry.to <= whole));
    let entries = first.into_iter().map(Ok).chain(whole_ones).chain(last.map(Ok));
    export(&args.out, entries, &checkpoint).map_err(unavailable)?;
    let (file, state_hash) = (args.out.display().to_string(), hex(&checkpoint.state_hash));
    let model_hash = hex(&checkpoint.model_hash);
    if args.json {
        println!(
            "{}",
            json!({"model": model, "version": version, "folded_from": from, "file": file, "state_hash": state_hash,
                "model_hash": model_hash})
        );
    } else {
        println!("{model}: version {version} is in {file}\nstate {state_hash}");
    }
    Ok(ExitCode::SUCCESS)
}
