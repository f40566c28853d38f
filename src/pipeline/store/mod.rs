//! What trainers hand to the store thread. There is one for the whole process; models come to it and leave it.

mod keeper;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use checkpoints::{CheckpointStore, FileJournal, Journal, Keep, OWN_FILE_FROM_BYTES, Section, Unchanged};
use crossbeam_channel::{Receiver, Sender, bounded};
use features::{NextOffset, PartitionId, Record};
use fold::{Decision, Entry, Fold, Live, ModelSnapshot, Rejected, Sections};
use streams::{DeadLetter, Outgoing};
use thiserror::Error;
use tracing::warn;

use super::convert::all_to_store;
use super::meta::Meta;
use super::outbox::{Outbox, Outlet};
use super::pinned::Shown;
use crate::live::Publisher;
use crate::metrics::Metrics;
use crate::status::ModelStatus;

use keeper::{Keeper, Slot};

/// Things handed over that may wait; trainers are held back beyond.
const WAITING: usize = 256;
/// Records that may wait for their broker; the model's trainer is held back beyond.
const UNSENT: usize = 10_000;
/// Positions of checkpoints that may wait to be told to the source.
const COMMITTED: usize = 16;

/// This model's state cannot be written any more.
#[derive(Debug, Error)]
#[error("the state cannot be written: see the log")]
pub struct StoreClosed;

/// Partitions and the first offset of each not yet folded.
pub type Positions = Vec<(PartitionId, NextOffset)>;

/// A model as the store thread knows it.
pub struct StoredModel {
    /// Its name.
    pub name: String,
    /// Its journal.
    pub journal: FileJournal,
    /// What is shown of it.
    pub shown: Shown,
    /// Its live pointer.
    pub publisher: Publisher,
    /// Its status.
    pub status: Arc<ModelStatus>,
    /// Which checkpoints stay.
    pub keep: Keep,
    /// Its records on their way out.
    pub outbox: Outbox,
}

enum Work {
    Entry(checkpoints::Entry),
    Send(Outlet, Vec<Outgoing>),
    Publish(Box<ModelSnapshot>),
    Checkpoint(Box<Unhashed>),
    /// To be told once everything handed over before is durable and shown.
    Tell(Box<dyn FnOnce() + Send>),
    Open(Box<Slot>),
    /// To be told once everything handed over before is done, and nothing of the model is open any more.
    Close(Sender<()>),
}

/// A checkpoint before its hashes are known: the trainer only serialises.
struct Unhashed {
    version: u64,
    sections: (Vec<Section>, Vec<Unchanged>),
    meta: Meta,
    position: Positions,
    began: Instant,
}

/// What one trainer hands its results to.
pub struct StoreHandle {
    name: String,
    store: Arc<dyn CheckpointStore>,
    letterbox: Letterbox,
    committed: Receiver<Positions>,
    status: Arc<ModelStatus>,
    journaled: Arc<AtomicU64>,
    /// The last checkpoint was not taken: what it was to save may not be in the store.
    whole_next: Arc<AtomicBool>,
}

/// Hands a model's work to the store thread, in order.
#[derive(Clone)]
pub struct Letterbox {
    model: usize,
    work: Sender<(usize, Work)>,
    failed: Arc<AtomicBool>,
    unsent: Arc<AtomicUsize>,
}

impl Letterbox {
    /// Sends records once everything handed over before is durable.
    ///
    /// # Errors
    /// The state cannot be written any more.
    pub fn send(&self, outlet: Outlet, records: Vec<Outgoing>) -> Result<(), StoreClosed> {
        self.unsent.fetch_add(records.len(), Ordering::AcqRel);
        self.hand_over(Work::Send(outlet, records))
    }

    fn hand_over(&self, work: Work) -> Result<(), StoreClosed> {
        if self.failed.load(Ordering::Acquire) {
            return Err(StoreClosed);
        }
        self.work.send((self.model, work)).map_err(|_| StoreClosed)
    }
}

impl StoreHandle {
    /// The model's status.
    pub fn status(&self) -> &ModelStatus {
        &self.status
    }

    /// The status, to keep.
    pub fn shared_status(&self) -> Arc<ModelStatus> {
        Arc::clone(&self.status)
    }

    /// Where what comes of a batch is handed over.
    pub fn letterbox(&self) -> Letterbox {
        self.letterbox.clone()
    }

    /// Whether so many records wait to be sent that nothing more is to be folded for now.
    pub fn is_held_back(&self) -> bool {
        self.letterbox.unsent.load(Ordering::Acquire) > UNSENT
    }

    /// Journals an entry that takes the model from `version` on.
    ///
    /// # Errors
    /// The state cannot be written any more.
    pub fn journal(&self, version: u64, entry: &Entry) -> Result<(), StoreClosed> {
        let to = version + entry.versions();
        self.hand_over(Work::Entry(checkpoints::Entry { from: version, to, payload: entry.encode() }))
    }

    /// Journals a decision about the model at `version`.
    ///
    /// # Errors
    /// The state cannot be written any more.
    pub fn decided(
        &self,
        version: u64,
        decision: &Decision,
        actor: &str,
        evidence: impl Into<String>,
    ) -> Result<(), StoreClosed> {
        let (decision, actor, evidence) = (decision.clone(), actor.to_owned(), evidence.into());
        self.journal(version, &Entry::Decided { decision, actor, evidence })
    }

    /// Sends the rejected ones of a batch to the dead letters.
    ///
    /// # Errors
    /// The state cannot be written any more.
    pub fn dead_letters(&self, topics: &[String], batch: &[Record], rejected: &[Rejected]) -> Result<(), StoreClosed> {
        let letter = |Rejected { index, reason }: &Rejected| {
            let record = &batch[*index];
            let topic = &topics[usize::from(record.from.topic.0)];
            DeadLetter { record, topic, class: reason.class(), reason: &reason.to_string() }.outgoing()
        };
        self.letterbox.send(Outlet::DeadLetters, rejected.iter().map(letter).collect())
    }

    /// Publishes a snapshot.
    ///
    /// # Errors
    /// The state cannot be written any more.
    pub fn publish(&self, snapshot: ModelSnapshot) -> Result<(), StoreClosed> {
        self.hand_over(Work::Publish(Box::new(snapshot)))
    }

    /// Takes a checkpoint; what an earlier one has and never changes is only named.
    ///
    /// # Errors
    /// The state cannot be written any more.
    pub fn checkpoint(&self, fold: &Fold) -> Result<(), StoreClosed> {
        let began = Instant::now();
        let sections = match self.whole_next.swap(false, Ordering::AcqRel) {
            true => Sections::default(),
            false => Sections::leaving_out(OWN_FILE_FROM_BYTES),
        };
        self.hand_over(Work::Checkpoint(Box::new(Unhashed {
            version: fold.version(),
            sections: all_to_store(fold.save_to(sections)),
            meta: Meta::of(fold),
            position: fold.position().iter().map(|(from, next)| (*from, *next)).collect(),
            began,
        })))
    }

    /// Tells somebody once everything handed over before is in the journal and shown.
    ///
    /// # Errors
    /// The state cannot be written any more.
    pub fn tell(&self, tell: impl FnOnce() + Send + 'static) -> Result<(), StoreClosed> {
        self.hand_over(Work::Tell(Box::new(tell)))
    }

    /// Keeps a version for ever; false if there is none any more.
    pub fn pin(&self, version: u64) -> bool {
        let pinned = self.store.pin(&self.name, version, true);
        pinned.inspect_err(|e| warn!(model = self.name, version, "it cannot be pinned: {e}")).is_ok()
    }

    /// The version up to which the journal is on the disk.
    pub fn journaled(&self) -> u64 {
        self.journaled.load(Ordering::Acquire)
    }

    /// Keeps for ever what is pinned, and no other version: not even one that a crash left so. Only once the decision
    /// is in the journal: a version that a restart would serve is never to be pruned.
    pub fn settle_pins(&self, live: Live) {
        let listed = self.store.list(&self.name);
        let listed = listed.inspect_err(|e| warn!(model = self.name, "pins stay as they are: {e}"));
        for kept in listed.unwrap_or_default() {
            let version = kept.manifest.version;
            let is_pinned = live == Live::Pinned(version);
            if is_pinned != kept.is_pinned
                && let Err(e) = self.store.pin(&self.name, version, is_pinned)
            {
                warn!(model = self.name, version, "its pin stays as it is: {e}");
            }
        }
    }

    /// Positions of checkpoints taken since the last call.
    pub fn committed(&self) -> impl Iterator<Item = Positions> {
        self.committed.try_iter()
    }

    fn hand_over(&self, work: Work) -> Result<(), StoreClosed> {
        self.letterbox.hand_over(work)
    }
}

/// The thread's owner.
pub struct StoreThread {
    work: Sender<(usize, Work)>,
    store: Arc<dyn CheckpointStore>,
    models: usize,
    thread: JoinHandle<()>,
}

impl StoreThread {
    /// Starts it; `now_ms` is the clock that dates checkpoints.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(store: Arc<dyn CheckpointStore>, metrics: Arc<Metrics>, now_ms: fn() -> i64) -> io::Result<Self> {
        let (to_thread, work) = bounded(WAITING);
        let keeper = Keeper::new(Arc::clone(&store), metrics, now_ms);
        let thread = thread::Builder::new().name("store".into()).spawn(move || keeper.run(&work))?;
        Ok(Self { work: to_thread, store, models: 0, thread })
    }

    /// Takes a model in, and gives it a number.
    pub fn open(&mut self, model: StoredModel) -> (usize, StoreHandle) {
        let number = self.models;
        self.models += 1;
        let (tell, committed) = bounded(COMMITTED);
        let failed = Arc::new(AtomicBool::new(false));
        let handle = StoreHandle {
            name: model.name.clone(),
            store: Arc::clone(&self.store),
            letterbox: Letterbox {
                model: number,
                work: self.work.clone(),
                failed: Arc::clone(&failed),
                unsent: model.outbox.waiting(),
            },
            committed,
            status: Arc::clone(&model.status),
            journaled: Arc::new(AtomicU64::new(model.journal.end())),
            whole_next: Arc::default(),
        };
        let (journaled, whole_next) = (Arc::clone(&handle.journaled), Arc::clone(&handle.whole_next));
        let slot = Slot { model, committed: tell, failed, journaled, whole_next };
        // Only a thread that has panicked hears nothing; the model's trainer meets the same.
        let _ = self.work.send((number, Work::Open(Box::new(slot))));
        (number, handle)
    }

    /// Lets a model go, whose trainer has ended: nothing of it is open when this returns.
    pub fn close(&self, number: usize) {
        let (done, closed) = bounded(0);
        let _ = self.work.send((number, Work::Close(done)));
        let _ = closed.recv();
    }

    /// Ends it once it has done what it was handed. Every trainer has ended.
    pub fn stop(self) {
        drop(self.work);
        // Its panic was told when it happened.
        let _ = self.thread.join();
    }
}
