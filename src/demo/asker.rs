//! A client of the demo: asks for predictions of events a moment before they pass, under their ids, so that what is served
//! can be scored.

use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use simulations::Scenario;

use super::{MODEL, RATE, SEED};
use crate::cli::CliError;
use crate::pipeline::Shutdown;

/// One event in so many is asked about, this many events before it passes (0.1 s).
const ONE_IN: usize = 50;
const AHEAD: u64 = RATE / 10;
const WITHIN: Duration = Duration::from_secs(2);

pub(super) fn start(
    scenario: &'static Scenario,
    total: u64,
    address: SocketAddr,
    stop: Shutdown,
) -> Result<JoinHandle<()>, CliError> {
    let work = move || {
        let began = Instant::now();
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(WITHIN)).build();
        let agent = ureq::Agent::from(config);
        let url = format!("http://{address}/api/models/{MODEL}/predict");
        let not_features = [Some(scenario.target), Some(scenario.id), Some(scenario.time), scenario.entity];
        for event in scenario.events(SEED, total).skip(AHEAD as usize).step_by(ONE_IN) {
            let due = Duration::from_secs_f64((event.id - AHEAD) as f64 / RATE as f64);
            while !stop.requested() && began.elapsed() < due {
                thread::sleep(Duration::from_millis(1));
            }
            if stop.requested() {
                return;
            }
            let mut features: Map<String, Value> = serde_json::from_str(&event.json).unwrap_or_default();
            features.retain(|name, _| !not_features.contains(&Some(name.as_str())));
            // Before the first label there is no answer; nothing hangs on a single one.
            let _ = agent.post(&url).send_json(json!({ "id": event.id.to_string(), "features": features }));
        }
    };
    thread::Builder::new().name("demo asker".into()).spawn(work).map_err(|e| CliError::Other(e.into()))
}
