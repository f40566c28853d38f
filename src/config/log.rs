//! `[log]`: what is told on standard error, and how.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use super::suggest::did_you_mean;
use super::walk::{Key, key, set};

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A level, or directives of tracing like `info,perennial::pipeline=debug`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// What a level lets through. Values in directives are plain texts: an expression may take minutes to be compiled.
///
/// # Errors
/// It is no list of directives.
pub fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().with_regex(false).parse(level)
}

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

pub(super) const KEYS: &[Key<LogConfig>] = &[
    key("level", |c, n| {
        c.level = n.name()?;
        // Tracing takes any bare word for the name of a module: here it is a misspelt level.
        let word = !c.level.contains(['=', ',']);
        let known = LEVELS.iter().any(|level| c.level.eq_ignore_ascii_case(level));
        if (word && !known) || filter(&c.level).is_err() {
            let suggestion = did_you_mean(&c.level, LEVELS.iter().copied());
            let levels = LEVELS.join(", ");
            return Err(n
                .error(format!(
                    "expected {levels}, or directives like \"info,perennial=debug\", got {}{suggestion}",
                    n.shown()
                ))
                .into());
        }
        Ok(())
    }),
    key("format", |c, n| set(&mut c.format, n.one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)]))),
];
