//! The store thread: journal first, then everything that comes of it.
//!
//! What trainers hand over is taken in groups. A group's entries are written and fsynced (group commit); only then its
//! dead letters, predictions, scores, snapshots and checkpoints go out, in the order they came. So nothing that comes of a
//! batch leaves the process before the batch is in the journal for good.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use checkpoints::protocol::{self, NotTaken};
use checkpoints::{Checkpoint, CheckpointError, CheckpointStore, FileJournal, Journal};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use fold::ModelSnapshot;
use tracing::{error, info, warn};

use super::super::convert::version_info;
use super::{Positions, StoredModel, Unhashed, WAITING, Work};
use crate::metrics::Metrics;
use crate::status::{Phase, VersionInfo};

/// How often a failing journal is tried again, a second apart, before its model is stopped: somebody may have to come and
/// make room on the disk first.
const JOURNAL_TRIES: u32 = 86_400;
/// How often waiting records are tried again; and where the broker has had no room for them.
const RETRY_EVERY: Duration = Duration::from_secs(1);
const ROOM_EVERY: Duration = Duration::from_millis(20);

/// A model as the thread knows it.
pub(super) struct Slot {
    pub model: StoredModel,
    pub committed: Sender<Positions>,
    pub failed: Arc<AtomicBool>,
    pub journaled: Arc<AtomicU64>,
    pub whole_next: Arc<AtomicBool>,
}

/// What the thread works on.
pub(super) struct Keeper {
    store: Arc<dyn CheckpointStore>,
    slots: BTreeMap<usize, Slot>,
    metrics: Arc<Metrics>,
    now_ms: fn() -> i64,
}

impl Keeper {
    pub fn new(store: Arc<dyn CheckpointStore>, metrics: Arc<Metrics>, now_ms: fn() -> i64) -> Self {
        Self { store, slots: BTreeMap::new(), metrics, now_ms }
    }

    /// Works until nobody is left who could hand it anything.
    pub fn run(mut self, work: &Receiver<(usize, Work)>) {
        loop {
            let is_moving = self.slots.values().any(|slot| slot.model.outbox.is_moving());
            let first = match work.recv_timeout(if is_moving { ROOM_EVERY } else { RETRY_EVERY }) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.slots.values_mut().for_each(|slot| slot.model.outbox.try_send());
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
                    // Its entries may be in this group.
                    Work::Open(slot) => {
                        self.tell_versions(&slot);
                        self.slots.insert(i, *slot);
                    }
                    other => rest.push((i, other)),
                }
            }
            for (i, mut entries) in entries {
                let Some(slot) = self.slots.get_mut(&i) else { continue };
                slot.attempt(|journal| protocol::journal_group(journal, &mut entries));
                if !slot.failed.load(Ordering::Acquire) {
                    slot.journaled.store(slot.model.journal.end(), Ordering::Release);
                }
            }
            for (i, work) in rest {
                self.do_after(i, work);
            }
        }
    }

    /// What is done once the model's entries are in the journal.
    fn do_after(&mut self, i: usize, work: Work) {
        let Some(slot) = self.slots.get_mut(&i) else { return };
        let has_failed = slot.failed.load(Ordering::Acquire);
        match work {
            Work::Close(done) => {
                self.slots.remove(&i);
                let _ = done.send(());
            }
            _ if has_failed => {}
            Work::Send(outlet, records) => slot.model.outbox.push(outlet, records),
            Work::Publish(snapshot) => slot.publish(*snapshot, &self.metrics, (self.now_ms)()),
            Work::Checkpoint(unhashed) => self.checkpoint(i, *unhashed),
            Work::Tell(tell) => tell(),
            Work::Entry(_) | Work::Open(_) => unreachable!("they come first"),
        }
    }

    /// Hashes what the trainer has serialised and takes a checkpoint of it, by [`checkpoints::protocol`].
    fn checkpoint(&mut self, i: usize, unhashed: Unhashed) {
        let Some(slot) = self.slots.get_mut(&i) else { return };
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
                self.tell_versions(&self.slots[&i]);
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
    fn publish(&mut self, model: ModelSnapshot, metrics: &Metrics, now_ms: i64) {
        metrics.swapped(&self.model.name, "publish");
        let served = self.model.shown.of(model, now_ms);
        self.model.publisher.publish(served);
    }

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
