//! Sends the world to the embedded broker, at the rate of the demo, and tells when it changes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use simulations::{Drift, Scenario};
use streams::{Outgoing, Producer};

use super::{RATE, SEED, TOPIC};
use crate::cli::CliError;
use crate::live::LiveModel;
use crate::pipeline::Shutdown;

/// The embedded broker forgets the oldest records beyond 5 MiB a partition: so many bytes may be unread.
const UNREAD: u64 = 1 << 20;

/// A change of the world, and when its first event was sent.
pub(super) struct Sent {
    pub(super) drift: Drift,
    pub(super) at: jiff::Timestamp,
}

pub(super) fn start(
    scenario: &'static Scenario,
    total: u64,
    brokers: &str,
    live: LiveModel,
    stop: Shutdown,
    tell: Sender<Sent>,
) -> Result<JoinHandle<()>, CliError> {
    let producer = Producer::start(brokers, &Vec::new(), TOPIC).map_err(|e| CliError::Unavailable(e.to_string()))?;
    let mut drifts = scenario.drifts(total).into_iter().peekable();
    let work = move || {
        let began = Instant::now();
        let bytes = AtomicU64::new(0);
        for event in scenario.events(SEED, total) {
            let due = Duration::from_secs_f64(event.id as f64 / RATE as f64);
            let unread = |sent: u64| {
                let folded = live.load().map_or(0, |served| served.newest.counts.events);
                sent.saturating_sub(folded) * (bytes.load(Ordering::Relaxed) / sent.max(1))
            };
            while !stop.requested() && (began.elapsed() < due || unread(event.id) > UNREAD) {
                thread::sleep(Duration::from_millis(1));
            }
            if stop.requested() {
                break;
            }
            if let Some(drift) = drifts.next_if(|drift| drift.at_event <= event.id) {
                // Nobody listens any more when the demo ends.
                let _ = tell.send(Sent { drift, at: jiff::Timestamp::now() });
            }
            bytes.fetch_add(event.json.len() as u64, Ordering::Relaxed);
            let key = (!event.key.is_empty()).then(|| event.key.into_bytes());
            let outgoing = Outgoing { key, payload: Some(event.json.into_bytes()), ..Outgoing::default() };
            if let Err(e) = producer.send(&outgoing, Duration::from_secs(10)) {
                tracing::error!("the demo's producer stops: {e}");
                return;
            }
        }
        if let Err(e) = producer.flush(Duration::from_secs(10)) {
            tracing::warn!("the demo's producer: {e}");
        }
    };
    thread::Builder::new().name("demo producer".into()).spawn(work).map_err(|e| CliError::Other(e.into()))
}
