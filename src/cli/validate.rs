//! `perennial validate`: syntax → meaning → surroundings.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use streams::{Admin, SinkError};

use super::{CliError, load_config};
use crate::config::{Config, ConfigError, ConfigErrors, Place};
use crate::{serve, telemetry};

/// Checks a configuration file: its syntax, its meaning, and whether Kafka is there with the topics it names.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial validate --config perennial.toml
  perennial validate --config perennial.toml --offline")]
pub struct ValidateArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Does not ask Kafka.
    #[arg(long)]
    pub offline: bool,
}

/// Validates the file.
///
/// # Errors
/// Everything that is wrong with it (78); or Kafka is not there (69).
pub fn run(args: &ValidateArgs) -> Result<ExitCode, CliError> {
    let config = load_config(&args.config)?;
    telemetry::init(&config.runtime.log);
    let http = &config.runtime.http;
    let token = http.token().map_err(|error| CliError::Unavailable(format!("http.token_file: {error}")))?;
    if let Err(message) = serve::listen_allowed(http.listen, token.as_deref(), false) {
        eprintln!("warning: {message}");
    }
    if !args.offline {
        let kafka = &config.runtime.kafka;
        let admin = Admin::start(&kafka.brokers, &kafka.options).map_err(|error| ConfigErrors {
            path: args.config.clone(),
            errors: vec![ConfigError { at: Place::Whole, key: "kafka.options".to_owned(), message: error.to_string() }],
        })?;
        let missing = missing_topics(&admin, &config)
            .map_err(|error| CliError::Unavailable(format!("{error} (brokers: {})", kafka.brokers)))?;
        for topic in missing {
            eprintln!("warning: topic {topic:?} does not exist yet: `run` waits for it");
        }
    }
    let models: Vec<_> = config.models.iter().map(|model| model.name.as_str()).collect();
    println!("{}: ok (models: {})", args.config.display(), models.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// Topics to learn from that Kafka does not have.
fn missing_topics<'a>(admin: &Admin, config: &'a Config) -> Result<BTreeSet<&'a str>, SinkError> {
    let mut topics: BTreeSet<_> =
        config.models.iter().flat_map(|model| &model.fold.topics).map(String::as_str).collect();
    for topic in topics.clone() {
        if admin.topic_exists(topic)? {
            topics.remove(topic);
        }
    }
    Ok(topics)
}
