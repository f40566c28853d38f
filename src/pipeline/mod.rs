//! From records to a live model: source → order → journal → fold → snapshot and checkpoint. One trainer thread a model,
//! one store thread for all.

mod ahead;
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

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use checkpoints::{CheckpointStore, Keep, StateDir};
use fold::{Chunk, FoldConfig, Position, Tell};
use tracing::{error, info};

use crate::control::control;
use crate::live::live_model;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::status::{ModelStatus, Phase};

pub use meta::Meta;
pub use open::{Genesis, OpenError, Opened, check_carried, genesis_of, open};
pub use order::{LogChanged, Order};
pub use outbox::{MakeSink, Outlet};
pub use refold::RefoldError;
pub use replay::{Step, Tail, TailError};
pub use shutdown::Shutdown;
pub use store::{all_to_store, from_store, hex, to_store, version_info};
pub use trainer::{MakeSource, Pace, TrainerError};

pub use travel::{Past, travel};
pub use verify::{Proof, verify};

use halves::Halves;
use outbox::Outbox;
use pinned::Shown;
use store::StoredModel;
use trainer::Trainer;

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
    shutdown: Shutdown,
    trainers: Vec<JoinHandle<()>>,
    store: JoinHandle<()>,
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
    let mut registry = Registry::default();
    let mut stored = Vec::new();
    let mut ready = Vec::new();
    let mut damaged = None;
    for Plan { name, fold: config, pace, threads, keep, make_source, tell, sinks } in plans {
        let status = Arc::new(ModelStatus::new(config.topics.clone(), &config.detector));
        let Opened { mut fold, began, tail, until, live, journal } =
            match open(state, &**store, &name, &config, &Position::new()) {
                Ok(opened) => opened,
                Err(e) if e.is_damage() => {
                    error!(model = name, "the model's state cannot be gone on from, it is stopped: {e}");
                    status.set_phase(Phase::Stopped { reason: e.to_string() });
                    registry.insert(&name, live_model(None).1, status, control().0);
                    damaged.get_or_insert(e);
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
        let mut shown = Shown::new(&name, &began, store, (until, live));
        let (publisher, live) = live_model(Some(shown.of(fold.snapshot(), now_ms())));
        let (control, requests) = control();
        registry.insert(&name, live, Arc::clone(&status), control);
        fold.tell(tell);
        fold.on_threads(threads);
        let outbox = Outbox::new(&name, sinks);
        stored.push(StoredModel { name: name.clone(), journal, shown, publisher, status, keep, outbox });
        ready.push((name, fold, tail, until, pace, make_source, requests));
    }
    if let (true, Some(damaged)) = (ready.is_empty(), damaged) {
        return Err(damaged.into());
    }
    let (handles, store) = store::start(stored, Arc::clone(store), Arc::clone(metrics), now_ms)?;
    let shutdown = Shutdown::default();
    let mut trainers = Vec::new();
    for ((name, fold, tail, until, pace, make_source, requests), handle) in ready.into_iter().zip(handles) {
        let shutdown = shutdown.clone();
        let status = handle.shared_status();
        let letterbox = handle.letterbox();
        let hear = move |chunk: &Chunk| {
            for (outlet, records) in tell::records(chunk) {
                // The trainer meets the same error at its next step.
                let _ = letterbox.send(outlet, records);
            }
        };
        let halves = Halves::start(fold, format!("learn {}", trainers.len()), Arc::new(hear))?;
        let work = move || {
            let trainer = Trainer::new(halves, tail, until, pace, handle, requests);
            let reason = match catch_unwind(AssertUnwindSafe(|| trainer.run(make_source, &shutdown))) {
                Ok(Ok(())) => return info!(model = name, "finished"),
                Ok(Err(e)) => e.to_string(),
                Err(_) => "the trainer has panicked; see the log".to_owned(),
            };
            error!(model = name, reason, "the model is stopped; what was published last is still served");
            status.set_phase(Phase::Stopped { reason });
        };
        let thread_name = format!("train {}", trainers.len());
        trainers.push(thread::Builder::new().name(thread_name).spawn(work)?);
    }
    Ok((Running { shutdown, trainers, store }, registry))
}

impl Running {
    /// Finishes the records at hand, takes a last checkpoint of every model, and returns when all is written.
    pub fn stop(self) {
        self.shutdown.request();
        for trainer in self.trainers {
            // A trainer's panic was told when it happened.
            let _ = trainer.join();
        }
        let _ = self.store.join();
    }
}
