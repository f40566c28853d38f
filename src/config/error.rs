//! Where something in a configuration is, and what is wrong with it.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where a setting was made. In the order in which errors are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file; both count from 1, columns in characters.
    File {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// In an environment variable.
    Env(String),
    /// The file as a whole.
    Whole,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    /// Where.
    pub at: Place,
    /// The option, with dots; empty for the file as a whole.
    pub key: String,
    /// What was expected, what came, and what may have been meant.
    pub message: String,
}

/// Everything that is wrong with a configuration, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct ConfigErrors {
    /// The file.
    pub path: PathBuf,
    /// At least one.
    pub errors: Vec<ConfigError>,
}

impl ConfigError {
    pub(super) fn new(at: &Place, key: &str, message: impl Into<String>) -> Self {
        Self { at: at.clone(), key: key.to_owned(), message: message.into() }
    }
}

/// So that a parser of one value can be used with `?` where several errors may be found.
impl From<ConfigError> for Vec<ConfigError> {
    fn from(error: ConfigError) -> Self {
        vec![error]
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let plural = if self.errors.len() == 1 { "" } else { "s" };
        write!(f, "{} error{plural} in the configuration", self.errors.len())?;
        for ConfigError { at, key, message } in &self.errors {
            match at {
                Place::File { line, column } => write!(f, "\n{path}:{line}:{column}: ")?,
                Place::Env(name) => write!(f, "\nenvironment variable {name}: ")?,
                Place::Whole => write!(f, "\n{path}: ")?,
            }
            if !key.is_empty() {
                write!(f, "{key}: ")?;
            }
            f.write_str(message)?;
        }
        Ok(())
    }
}
