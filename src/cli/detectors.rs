//! `perennial detectors`: the catalog of drift detectors.

use std::process::ExitCode;

use ::learners::detectors::catalog::DETECTORS;
use clap::Args;

use super::CliError;
use super::catalog::{Budget, Param, Shown, print};

/// Lists the drift detectors, or tells all about one: parameters, ranges, defaults, cost, paper.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial detectors
  perennial detectors adwin --json")]
pub struct DetectorsArgs {
    /// A detector.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Prints the catalog.
///
/// # Errors
/// There is no such detector.
pub fn run(args: &DetectorsArgs) -> Result<ExitCode, CliError> {
    let entries: Vec<_> = DETECTORS
        .iter()
        .map(|entry| Shown {
            name: entry.name,
            tasks: Vec::new(),
            idea: entry.idea,
            cost: entry.cost,
            paper: entry.paper,
            rule: None,
            budget: Some(Budget { keeps_budget: entry.keeps_budget, budget: entry.budget }),
            params: entry.params.iter().map(Param::from).collect(),
        })
        .collect();
    print("detector", &entries, args.name.as_deref(), args.json)
}
