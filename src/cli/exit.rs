//! Why a command failed, and the exit code that says so to scripts.

use std::process::ExitCode;

use thiserror::Error;

use crate::config::ConfigErrors;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// The command line asks for something that cannot be (exit 64).
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong (exit 78).
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// Something needed is not there: a broker, a file, an address (exit 69).
    #[error("{0}")]
    Unavailable(String),
    /// A gate or a proof failed (exit 3).
    #[error("{0}")]
    Failed(String),
    /// A command this release does not have (exit 69).
    #[error("`perennial {0}` is not available in this release")]
    NotBuilt(&'static str),
    /// Anything else (exit 70).
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl CliError {
    /// The exit code, as in sysexits.h but for 3.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 3,
            Self::Usage(_) => 64,
            Self::Unavailable(_) | Self::NotBuilt(_) => 69,
            Self::Other(_) => 70,
            Self::Config(_) => 78,
        })
    }
}
