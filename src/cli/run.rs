//! `perennial run`: learns from Kafka and serves, until told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use streams::KafkaConfig;

use super::{CliError, load_config};
use crate::config::ModelConfig;
use crate::serve::outlets::Outlets;
use crate::serve::{Token, listen_allowed};
use crate::service::{Reach, Service, plan};
use crate::telemetry;

/// Learns from Kafka and serves predictions, until SIGTERM or Ctrl-C.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial run --config perennial.toml
  PERENNIAL_KAFKA__BROKERS=broker:9092 perennial run --config perennial.toml --state /var/lib/perennial")]
pub struct RunArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where state is kept, instead of the file's `state_dir`.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Goes on without records of this model that its topics no longer hold; may be given several times. What is left out
    /// is recorded.
    #[arg(long, value_name = "MODEL")]
    pub accept_gap: Vec<String>,
    /// Listens on other addresses than loopback without a token.
    #[arg(long)]
    pub insecure: bool,
}

/// Runs the service.
///
/// # Errors
/// The configuration is wrong, or what the service needs is not there.
pub fn run(args: &RunArgs) -> Result<ExitCode, CliError> {
    let config = load_config(&args.config)?;
    telemetry::init(&config.runtime.log);
    let http = &config.runtime.http;
    let token = http.token().map_err(|e| CliError::Unavailable(format!("http.token_file: {e}")))?;
    listen_allowed(http.listen, token.as_deref(), args.insecure).map_err(CliError::Usage)?;
    if let Some(unknown) = args.accept_gap.iter().find(|name| config.models.iter().all(|m| m.name != **name)) {
        return Err(CliError::Usage(format!("--accept-gap: the configuration has no model {unknown}")));
    }
    let reach = Reach {
        listen: http.listen,
        max_body: http.max_body,
        token: token.as_deref().map(Token::new),
        outlets: Outlets::new(&config.models, &config.runtime.kafka),
        webhook: config.runtime.alerts.webhook.clone(),
        public_url: http.public_url.clone(),
    };
    let state = args.state.clone().unwrap_or_else(|| config.runtime.state_dir.clone());
    let (models, kafka, accept_gap) = (config.models, config.runtime.kafka, args.accept_gap.clone());
    let plan = move |model: &ModelConfig| {
        let mut plan = plan(model, &kafka, KafkaConfig::LOOK_EVERY);
        plan.pace.accept_gap = accept_gap.contains(&model.name);
        plan
    };
    let plans = move || models.iter().map(&plan).collect();
    let mut service = Service::start(plans, &state, reach)?;
    let signal = service.signal();
    while !signal.requested() {
        service.attend();
        std::thread::sleep(Duration::from_millis(50));
    }
    tracing::info!("finishing; a second signal quits at once");
    service.stop()?;
    Ok(ExitCode::SUCCESS)
}
