//! `perennial learners`: the catalog of learners.

use std::process::ExitCode;

use ::learners::catalog::ENTRIES;
use clap::Args;
use features::Task;

use super::CliError;
use super::catalog::{Param, Rule, Shown, print};

/// Lists the learners, or tells all about one: parameters, ranges, defaults, cost, paper.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial learners
  perennial learners linear
  perennial learners --json")]
pub struct LearnersArgs {
    /// A learner.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Prints the catalog.
///
/// # Errors
/// There is no such learner.
pub fn run(args: &LearnersArgs) -> Result<ExitCode, CliError> {
    let entries: Vec<_> = ENTRIES
        .iter()
        .map(|entry| {
            let mut params: Vec<_> = entry.params.iter().map(Param::from).collect();
            params.push(Param::new("seed", "0..=2^64-1", "the model's", "seed of whatever is random"));
            params.push(Param::new("max_bytes", "64KiB or more", "the model's", "memory it may hold"));
            Shown {
                name: entry.name,
                tasks: entry.tasks.iter().map(|task| name_of(*task)).collect(),
                idea: entry.idea,
                cost: entry.cost,
                paper: entry.paper,
                rule: Some(Rule { formula: entry.formula, missing: entry.missing, measured: entry.measured }),
                budget: None,
                params,
            }
        })
        .collect();
    print("learner", &entries, args.name.as_deref(), args.json)
}

fn name_of(task: Task) -> &'static str {
    match task {
        Task::Classification => "classification",
        Task::Regression => "regression",
    }
}
