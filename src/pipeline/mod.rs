//! From records to a live model: source → order → journal → fold → snapshot and checkpoint. One trainer thread a model,
//! one store thread for all.

mod ahead;
mod convert;
mod decide;
mod gap;
mod garbage;
mod halves;
mod meta;
mod open;
mod order;
mod outbox;
mod pinned;
mod refold;
mod replay;
mod shutdown;
mod store;
mod tell;
mod trainer;
mod travel;
mod verify;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use checkpoints::{CheckpointStore, Keep, StateDir};
use fold::{Chunk, FoldConfig, Position, Tell};
use tracing::{error, info};

use crate::control::control;
use crate::live::live_model;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::status::{ModelStatus, Phase};

pub use convert::{all_to_store, from_store, hex, to_store, version_info};
pub use meta::Meta;
pub use open::{Genesis, OpenError, Opened, check_carried, genesis_of, open};
pub use order::{LogChanged, Order};
pub use outbox::{MakeSink, Outlet};
pub use refold::RefoldError;
pub use replay::{Step, Tail, TailError};
pub use shutdown::Shutdown;
pub use trainer::{MakeSource, Pace, TrainerError};

pub use travel::{Past, travel};
pub use verify::{Proof, verify};

use halves::Halves;
use outbox::Outbox;
use pinned::Shown;
use store::{StoreThread, StoredModel};
use trainer::Trainer;

/// How long a trainer may take to finish the records at hand and save: broker and disk may be slow.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// One model to run.
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What decides its fold.
    pub fold: FoldConfig,
    /// How it goes about it.
    pub pace: Pace,
    /// Threads that a learner of many members may take.
    pub threads: usize,
    /// Which checkpoints stay.
    pub keep: Keep,
    /// Where its records come from.
    pub make_source: MakeSource,
    /// What is told of every batch.
    pub tell: Tell,
    /// Where its dead letters go, and what is told.
    pub sinks: Vec<(Outlet, MakeSink)>,
}

/// Pipelines at work.
pub struct Running {
    state: StateDir,
    store: Arc<dyn CheckpointStore>,
    registry: Registry,
    now_ms: fn() -> i64,
    trainers: BTreeMap<String, Training>,
    storing: StoreThread,
}

/// One model's trainer at work.
struct Training {
    /// The model's number with the store thread.
    number: usize,
    shutdown: Shutdown,
    thread: JoinHandle<()>,
}

/// Opens every model's state, publishes what was last known, and starts the threads. A model whose state is damaged beyond
/// what can be rebuilt is stopped, the others go on.
///
/// # Errors
/// A model cannot take its configuration, no model's state can be gone on from, or the system has no thread left.
pub fn start(
    plans: Vec<Plan>,
    state: &StateDir,
    store: &Arc<dyn CheckpointStore>,
    metrics: &Arc<Metrics>,
    now_ms: fn() -> i64,
) -> anyhow::Result<(Running, Registry)> {
    let registry = Registry::default();
    let mut ready = Vec::new();
    let mut damaged = None;
    for plan in plans {
        match open(state, &**store, &plan.name, &plan.fold, &Position::new()) {
            Ok(opened) => ready.push((plan, opened)),
            Err(e) if e.is_damage() => {
                show_stopped(&registry, &plan, &e);
                damaged.get_or_insert(e);
            }
            Err(e) => return Err(e.into()),
        }
    }
    if let (true, Some(damaged)) = (ready.is_empty(), damaged) {
        return Err(damaged.into());
    }
    let storing = StoreThread::start(Arc::clone(store), Arc::clone(metrics), now_ms)?;
    let (state, store, trainers) = (state.clone(), Arc::clone(store), BTreeMap::new());
    let mut running = Running { state, store, registry: registry.clone(), now_ms, trainers, storing };
    for (plan, opened) in ready {
        running.begin(plan, opened)?;
    }
    Ok((running, registry))
}

/// Shows a model that nothing can be served of.
fn show_stopped(registry: &Registry, plan: &Plan, e: &OpenError) {
    error!(model = plan.name, "the model's state cannot be gone on from, it is stopped: {e}");
    let status = Arc::new(ModelStatus::new(plan.fold.topics.clone(), &plan.fold.detector));
    status.set_phase(Phase::Stopped { reason: e.to_string() });
    registry.insert(&plan.name, live_model(None).1, status, control().0);
}

impl Running {
    /// Shows a model and starts its threads.
    fn begin(&mut self, plan: Plan, opened: Opened) -> io::Result<()> {
        let Plan { name, fold: config, pace, threads, keep, make_source, tell, sinks } = plan;
        let Opened { mut fold, began, tail, until, live, journal } = opened;
        let status = Arc::new(ModelStatus::new(config.topics, &config.detector));
        let mut shown = Shown::new(&name, &began, &self.store, (until, live));
        let (publisher, live) = live_model(Some(shown.of(fold.snapshot(), (self.now_ms)())));
        let (control, requests) = control();
        self.registry.insert(&name, live, Arc::clone(&status), control);
        fold.tell(tell);
        fold.on_threads(threads);
        let outbox = Outbox::new(&name, sinks);
        let stored =
            StoredModel { name: name.clone(), journal, shown, publisher, status: Arc::clone(&status), keep, outbox };
        let (number, handle) = self.storing.open(stored);
        let letterbox = handle.letterbox();
        let hear = move |chunk: &Chunk| {
            for (outlet, records) in tell::records(chunk) {
                // The trainer meets the same error at its next step.
                let _ = letterbox.send(outlet, records);
            }
        };
        let halves = Halves::start(fold, format!("learn {number}"), Arc::new(hear))?;
        let shutdown = Shutdown::default();
        let (model, asked) = (name.clone(), shutdown.clone());
        let work = move || {
            let trainer = Trainer::new(halves, tail, until, pace, handle, requests);
            let reason = match catch_unwind(AssertUnwindSafe(|| trainer.run(make_source, &asked))) {
                Ok(Ok(())) => return info!(model, "finished"),
                Ok(Err(e)) => e.to_string(),
                Err(_) => "the trainer has panicked; see the log".to_owned(),
            };
            error!(model, reason, "the model is stopped; what was published last is still served");
            status.set_phase(Phase::Stopped { reason });
        };
        let thread = thread::Builder::new().name(format!("train {number}")).spawn(work)?;
        self.trainers.insert(name, Training { number, shutdown, thread });
        Ok(())
    }

    /// Stops a model, has its state changed, and starts it again from what is there then, as `plan` says. What it has
    /// published is served until then; a model that cannot go on from its new state is shown as stopped.
    ///
    /// # Errors
    /// The trainer does not end (the model is stopped when it does, and this may be asked for again), or the system has no
    /// thread left.
    pub fn restart<T>(
        &mut self,
        plan: Plan,
        change: impl FnOnce(&StateDir, &dyn CheckpointStore) -> T,
    ) -> anyhow::Result<T> {
        if let Some(training) = self.trainers.get(&plan.name) {
            training.shutdown.request();
            let until = Instant::now() + ENDS_WITHIN;
            while !training.thread.is_finished() {
                anyhow::ensure!(Instant::now() < until, "model {}: its trainer has not ended yet", plan.name);
                thread::sleep(Duration::from_millis(10));
            }
        }
        if let Some(Training { number, thread, .. }) = self.trainers.remove(&plan.name) {
            // Its panic was told when it happened.
            let _ = thread.join();
            self.storing.close(number);
        }
        let changed = change(&self.state, &*self.store);
        match open(&self.state, &*self.store, &plan.name, &plan.fold, &Position::new()) {
            Ok(opened) => self.begin(plan, opened)?,
            Err(e) => show_stopped(&self.registry, &plan, &e),
        }
        Ok(changed)
    }

    /// The models' state.
    pub fn state(&self) -> (&StateDir, &dyn CheckpointStore) {
        (&self.state, &*self.store)
    }

    /// Finishes the records at hand, takes a last checkpoint of every model, and returns when all is written.
    pub fn stop(self) {
        self.trainers.values().for_each(|training| training.shutdown.request());
        for training in self.trainers.into_values() {
            // A trainer's panic was told when it happened.
            let _ = training.thread.join();
        }
        self.storing.stop();
    }
}
