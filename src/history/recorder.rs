//! The thread that looks at every model, records what it sees, saves it now and then, and has alerts sent.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use tracing::warn;

use super::window::Window;
use super::{History, saved};
use crate::alerts::Alerts;
use crate::metrics::Metrics;
use crate::registry::Registry;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(250);
/// How often it saves.
const SAVE_EVERY_MS: i64 = 60_000;
/// How soon it saves when something has happened.
const SAVE_SOON_MS: i64 = 5_000;

/// What is recorded, and where to.
#[derive(Debug)]
pub struct Recording {
    /// The models.
    pub registry: Registry,
    /// What this process counts.
    pub metrics: Arc<Metrics>,
    /// Where it goes.
    pub history: Arc<History>,
    /// The folder it is saved in; made when first needed.
    pub folder: PathBuf,
    /// Who is told of drifts.
    pub alerts: Option<Alerts>,
}

/// Records when it is told to look.
pub struct Recorder {
    what: Recording,
    watched: BTreeMap<String, Watched>,
    saved_ms: i64,
    something_happened: bool,
}

#[derive(Default)]
struct Watched {
    window: Window,
    /// Whether what is new is news. Without a history everything that the first snapshot holds is new, and old.
    alert: bool,
}

impl Recorder {
    /// Goes on from what was saved; what cannot be read is begun anew.
    pub fn new(what: Recording, now_ms: i64) -> Self {
        let mut watched = BTreeMap::new();
        for model in what.registry.all().keys() {
            let mut alert = false;
            match saved::read(&what.folder, model) {
                Ok(None) => {}
                Ok(Some(history)) => {
                    what.history.lock().insert(model.to_owned(), history);
                    alert = true;
                }
                Err(e) => warn!(model, "the saved history cannot be used and is begun anew: {e}"),
            }
            watched.insert(model.to_owned(), Watched { alert, ..Watched::default() });
        }
        Self { what, watched, saved_ms: now_ms, something_happened: false }
    }

    /// Looks at every model at `now_ms` since the Unix epoch.
    pub fn look(&mut self, now_ms: i64) {
        let Recording { registry, metrics, history, alerts, .. } = &self.what;
        for (model, watched) in &mut self.watched {
            let Some(handle) = registry.get(model) else { continue };
            let Some(served) = handle.live.load() else { continue };
            watched.alert &= history.knows(model);
            history.see(model, &served.newest.happenings, now_ms, |until_now| {
                self.something_happened = true;
                if let Some(alerts) = alerts.as_ref().filter(|_| watched.alert) {
                    alerts.tell(model, until_now);
                }
            });
            watched.alert = true;
            let latencies = metrics.latencies(model);
            history.record(model, watched.window.sample(now_ms, &served, &handle.status.get(), latencies));
        }
        let since = now_ms - self.saved_ms;
        if since >= SAVE_EVERY_MS || self.something_happened && since >= SAVE_SOON_MS || since < 0 {
            self.save(now_ms);
        }
    }

    /// Saves everything.
    pub fn save(&mut self, now_ms: i64) {
        (self.saved_ms, self.something_happened) = (now_ms, false);
        for model in self.watched.keys() {
            // A copy: nobody who asks waits for the disk.
            let Some(history) = self.what.history.lock().get(model).cloned() else { continue };
            if let Err(e) = saved::write(&self.what.folder, model, &history) {
                warn!(model, "the history cannot be saved: {e}");
            }
        }
    }
}

/// A recorder at work.
pub struct Handle {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// Starts the thread; `now_ms` is the wall clock.
///
/// # Errors
/// The system has no thread left.
pub fn start(what: Recording, now_ms: fn() -> i64) -> io::Result<Handle> {
    let (stop, stopped) = bounded(0);
    let work = move || {
        let mut recorder = Recorder::new(what, now_ms());
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
            recorder.look(now_ms());
        }
        recorder.look(now_ms());
        recorder.save(now_ms());
    };
    let thread = thread::Builder::new().name("history".into()).spawn(work)?;
    Ok(Handle { stop, thread })
}

impl Handle {
    /// Looks and saves a last time.
    pub fn stop(self) {
        drop(self.stop);
        // Its panic was told when it happened.
        let _ = self.thread.join();
    }
}
