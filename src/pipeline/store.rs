//! The store thread: journal first, then everything that comes of it. One for the whole process.
//!
//! What a trainer hands over is taken in groups. A group's entries are written and fsynced (group commit); only then its
//! dead letters, predictions, scores, snapshots and checkpoints go out, in the order they came. So nothing that comes of a batch leaves the
//! process before the batch is in the journal for good.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use checkpoints::protocol::{self, NotTaken};
use checkpoints::{
    Checkpoint, CheckpointError, CheckpointStore, FileJournal, Journal, Keep, OWN_FILE_FROM_BYTES, Section, Unchanged,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use features::{NextOffset, PartitionId, Record};
use fold::{Decision, Entry, Fold, Live, ModelSnapshot, Rejected, Sections};
use streams::{DeadLetter, Outgoing};
use thiserror::Error;
use tracing::{error, info, warn};

use super::meta::Meta;
use super::outbox::{Outbox, Outlet};
use super::pinned::Shown;
use crate::live::Publisher;
use crate::metrics::Metrics;
use crate::status::{CheckpointInfo, ModelStatus, Phase, VersionInfo};

/// Things handed over that may wait; trainers are held back beyond.
const WAITING: usize = 256;
/// How often a failing journal is tried again, a second apart, before its model is stopped: somebody may have to come and
/// make room on the disk first.
const JOURNAL_TRIES: u32 = 86_400;
/// Records that may wait for their broker; the model's trainer is held back beyond.
const UNSENT: usize = 10_000;
/// How often waiting records are tried again; and where the broker has had no room for them.
const RETRY_EVERY: Duration = Duration::from_secs(1);
const ROOM_EVERY: Duration = Duration::from_millis(20);
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

/// Sections of the fold as the store takes them.
pub fn to_store(sections: Vec<learners::Section>) -> Vec<Section> {
    sections.into_iter().map(|s| Section { name: s.name, version: s.version, bytes: s.bytes }).collect()
}

/// The same, with those that are only named.
pub fn all_to_store(sections: Sections) -> (Vec<Section>, Vec<Unchanged>) {
    let unchanged = sections.unchanged.into_iter().map(|fold::Unchanged { name, version, sealed }| {
        let fold::Sealed { length, hash } = sealed;
        Unchanged { name, version, length, hash }
    });
    (to_store(sections.whole), unchanged.collect())
}

/// Sections of the store as the fold takes them.
pub fn from_store(sections: Vec<Section>) -> Vec<learners::Section> {
    sections.into_iter().map(|s| learners::Section { name: s.name, version: s.version, bytes: s.bytes }).collect()
}

struct Slot {
    model: StoredModel,
    committed: Sender<Positions>,
    failed: Arc<AtomicBool>,
    journaled: Arc<AtomicU64>,
    whole_next: Arc<AtomicBool>,
}

struct StoreThread {
    store: Arc<dyn CheckpointStore>,
    slots: Vec<Slot>,
    metrics: Arc<Metrics>,
    now_ms: fn() -> i64,
}

/// Starts the thread. It ends when every handle is dropped; `now_ms` is the clock that dates checkpoints.
///
/// # Errors
/// The system has no thread left.
pub fn start(
    models: Vec<StoredModel>,
    store: Arc<dyn CheckpointStore>,
    metrics: Arc<Metrics>,
    now_ms: fn() -> i64,
) -> std::io::Result<(Vec<StoreHandle>, JoinHandle<()>)> {
    let (to_thread, work) = bounded(WAITING);
    let mut handles = Vec::new();
    let mut slots = Vec::new();
    for (i, model) in models.into_iter().enumerate() {
        let (tell, committed) = bounded(COMMITTED);
        let failed = Arc::new(AtomicBool::new(false));
        let status = Arc::clone(&model.status);
        let journaled = Arc::new(AtomicU64::new(model.journal.end()));
        let whole_next = Arc::new(AtomicBool::new(false));
        let letterbox =
            Letterbox { model: i, work: to_thread.clone(), failed: failed.clone(), unsent: model.outbox.waiting() };
        handles.push(StoreHandle {
            name: model.name.clone(),
            store: Arc::clone(&store),
            letterbox,
            committed,
            status,
            journaled: Arc::clone(&journaled),
            whole_next: Arc::clone(&whole_next),
        });
        slots.push(Slot { model, committed: tell, failed, journaled, whole_next });
    }
    let thread = StoreThread { store, slots, metrics, now_ms };
    let thread = thread::Builder::new().name("store".into()).spawn(move || thread.run(&work))?;
    Ok((handles, thread))
}

impl StoreThread {
    fn run(mut self, work: &Receiver<(usize, Work)>) {
        for slot in &self.slots {
            self.tell_versions(slot);
        }
        loop {
            let is_moving = self.slots.iter().any(|slot| slot.model.outbox.is_moving());
            let first = match work.recv_timeout(if is_moving { ROOM_EVERY } else { RETRY_EVERY }) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.slots.iter_mut().for_each(|slot| slot.model.outbox.try_send());
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let group: Vec<_> = std::iter::once(first).chain(work.try_iter().take(WAITING)).collect();
            let mut entries: BTreeMap<usize, VecDeque<_>> = BTreeMap::new();
            let mut rest = Vec::new();
            for (i, work) in group {
                match work {
                    Work::Entry(entry) => entries.entry(i).or_default().push_back(entry),
                    other => rest.push((i, other)),
                }
            }
            for (i, mut entries) in entries {
                let slot = &mut self.slots[i];
                slot.attempt(|journal| protocol::journal_group(journal, &mut entries));
                if !slot.failed.load(Ordering::Acquire) {
                    slot.journaled.store(slot.model.journal.end(), Ordering::Release);
                }
            }
            for (i, work) in rest {
                if self.slots[i].failed.load(Ordering::Acquire) {
                    continue;
                }
                match work {
                    Work::Entry(_) => {}
                    Work::Send(outlet, records) => self.slots[i].model.outbox.push(outlet, records),
                    Work::Publish(snapshot) => self.publish(i, *snapshot),
                    Work::Checkpoint(unhashed) => self.checkpoint(i, *unhashed),
                    Work::Tell(tell) => tell(),
                }
            }
        }
    }

    fn publish(&mut self, i: usize, model: ModelSnapshot) {
        let slot = &mut self.slots[i];
        self.metrics.swapped(&slot.model.name, "publish");
        let served = slot.model.shown.of(model, (self.now_ms)());
        slot.model.publisher.publish(served);
    }

    /// Hashes what the trainer has serialised and takes a checkpoint of it, by [`checkpoints::protocol`].
    fn checkpoint(&mut self, i: usize, unhashed: Unhashed) {
        let slot = &mut self.slots[i];
        let name = slot.model.name.clone();
        let Unhashed { version, sections, meta, position, began } = unhashed;
        let checkpoint = Checkpoint::new(&name, version, (self.now_ms)(), meta.encode(), sections, fold::NOT_THE_MODEL);
        let StoredModel { journal, keep, outbox, .. } = &mut slot.model;
        // A full queue is no loss: a later checkpoint tells more.
        let tell = || drop(slot.committed.try_send(position));
        let taken = protocol::take(&checkpoint, journal, || outbox.acknowledge(), &*self.store, tell, keep);
        if taken.is_err() {
            slot.whole_next.store(true, Ordering::Release);
        }
        match taken {
            Err(e @ NotTaken::Unacknowledged(_)) => warn!(model = name, checkpoint.version, "no checkpoint taken: {e}"),
            Err(e) => error!(model = name, checkpoint.version, "no checkpoint taken: {e}"),
            Ok(taken) => {
                self.metrics.checkpointed(&name, began.elapsed());
                info!(model = name, checkpoint.version, bytes = taken.committed.bytes_written, "checkpoint");
                if let Err(e) = taken.pruned {
                    warn!(model = name, "old checkpoints are left over: {e}");
                }
                self.tell_versions(&self.slots[i]);
            }
        }
    }

    fn tell_versions(&self, slot: &Slot) {
        match self.store.list(&slot.model.name) {
            Err(e) => warn!(model = slot.model.name, "the checkpoints cannot be listed: {e}"),
            Ok(listed) => {
                let mut versions: Vec<VersionInfo> = listed.iter().map(|l| version_info(&l.manifest)).collect();
                versions.reverse();
                if let Some(newest) = versions.first() {
                    slot.model.status.set_checkpoint(newest.checkpoint.clone());
                }
                slot.model.status.set_versions(versions);
            }
        }
    }
}

impl Slot {
    /// Tries a step of the journal until it succeeds; a model whose journal keeps failing is stopped.
    fn attempt(&mut self, mut step: impl FnMut(&mut FileJournal) -> Result<(), CheckpointError>) {
        let mut paused = None;
        for tries in 1.. {
            if self.failed.load(Ordering::Acquire) {
                return;
            }
            match step(&mut self.model.journal) {
                Ok(()) => {
                    if let Some(phase) = paused {
                        info!(model = self.model.name, tries, "the journal can be written again, learning goes on");
                        self.model.status.set_phase(phase);
                    }
                    return;
                }
                Err(e) if tries >= JOURNAL_TRIES => {
                    error!(model = self.model.name, "the journal cannot be written, the model is stopped: {e}");
                    self.failed.store(true, Ordering::Release);
                    self.model.status.set_phase(Phase::Stopped { reason: format!("journal: {e}") });
                }
                Err(e) => {
                    // Told now and then.
                    if tries.is_power_of_two() {
                        warn!(model = self.model.name, tries, "the journal cannot be written, learning pauses: {e}");
                    }
                    paused.get_or_insert_with(|| self.model.status.get().phase);
                    self.model.status.set_phase(Phase::Paused { reason: format!("journal: {e}") });
                    thread::sleep(Duration::from_secs(1));
                }
            }
        }
    }
}

/// A manifest as people and programs see it.
pub fn version_info(manifest: &checkpoints::Manifest) -> VersionInfo {
    let meta = Meta::decode(&manifest.meta);
    VersionInfo {
        checkpoint: CheckpointInfo {
            version: manifest.version,
            state_hash: hex(&manifest.state_hash),
            at_ms: manifest.created_at_ms,
        },
        events: meta.events,
        learner: meta.learner,
        bytes: manifest.bytes(),
    }
}

/// A hash as text.
pub fn hex(hash: &checkpoints::Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}
