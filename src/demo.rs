//! The demo: the real service on an embedded broker, with a producer that sends a world whose drifts are known.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use learners::{LearnerSpec, Signal};
use serde::Serialize;
use simulations::{Drift, DriftKind, Scenario};
use streams::{MockBroker, Outgoing, Producer};

use crate::cli::CliError;
use crate::config::{KafkaConfig, ModelConfig};
use crate::live::{LiveModel, Served};
use crate::pipeline::Shutdown;
use crate::serve::outlets::Outlets;
use crate::service::{Reach, Service, plan};

/// The model's name.
pub const MODEL: &str = "demo";
const TOPIC: &str = "demo-events";
const PARTITIONS: i32 = 3;
const SEED: u64 = 1;
/// Events a second.
const RATE: u64 = 1_500;
/// The embedded broker forgets the oldest records beyond 5 MiB a partition: so many bytes may be unread.
const UNREAD: u64 = 1 << 20;
/// How far behind a drift its worst moment is looked for, in events.
const WORST_WITHIN: u64 = 3_000;

/// What came of the demo.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Events learned from.
    pub events: u64,
    /// The drifts of the world that were reached.
    pub drifts: Vec<Detection>,
    /// Drifts reported where there is none.
    pub false_alarms: u64,
    /// Times the live model was replaced.
    pub swaps: u64,
    /// Around the first abrupt drift: rolling accuracy, or for regression 1 - loss / loss of the last value again.
    pub accuracy: Around,
    /// Around the first abrupt drift: rolling share of errors, or mean absolute error.
    pub loss: Around,
    /// Where it was served.
    pub url: String,
}

/// A drift of the world, and when the serving learner's detector saw it.
#[derive(Clone, Debug, Serialize)]
pub struct Detection {
    /// The first event of the new world.
    pub at_event: u64,
    /// Events learned when a published model first said so.
    pub detected_at_event: Option<u64>,
    /// How the world changes.
    pub kind: DriftKind,
}

/// A figure before a drift, at its worst, and at the end of the new world.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Around {
    /// Right before.
    pub before: Option<f64>,
    /// At its worst.
    pub at: Option<f64>,
    /// At the end of the new world, or of the demo.
    pub after: Option<f64>,
}

/// What was seen of the live model at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    events: u64,
    loss: Option<f64>,
    accuracy: Option<f64>,
}

/// The running demo.
pub struct Demo {
    /// The service.
    pub service: Service,
    live: LiveModel,
    scenario: &'static Scenario,
    world: Vec<Drift>,
    producer: JoinHandle<()>,
    stop: Shutdown,
    samples: Vec<Sample>,
    alarms: Vec<u64>,
    // Dropped last: the broker outlives its clients.
    _broker: MockBroker,
}

impl Demo {
    /// Starts everything with fresh state in `state`, for so many seconds (`None` = until it is stopped).
    ///
    /// # Errors
    /// The address is taken or the embedded broker does not start.
    pub fn start(
        scenario: &'static Scenario,
        http: SocketAddr,
        state: &Path,
        seconds: Option<u64>,
    ) -> Result<Self, CliError> {
        let unavailable = |e: &dyn std::fmt::Display| CliError::Unavailable(e.to_string());
        let broker =
            MockBroker::start(&[(TOPIC, PARTITIONS), ("demo-dead-letters", 1)]).map_err(|e| unavailable(&e))?;
        let kafka = KafkaConfig { brokers: broker.bootstrap.clone(), ..KafkaConfig::default() };
        let plans = vec![plan(&model(scenario), &kafka, Duration::from_secs(60))];
        let service = Service::start(
            plans,
            state,
            Reach { listen: http, max_body: 16 << 20, token: None, outlets: Outlets::default(), webhook: None },
        )?;
        let live = service.registry.get(MODEL).expect("it was planned").live.clone();
        let total = seconds.map_or(1 << 30, |seconds| seconds * RATE);
        let stop = Shutdown::default();
        let producer = produce(scenario, total, &broker.bootstrap, live.clone(), stop.clone())?;
        let world = scenario.drifts(total);
        let (samples, alarms) = (Vec::new(), Vec::new());
        Ok(Self { service, live, scenario, world, producer, stop, samples, alarms, _broker: broker })
    }

    /// Looks at the live model; call it often.
    pub fn look(&mut self) -> Option<Arc<Served>> {
        let served = self.live.load().filter(|served| served.has_learned())?;
        let standing = served.newest.standings.first()?;
        let report = &standing.report;
        let accuracy = match self.scenario.task {
            features::Task::Classification => report.rolling_loss.map(|loss| 1.0 - loss),
            features::Task::Regression => report.rolling_loss.zip(report.baseline_loss).map(|(l, b)| 1.0 - l / b),
        };
        let events = served.newest.counts.events;
        if self.samples.last().is_none_or(|last| last.events < events) {
            self.samples.push(Sample { events, loss: report.rolling_loss, accuracy });
        }
        while (self.alarms.len() as u64) < standing.drifts {
            self.alarms.push(events);
        }
        Some(served)
    }

    /// The changes of the world up to an event.
    pub fn world_until(&self, events: u64) -> impl Iterator<Item = &Drift> {
        self.world.iter().take_while(move |drift| drift.at_event <= events)
    }

    /// Stops everything and tells what came of it.
    ///
    /// # Errors
    /// The endpoint had broken.
    pub fn finish(self) -> Result<Summary, CliError> {
        self.stop.request();
        let _ = self.producer.join();
        let url = format!("http://{}", self.service.address);
        let swaps = self.service.swaps(MODEL);
        self.service.stop()?;
        let last = self.live.load();
        let events = last.as_ref().map_or(0, |served| served.newest.counts.events);
        let reached: Vec<Drift> = self.world.iter().cloned().take_while(|drift| drift.at_event <= events).collect();
        let (drifts, false_alarms) = judge(&reached, &self.alarms);
        let abrupt = reached.iter().position(|drift| drift.kind == DriftKind::Abrupt);
        let end = abrupt.and_then(|i| reached.get(i + 1)).map_or(u64::MAX, |next| next.at_event);
        let around = |figure: fn(&Sample) -> Option<f64>, worse: fn(f64, f64) -> f64| match abrupt {
            Some(i) => around(&self.samples, reached[i].at_event, end, figure, worse),
            None => Around::default(),
        };
        Ok(Summary {
            events,
            drifts,
            false_alarms,
            swaps,
            accuracy: around(|sample| sample.accuracy, f64::min),
            loss: around(|sample| sample.loss, f64::max),
            url,
        })
    }
}

/// Two learners and the baseline on the scenario's task.
fn model(scenario: &Scenario) -> ModelConfig {
    let mut model = ModelConfig::new(MODEL, vec![TOPIC.into()], scenario.task, scenario.target);
    let spec = |name: &str| LearnerSpec { name: name.into(), params: Default::default() };
    let event = &mut model.fold.event;
    event.time = Some(scenario.time.into());
    event.entity = scenario.entity.map(Into::into);
    event.id = Some(scenario.id.into());
    event.nominal = scenario.nominal.iter().map(|&name| name.into()).collect();
    model.fold.learner = spec("linear");
    model.fold.challengers = vec![spec("hoeffding_tree"), spec("no_change")];
    model
}

fn produce(
    scenario: &'static Scenario,
    total: u64,
    brokers: &str,
    live: LiveModel,
    stop: Shutdown,
) -> Result<JoinHandle<()>, CliError> {
    let producer = Producer::start(brokers, &Vec::new(), TOPIC).map_err(|e| CliError::Unavailable(e.to_string()))?;
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

/// Each drift with its first alarm before the next drift; alarms before any, and second ones, are false.
fn judge(drifts: &[Drift], alarms: &[u64]) -> (Vec<Detection>, u64) {
    let mut found: Vec<Detection> = drifts
        .iter()
        .map(|drift| Detection { at_event: drift.at_event, detected_at_event: None, kind: drift.kind })
        .collect();
    let mut false_alarms = 0;
    for &alarm in alarms {
        match found.iter_mut().rev().find(|drift| drift.at_event <= alarm) {
            Some(drift) if drift.detected_at_event.is_none() => drift.detected_at_event = Some(alarm),
            _ => false_alarms += 1,
        }
    }
    (found, false_alarms)
}

fn around(
    samples: &[Sample],
    drift: u64,
    end: u64,
    figure: fn(&Sample) -> Option<f64>,
    worse: fn(f64, f64) -> f64,
) -> Around {
    let near = |sample: &&Sample| (drift..drift + WORST_WITHIN).contains(&sample.events);
    Around {
        before: samples.iter().rev().find(|sample| sample.events < drift).and_then(figure),
        at: samples.iter().filter(near).filter_map(figure).reduce(worse),
        after: samples.iter().rev().find(|sample| sample.events >= drift && sample.events < end).and_then(figure),
    }
}

/// What a verdict is called.
pub fn verdict(signal: Signal) -> &'static str {
    match signal {
        Signal::Stable => "stable",
        Signal::Warning => "WARNING",
        Signal::Drift => "DRIFT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_held_against_the_truth() {
        let drift = |at_event| Drift { at_event, ends_at: None, kind: DriftKind::Abrupt, concept: String::new() };
        let (found, false_alarms) = judge(&[drift(100), drift(200), drift(300)], &[50, 120, 150, 310]);
        let detected: Vec<_> = found.iter().map(|d| d.detected_at_event).collect();
        assert_eq!(detected, [Some(120), None, Some(310)]);
        assert_eq!(false_alarms, 2, "50 is before any drift, 150 the second one of a drift");
    }

    #[test]
    fn the_worst_moment_is_looked_for_behind_the_drift() {
        let sample = |events, loss| Sample { events, loss: Some(loss), accuracy: None };
        let samples = [sample(90, 1.0), sample(110, 5.0), sample(120, 9.0), sample(190, 2.0), sample(210, 7.0)];
        let a = around(&samples, 100, 200, |s| s.loss, f64::max);
        assert_eq!((a.before, a.at, a.after), (Some(1.0), Some(9.0), Some(2.0)));
    }
}
