//! `name:key=value,…`: which learner, with which parameters. A value may hold commas between parentheses.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A learner's name and the parameters that are not left at their defaults.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LearnerSpec {
    /// A name of the catalog.
    pub name: String,
    /// Parameters as they were written.
    pub params: BTreeMap<String, String>,
}

/// What is wrong with a specification.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// No such learner.
    #[error("unknown learner {name:?}{}", suggest(.suggestion))]
    UnknownLearner {
        /// What was written.
        name: String,
        /// The nearest name.
        suggestion: Option<&'static str>,
    },
    /// No such detector.
    #[error("unknown detector {name:?}; there are: {known}")]
    UnknownDetector {
        /// What was written.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The learner cannot do the task.
    #[error("{name} does not do {task}; these do: {others}")]
    WrongTask {
        /// The learner.
        name: String,
        /// The task asked for.
        task: &'static str,
        /// Learners that do it.
        others: String,
    },
    /// No such parameter.
    #[error("{learner} has no parameter {name:?}; it has: {known}")]
    UnknownParam {
        /// The learner.
        learner: String,
        /// What was written.
        name: String,
        /// The parameters it has.
        known: String,
    },
    /// A value out of range or of another kind.
    #[error("{learner}: {name} must be {expected}, got {got:?}")]
    BadParam {
        /// The learner.
        learner: String,
        /// The parameter.
        name: String,
        /// What would be right.
        expected: String,
        /// What was written.
        got: String,
    },
    /// Not of the form `name:key=value,…`.
    #[error("expected name:key=value,…, got {0:?}")]
    Syntax(String),
}

fn suggest(suggestion: &Option<&'static str>) -> String {
    suggestion.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

impl FromStr for LearnerSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let syntax = || SpecError::Syntax(text.to_owned());
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut params = BTreeMap::new();
        for pair in split(rest, ',').ok_or_else(syntax)?.into_iter().filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(syntax)?;
            if params.insert(key.trim().to_owned(), value.trim().to_owned()).is_some() {
                return Err(syntax());
            }
        }
        if name.is_empty() {
            return Err(syntax());
        }
        Ok(Self { name: name.trim().to_owned(), params })
    }
}

/// What stands between separators outside of parentheses; `None` if these do not match.
pub(crate) fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut from, mut depth) = (vec![], 0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if c == separator && depth == 0 => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    (depth == 0).then_some(parts)
}

impl TryFrom<String> for LearnerSpec {
    type Error = SpecError;
    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

impl fmt::Display for LearnerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (i, (key, value)) in self.params.iter().enumerate() {
            write!(f, "{}{key}={value}", if i == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

impl From<LearnerSpec> for String {
    fn from(spec: LearnerSpec) -> Self {
        spec.to_string()
    }
}

/// Reads parameters with their ranges while a learner is built.
#[derive(Debug)]
pub struct Params<'a> {
    spec: &'a LearnerSpec,
    /// The seed, unless the parameter `seed` says another.
    pub default_seed: u64,
    /// The byte budget, unless the parameter `max_bytes` says another.
    pub default_max_bytes: usize,
}

impl<'a> Params<'a> {
    pub(crate) fn new(spec: &'a LearnerSpec, default_seed: u64, default_max_bytes: usize) -> Self {
        Self { spec, default_seed, default_max_bytes }
    }

    pub(crate) fn bad(&self, name: &str, expected: String, got: &str) -> SpecError {
        SpecError::BadParam { learner: self.spec.name.clone(), name: name.to_owned(), expected, got: got.to_owned() }
    }

    /// A number within `low..=high`.
    ///
    /// # Errors
    /// What was written is no number or out of range.
    pub fn number(&self, name: &str, default: f64, low: f64, high: f64) -> Result<f64, SpecError> {
        let Some(text) = self.spec.params.get(name) else { return Ok(default) };
        match text.parse::<f64>() {
            Ok(x) if (low..=high).contains(&x) => Ok(x),
            _ => Err(self.bad(name, format!("a number from {low} to {high}"), text)),
        }
    }

    /// A whole number within `low..=high`.
    ///
    /// # Errors
    /// What was written is no whole number or out of range.
    pub fn whole(&self, name: &str, default: u64, low: u64, high: u64) -> Result<u64, SpecError> {
        let Some(text) = self.spec.params.get(name) else { return Ok(default) };
        match text.replace('_', "").parse::<u64>() {
            Ok(x) if (low..=high).contains(&x) => Ok(x),
            _ => Err(self.bad(name, format!("a whole number from {low} to {high}"), text)),
        }
    }

    /// A text as it was written.
    pub fn text(&self, name: &str, default: &'a str) -> &'a str {
        self.spec.params.get(name).map_or(default, String::as_str)
    }

    /// One of a few words; the first is the default. Returns its place.
    ///
    /// # Errors
    /// What was written is none of them.
    pub fn choice(&self, name: &str, words: &[&str]) -> Result<usize, SpecError> {
        let Some(text) = self.spec.params.get(name) else { return Ok(0) };
        words
            .iter()
            .position(|word| word == text)
            .ok_or_else(|| self.bad(name, format!("one of {}", words.join(", ")), text))
    }

    /// `seed`.
    ///
    /// # Errors
    /// As [`Params::whole`].
    pub fn seed(&self) -> Result<u64, SpecError> {
        self.whole("seed", self.default_seed, 0, u64::MAX)
    }

    /// `max_bytes`: `65536`, `64KiB`, `64MiB`, `1GiB`.
    ///
    /// # Errors
    /// What was written is no such size, or less than 64 KiB.
    pub fn max_bytes(&self) -> Result<usize, SpecError> {
        let Some(text) = self.spec.params.get("max_bytes") else { return Ok(self.default_max_bytes) };
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
        let bytes = units.iter().find_map(|(unit, shift)| {
            text.strip_suffix(unit)?.replace('_', "").trim().parse::<usize>().ok()?.checked_mul(1 << shift)
        });
        match bytes {
            Some(bytes) if bytes >= 64 << 10 => Ok(bytes),
            _ => Err(self.bad("max_bytes", "a size of at least 64KiB, like 64MiB".into(), text)),
        }
    }
}
