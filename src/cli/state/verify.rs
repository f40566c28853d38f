//! `state verify`: proves kept versions by folding the log again.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{CliError, Log, Which, bar, refold_failed};
use crate::pipeline;

/// Arguments of `state verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Whose state.
    #[command(flatten)]
    pub which: Which,
    /// Proves the checkpoints kept up to this version; all of them otherwise.
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
    /// The log.
    #[command(flatten)]
    pub log: Log,
    /// Prints one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &VerifyArgs) -> Result<ExitCode, CliError> {
    let place = args.which.place()?;
    let mut look = args.which.look(&place)?;
    let model = look.model().to_owned();
    if args.log.input.is_empty() {
        match &place.config {
            None => {
                return Err(CliError::Usage("--config is needed: it says where the log is; or --input FILE…".into()));
            }
            Some(config) if config.models.iter().all(|known| known.name != model) => {
                return Err(CliError::Usage(format!("the configuration has no model {model}")));
            }
            Some(_) => {}
        }
    }
    let mut source = args.log.source(&place, &model);
    let bar = bar(None, "versions");
    let proved = pipeline::verify(&mut look, &mut source, args.version, &|version| bar.set_position(version));
    bar.finish_and_clear();
    let proof = proved.map_err(|e| refold_failed(&model, &e))?;
    let from = proof.from.map_or_else(|| json!("genesis"), |version| json!(version));
    if args.json {
        println!(
            "{}",
            json!({"model": model, "from": from, "versions": proof.versions, "state_hash": proof.state_hash})
        );
    } else {
        let trusted = match proof.from {
            None => "genesis; nothing is trusted but the log and the journal".to_owned(),
            Some(version) => {
                format!("version {version}, which is trusted: the log, or this release, does not reach back further")
            }
        };
        let versions: Vec<_> = proof.versions.iter().map(u64::to_string).collect();
        println!("{model}: proved {} from {trusted}", versions.join(", "));
        println!("state {}", proof.state_hash);
    }
    Ok(ExitCode::SUCCESS)
}
