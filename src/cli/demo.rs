//! `perennial demo`: the whole service on an embedded broker with a simulated stream.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use simulations::Scenario;

use super::CliError;
use super::simulate::scenario;
use crate::config::LogConfig;
use crate::demo::{Demo, MODEL, Summary, verdict};
use crate::telemetry;

/// How often the live model is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often the status is told where there is no terminal.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Shows the whole service at work: an embedded broker, a stream that drifts, learners, the server. Needs nothing else.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  perennial demo
  perennial demo --seconds 30 --json")]
pub struct DemoArgs {
    /// Ends by itself after this many seconds, with a summary.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: Option<u64>,
    /// The simulated stream; `perennial simulate --help` lists them.
    #[arg(long, value_name = "NAME", default_value = "sensors")]
    pub scenario: String,
    /// The address to serve on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8501")]
    pub http: SocketAddr,
    /// Prints the summary as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Runs the demo.
///
/// # Errors
/// The address is taken, or there is no such scenario.
pub fn run(args: &DemoArgs) -> Result<ExitCode, CliError> {
    let scenario = scenario(&args.scenario)?;
    telemetry::init(&LogConfig { level: "warn".into(), ..LogConfig::default() });
    let state = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let mut demo = Demo::start(scenario, args.http, state.path(), args.seconds)?;
    let url = format!("http://{}", demo.service.address);
    let row = example(scenario);
    eprintln!("perennial demo: {}", scenario.description);
    eprintln!("  {url}/api/models/{MODEL}   status (JSON)        {url}/metrics   metrics");
    eprintln!("  curl -s {url}/api/models/{MODEL}/predict -d '{{\"features\":{row}}}'");
    let signal = demo.service.signal();
    let until = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let line = ProgressBar::new_spinner();
    let mut told = (Instant::now(), 0, 0);
    while !signal.requested() && until.is_none_or(|until| Instant::now() < until) {
        std::thread::sleep(LOOK_EVERY);
        let Some(served) = demo.look() else { continue };
        let model = &served.model;
        for drift in demo.world_until(model.counts.events).skip(told.1) {
            let kind = format!("{:?}", drift.kind).to_lowercase();
            line.suspend(|| eprintln!("the world changes ({kind}) at event {}", drift.at_event));
            told.1 += 1;
        }
        let Some(champion) = model.standings.first() else { continue };
        if champion.drifts > told.2 {
            told.2 = champion.drifts;
            line.suspend(|| eprintln!("drift detected at about event {}", model.counts.events));
        }
        let losses: Vec<_> = model
            .standings
            .iter()
            .map(|s| format!("{} {:.3}", s.learner, s.report.rolling_loss.unwrap_or(f64::NAN)))
            .collect();
        let status = format!(
            "version {}  {} events  {}  rolling loss: {}",
            model.version,
            model.counts.events,
            verdict(champion.verdict),
            losses.join("  ")
        );
        line.set_message(status.clone());
        line.tick();
        if line.is_hidden() && told.0.elapsed() >= TELL_EVERY {
            told.0 = Instant::now();
            eprintln!("{status}");
        }
    }
    line.finish_and_clear();
    let summary = demo.finish()?;
    if args.json {
        println!("{}", serde_json::to_string(&summary).expect("plain data has a JSON form"));
    } else {
        print(&summary);
    }
    eprintln!("next, on your own Kafka: perennial run --config config/perennial.toml");
    Ok(ExitCode::SUCCESS)
}

fn print(summary: &Summary) {
    println!("{} events learned, the live model replaced {} times", summary.events, summary.swaps);
    for drift in &summary.drifts {
        let kind = format!("{:?}", drift.kind).to_lowercase();
        match drift.detected_at_event {
            Some(at) => println!("drift ({kind}) at event {}: detected at {at}", drift.at_event),
            None => println!("drift ({kind}) at event {}: not detected", drift.at_event),
        }
    }
    println!("{} false alarms", summary.false_alarms);
    if let (Some(before), Some(at), Some(after)) = (summary.loss.before, summary.loss.at, summary.loss.after) {
        println!(
            "rolling loss around the first abrupt drift: {before:.3} before, {at:.3} at its worst, {after:.3} after"
        );
    }
}

/// The first event of a scenario without what is not a feature, to try a prediction with.
fn example(scenario: &Scenario) -> String {
    let event = scenario.events(1, 1).next().map(|event| event.json).unwrap_or_default();
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&event).unwrap_or_default();
    let roles = [Some(scenario.target), Some(scenario.id), Some(scenario.time), scenario.entity];
    fields.retain(|name, _| !roles.contains(&Some(name.as_str())));
    serde_json::Value::Object(fields).to_string()
}
