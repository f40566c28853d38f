//! How the catalogs of learners and detectors are shown.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use ::learners::catalog::ParamInfo;
use serde::Serialize;

use super::CliError;
use crate::config::did_you_mean;

/// An entry of either catalog.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub name: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<&'static str>,
    pub idea: &'static str,
    pub cost: &'static str,
    pub paper: &'static str,
    /// Of a learner.
    #[serde(flatten)]
    pub rule: Option<Rule>,
    /// Of a detector.
    #[serde(flatten)]
    pub budget: Option<Budget>,
    pub params: Vec<Param>,
}

/// How a learner computes.
#[derive(Debug, Serialize)]
pub(super) struct Rule {
    pub formula: &'static str,
    pub missing: &'static str,
    pub measured: &'static str,
}

/// Whether and how a detector keeps a budget of false alarms.
#[derive(Debug, Serialize)]
pub(super) struct Budget {
    pub keeps_budget: bool,
    pub budget: &'static str,
}

/// A parameter of an entry.
#[derive(Debug, Serialize)]
pub(super) struct Param {
    name: &'static str,
    range: &'static str,
    default: &'static str,
    help: &'static str,
}

impl Param {
    pub const fn new(name: &'static str, range: &'static str, default: &'static str, help: &'static str) -> Self {
        Self { name, range, default, help }
    }
}

impl From<&ParamInfo> for Param {
    fn from(info: &ParamInfo) -> Self {
        Self::new(info.name, info.range, info.default, info.help)
    }
}

/// Prints one entry, or all of them.
pub(super) fn print(kind: &str, entries: &[Shown], name: Option<&str>, json: bool) -> Result<ExitCode, CliError> {
    let text = match name {
        None if json => to_json(&entries),
        None => list(entries),
        Some(name) => {
            let entry = entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
                let suggestion = did_you_mean(name, entries.iter().map(|entry| entry.name));
                CliError::Usage(format!("there is no {kind} {name:?}{suggestion}"))
            })?;
            if json { to_json(entry) } else { details(entry) }
        }
    };
    // A reader that has seen enough (`| head`) is no failure.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain data has a JSON form") + "\n"
}

fn list(entries: &[Shown]) -> String {
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for entry in entries {
        let tasks = if entry.tasks.is_empty() { String::new() } else { format!(" ({})", entry.tasks.join(", ")) };
        let missed = entry.budget.as_ref().is_some_and(|b| !b.keeps_budget);
        let remark = if missed { " (keeps no budget of false alarms)" } else { "" };
        writeln!(out, "{:width$}  {}{tasks}{remark}", entry.name, entry.idea).expect("a String grows");
    }
    out
}

fn details(entry: &Shown) -> String {
    let mut out = format!("{}: {}\n", entry.name, entry.idea);
    if !entry.tasks.is_empty() {
        writeln!(out, "tasks:  {}", entry.tasks.join(", ")).expect("a String grows");
    }
    if let Some(Rule { formula, missing, .. }) = &entry.rule {
        writeln!(out, "rule:   {formula}\nmissing values: {missing}").expect("a String grows");
    }
    writeln!(out, "cost:   {}\nsource: {}", entry.cost, entry.paper).expect("a String grows");
    if let Some(Rule { measured, .. }) = &entry.rule {
        writeln!(out, "measured: {measured}").expect("a String grows");
    }
    if let Some(Budget { budget, .. }) = &entry.budget {
        writeln!(out, "budget: {budget}").expect("a String grows");
    }
    let wide = |text: fn(&Param) -> &str| entry.params.iter().map(|p| text(p).chars().count()).max().unwrap_or(0);
    let (name, range, default) = (wide(|p| p.name), wide(|p| p.range), wide(|p| p.default));
    for p in &entry.params {
        writeln!(out, "  {:name$}  {:range$}  default {:default$}  {}", p.name, p.range, p.default, p.help)
            .expect("a String grows");
    }
    out
}
