//! The configuration: one TOML file, overridden by the environment. One file a section.
//!
//! Text → [`tree`] (values that know their place; `${…}` filled in) → [`env`] (overrides) → sections, each read by the
//! table of its keys ([`walk`]). Nothing stops at the first error.

mod alerts;
mod dead_letters;
mod decay;
mod env;
mod error;
mod http;
mod interpolate;
mod kafka;
mod keep;
mod labels;
mod learner;
mod limits;
mod log;
mod model;
mod read;
mod sinks;
mod suggest;
mod tree;
mod units;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walk::{Key, key, later, required, set, walk};

pub use alerts::AlertsConfig;
pub use dead_letters::{DeadLetters, StopAt};
pub use env::environment;
pub use error::{ConfigError, ConfigErrors, Place};
pub use http::HttpConfig;
pub use kafka::KafkaConfig;
pub use labels::horizon_of;
pub use log::{LogConfig, LogFormat, filter};
pub use model::{ModelConfig, ModelRuntime};
pub use sinks::Scores;
pub use suggest::did_you_mean;
pub use units::Every;

/// A whole configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// How the process runs.
    pub runtime: RuntimeConfig,
    /// What it learns, in the order of the file; at least one.
    pub models: Vec<ModelConfig>,
}

/// How the process runs; nothing here changes what is learned.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimeConfig {
    /// Where state is kept, from the folder the program is started in.
    pub state_dir: PathBuf,
    /// Where the log is.
    pub kafka: KafkaConfig,
    /// Where predictions are served.
    pub http: HttpConfig,
    /// What is told on standard error.
    pub log: LogConfig,
    /// Who is told of drifts.
    pub alerts: AlertsConfig,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            state_dir: PathBuf::from("state"),
            kafka: KafkaConfig::default(),
            http: HttpConfig::default(),
            log: LogConfig::default(),
            alerts: AlertsConfig::default(),
        }
    }
}

const KEYS: &[Key<Config>] = &[
    required("version", "write version = 1", |_, n| n.whole(1..=1).map(|_| ()).map_err(Vec::from)),
    key("state_dir", |c, n| set(&mut c.runtime.state_dir, n.name().map(PathBuf::from))),
    key("kafka", |c, n| walk(kafka::KEYS, &mut c.runtime.kafka, n)),
    key("http", |c, n| walk(http::KEYS, &mut c.runtime.http, n)),
    later("grpc"),
    key("log", |c, n| walk(log::KEYS, &mut c.runtime.log, n)),
    key("models", |c, n| {
        c.models = model::models(n)?;
        model::check_topics(&c.models, n)?;
        // Only now: a requests topic may be no topic of events.
        for model in &mut c.models {
            if let Some(topic) = &model.runtime.requests {
                model.fold.score_served(topic);
            }
        }
        Ok(())
    }),
    key("alerts", |c, n| walk(alerts::KEYS, &mut c.runtime.alerts, n)),
];

impl Config {
    /// Loads a file, with `env` filled in and laid over it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn load(path: &Path, env: &BTreeMap<String, String>) -> Result<Self, ConfigErrors> {
        let failed = |errors| ConfigErrors { path: path.to_owned(), errors };
        let text = std::fs::read_to_string(path)
            .map_err(|error| failed(vec![ConfigError::new(&Place::Whole, "", format!("cannot be read: {error}"))]))?;
        Self::parse(&text, env).map_err(failed)
    }

    /// As [`Config::load`], from text.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, env: &BTreeMap<String, String>) -> Result<Self, Vec<ConfigError>> {
        let (mut root, mut errors) = tree::parse(text, &|name| env.get(name).cloned())?;
        let top: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        errors.extend(env::apply(&mut root, env, &top).err().unwrap_or_default());
        let mut config = Self::default();
        // A text whose variable is missing is wrong once, whatever the option makes of it.
        let found = walk(KEYS, &mut config, &root).err().unwrap_or_default();
        let unfilled: Vec<_> = errors.iter().map(|error| error.at.clone()).collect();
        errors.extend(found.into_iter().filter(|error| !unfilled.contains(&error.at)));
        if errors.is_empty() && config.models.is_empty() {
            errors.push(ConfigError::new(&Place::Whole, "models", "missing; add one like [models.air]"));
        }
        if errors.is_empty() {
            return Ok(config);
        }
        errors.sort();
        errors.dedup();
        Err(errors)
    }
}
