//! `perennial demo`: the whole service on an embedded broker with a simulated stream.

use std::io::{IsTerminal, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use simulations::Scenario;

use super::CliError;
use super::simulate::scenario;
use crate::config::{HttpConfig, LogConfig};
use crate::demo::{Demo, MODEL, RATE, Story, Summary, kind};
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
    #[arg(long, value_name = "NAME", default_value = "demo")]
    pub scenario: String,
    /// The address to serve on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8501")]
    pub http: SocketAddr,
    /// Promoting and rolling back need the token in this file.
    #[arg(long, value_name = "FILE", env = "PERENNIAL_HTTP__TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
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
    let http = HttpConfig { listen: args.http, token_file: args.token_file.clone(), ..HttpConfig::default() };
    let mut demo = Demo::start(scenario, &http, state.path(), args.seconds)?;
    let url = format!("http://{}", demo.service.address);
    let begun = Instant::now();
    greet(scenario, &url);
    if !args.json && stdout().is_terminal() {
        open_page(&url);
    }
    let signal = demo.service.signal();
    let until = args.seconds.map(|seconds| begun + Duration::from_secs(seconds));
    let mut story = Story::new(scenario.task, TimeZone::system());
    let line = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{msg}").expect("msg is known"));
    let mut told = Instant::now();
    while !signal.requested() && until.is_none_or(|until| Instant::now() < until) {
        std::thread::sleep(LOOK_EVERY);
        let Some(served) = demo.look() else { continue };
        let now = Timestamp::now();
        for news in demo.news(&served.newest) {
            if let Some(news) = story.line(&news, now) {
                line.suspend(|| eprintln!("{news}"));
            }
        }
        let status = story.status(&served.newest, now);
        if line.is_hidden() && told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            eprintln!("{status}");
        }
        line.set_message(status);
        line.tick();
    }
    line.finish_and_clear();
    let summary = demo.finish()?;
    if args.json {
        println!("{}", serde_json::to_string(&summary).expect("plain data has a JSON form"));
    } else {
        print(&summary, &story);
    }
    let program = std::env::args().next().unwrap_or_else(|| "perennial".into());
    eprintln!("next, with your own broker, topic and target in config/perennial.toml:");
    eprintln!("  {program} run --config config/perennial.toml");
    Ok(ExitCode::SUCCESS)
}

/// Says what is to be seen, and where.
fn greet(scenario: &Scenario, url: &str) {
    eprintln!("perennial demo: {}", scenario.description);
    eprintln!("  {} events a second go over an embedded broker into a model that learns from each", HumanCount(RATE));
    eprintln!("  the page:    {url}");
    eprintln!("  its status:  curl -s {url}/api/models/{MODEL}");
    eprintln!("  predict:     curl -s {url}/api/models/{MODEL}/predict -d '{{\"features\":{}}}'", example(scenario));
}

/// Shows the page in a browser, unless nobody sits there.
fn open_page(url: &str) {
    if ["NO_BROWSER", "CI"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return;
    }
    // Without a browser the address stands on the terminal.
    let _ = open::that_detached(url);
}

fn print(summary: &Summary, story: &Story) {
    println!("{} events learned, {} promotions", HumanCount(summary.events), summary.swaps);
    for drift in &summary.drifts {
        let (at, kind) = (HumanCount(drift.at_event), kind(drift.kind));
        match drift.detected_at_event {
            Some(seen) => {
                println!(
                    "the change ({kind}) at event {at}: detected {} events later",
                    HumanCount(seen - drift.at_event)
                );
            }
            None => println!("the change ({kind}) at event {at}: not detected"),
        }
    }
    println!("{} false alarms", summary.false_alarms);
    if let (Some(before), Some(at), Some(after)) = (summary.loss.before, summary.loss.at, summary.loss.after) {
        let [before, at, after] = [before, at, after].map(|loss| story.figure(loss));
        println!(
            "around the first change, over 1,000 events each: {} {before} before, {at} at its worst, {after} after",
            story.measure()
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
