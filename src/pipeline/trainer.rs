//! One model's trainer: reads, puts in order, journals, folds; hands what comes of it to the store thread.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use features::{NextOffset, PartitionId, Record};
use fold::{Decision, Entry, digest, runs_of};
use streams::{Source, SourceError, SourceEvent};
use thiserror::Error;
use tracing::{error, info, warn};

use super::decide::decide;
use super::gap::{Gap, Gaps};
use super::garbage::Garbage;
use super::halves::Halves;
use super::order::Order;
use super::replay::{Step, Tail, TailError};
use super::shutdown::Shutdown;
use super::store::{StoreClosed, StoreHandle};
use crate::config::{Every, StopAt};
use crate::control::{Refused, Request};
use crate::status::Phase;

/// Makes a source; called again when one has broken. Told whether the model has begun: then every record of a partition
/// it does not know yet is one to come, wherever a new model would begin.
pub type MakeSource = Box<dyn FnMut(bool) -> Result<Box<dyn Source>, SourceError> + Send>;

/// How a trainer goes about its work.
#[derive(Clone, Debug)]
pub struct Pace {
    /// When a checkpoint is taken.
    pub checkpoint_every: Every,
    /// When the live model is replaced.
    pub publish_every: Every,
    /// When a partition of garbage is stopped.
    pub stop_partition_at: StopAt,
    /// Whether records that the log no longer holds are left out.
    pub accept_gap: bool,
    /// How long a partition with backlog is waited for, to keep the order of time.
    pub patience: Duration,
    /// Records folded under one journal entry, at most.
    pub batch: usize,
}

/// Why a trainer has stopped for good.
#[derive(Debug, Error)]
pub enum TrainerError {
    /// The journal cannot be followed.
    #[error("{}", .0)]
    Tail(String),
    /// The source kept breaking.
    #[error("gave up after {tries} tries: {last}")]
    Source {
        /// How many.
        tries: u32,
        /// The last failure.
        last: SourceError,
    },
    /// The log no longer holds what is to be read next.
    #[error("{0}")]
    Gap(String),
    /// State cannot be written.
    #[error(transparent)]
    Store(#[from] StoreClosed),
}

enum TurnError {
    Source(SourceError),
    Final(TrainerError),
}

impl From<StoreClosed> for TurnError {
    fn from(e: StoreClosed) -> Self {
        Self::Final(e.into())
    }
}

/// One model's trainer.
pub struct Trainer {
    halves: Halves,
    topics: Vec<String>,
    tail: Tail,
    until: u64,
    order: Order,
    /// The last batch was full: there may be more to fold before more is read.
    more: bool,
    pace: Pace,
    garbage: Garbage,
    stopped: Vec<(PartitionId, String)>,
    discovered: Vec<(PartitionId, NextOffset)>,
    gaps: Gaps,
    store: StoreHandle,
    requests: Receiver<Request>,
    published: (Instant, u64),
    saved: (Instant, u64),
    lag_told: Instant,
    /// Once so much is in the journal, what is kept for ever is to be what is pinned.
    settle_at: Option<u64>,
}

impl Trainer {
    const IDLE: Duration = Duration::from_millis(50);
    const SOURCE_TRIES: u32 = 20;
    const LAG_EVERY: Duration = Duration::from_secs(1);

    /// A trainer that goes on from its fold, first along `tail` up to version `until`.
    pub fn new(
        mut halves: Halves,
        tail: Tail,
        until: u64,
        pace: Pace,
        store: StoreHandle,
        requests: Receiver<Request>,
    ) -> Self {
        let now = Instant::now();
        let saved = (now, halves.version());
        Self {
            topics: halves.fold().config().topics.clone(),
            tail,
            until,
            order: Order::new(pace.patience),
            more: false,
            garbage: Garbage::new(pace.stop_partition_at),
            stopped: Vec::new(),
            discovered: Vec::new(),
            gaps: Gaps::default(),
            pace,
            store,
            requests,
            published: (now, 0),
            saved,
            lag_told: now,
            settle_at: Some(until),
            halves,
        }
    }

    /// Works until asked to stop; then saves and publishes once more.
    ///
    /// # Errors
    /// What has stopped it. What was published stays served.
    pub fn run(mut self, mut make_source: MakeSource, shutdown: &Shutdown) -> Result<(), TrainerError> {
        self.publish()?;
        let mut tries = 0;
        while !shutdown.requested() {
            let began = self.halves.version();
            let has_begun = !self.halves.position().is_empty();
            let outcome = make_source(has_begun).map_err(TurnError::Source).and_then(|mut source| {
                self.connect(&mut *source)?;
                while !shutdown.requested() {
                    self.turn(&mut *source)?;
                }
                Ok(())
            });
            match outcome {
                Ok(()) => {}
                Err(TurnError::Final(e)) => return Err(e),
                Err(TurnError::Source(last)) => {
                    tries = if self.halves.version() > began { 1 } else { tries + 1 };
                    if tries > Self::SOURCE_TRIES {
                        return Err(TrainerError::Source { tries, last });
                    }
                    warn!(%last, tries, "the source has failed and is made anew");
                    self.pause(Duration::from_millis(100 << tries.min(7)), shutdown)?;
                }
            }
        }
        self.publish()?;
        self.checkpoint()?;
        Ok(())
    }

    /// Sleeps, but neither through a request to finish nor through what people ask for.
    fn pause(&mut self, duration: Duration, shutdown: &Shutdown) -> Result<(), StoreClosed> {
        let until = Instant::now() + duration;
        while !shutdown.requested() && Instant::now() < until {
            self.obey()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn connect(&mut self, source: &mut dyn Source) -> Result<(), TurnError> {
        self.order.clear();
        self.gaps = Gaps::default();
        let mut partitions = Vec::new();
        for (&from, &next) in self.halves.position() {
            if self.stopped.iter().any(|(stopped, _)| *stopped == from) {
                self.order.stop(from);
            } else {
                self.order.add(from);
                partitions.push((from, next));
            }
        }
        source.assign(&partitions).map_err(TurnError::Source)?;
        if self.tail.is_done() && !partitions.is_empty() {
            self.store.status().set_phase(Phase::Live);
        }
        Ok(())
    }

    fn turn(&mut self, source: &mut dyn Source) -> Result<(), TurnError> {
        self.obey()?;
        if self.store.is_held_back() {
            std::thread::sleep(Self::IDLE);
            return self.tick(source);
        }
        // While replaying it must read on whatever waits here: the journal says which partition comes next. Otherwise what is
        // here is folded first: what is read long before it is folded has left the caches by then.
        if (self.order.has_room() && !self.more || !self.tail.is_done())
            && let Some(event) = source.poll(Self::IDLE).map_err(TurnError::Source)?
        {
            self.take_in(event);
        }
        if let Some(gaps) = self.gaps.all() {
            self.pass_over(gaps, source)?;
        }
        self.replay(source)?;
        if self.tail.is_done() {
            self.live(source)?;
        }
        self.tick(source)
    }

    /// Does what people ask for; not before the journal's end is reached, which says what comes next.
    fn obey(&mut self) -> Result<(), StoreClosed> {
        while let Ok(request) = self.requests.try_recv() {
            if self.tail.is_done() {
                decide(request, self.halves.fold(), &self.store)?;
                self.settle_at = Some(self.halves.version());
            } else {
                // Who has stopped waiting needs no answer.
                let _ = request.reply.send(Err(Refused::NotYet));
            }
        }
        Ok(())
    }

    fn take_in(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Records(records) => {
                self.order.push(records);
            }
            SourceEvent::CaughtUp { from, next } => self.order.caught_up(from, next),
            SourceEvent::Discovered { from, start } => self.discovered.push((from, start)),
            SourceEvent::TopicMissing { topic } => {
                warn!(topic, "the topic does not exist yet; waiting for it");
                self.store.status().set_phase(Phase::WaitingForTopic { topic });
            }
            SourceEvent::Gap { from, wanted, low, high } => self.gaps.push(Gap { from, wanted, low, high }),
            SourceEvent::End => {}
        }
    }

    /// Folds again what the journal says was folded.
    fn replay(&mut self, source: &mut dyn Source) -> Result<(), TurnError> {
        loop {
            match self.tail.step(&mut self.order).map_err(|e| self.lost(&e))? {
                Step::Wait | Step::End => return Ok(()),
                Step::Decide(decision) => self.decide(&decision, source)?,
                Step::Skip(version) => self.halves.fold().skip_to(version),
                Step::Fold(batch) => self.fold_batch(batch, source)?,
            }
            if self.tail.is_done() {
                info!(version = self.halves.version(), "the journal's end is reached");
                // It is ready once what it answers with is what it has folded.
                self.publish()?;
                let status = self.store.shared_status();
                self.store.tell(move || {
                    if matches!(status.get().phase, Phase::Starting | Phase::Replaying { .. }) {
                        status.set_phase(Phase::Live);
                    }
                })?;
            }
        }
    }

    /// Leaves out records that are gone, if that is accepted; otherwise the model stops and says which they are.
    fn pass_over(&mut self, gaps: Vec<Gap>, source: &mut dyn Source) -> Result<(), TurnError> {
        let told: Vec<String> = gaps.iter().map(|gap| gap.describe(&self.topic(gap.from))).collect();
        let told = told.join("; ");
        if !self.pace.accept_gap || gaps.iter().any(|gap| !gap.can_be_passed()) {
            return Err(TurnError::Final(TrainerError::Gap(told)));
        }
        // What is in the journal and not folded needs records that are gone: its decisions alone are folded.
        let since = self.halves.version();
        self.tail.leave_out(since..self.until);
        self.replay(source)?;
        for Gap { from, wanted, low, .. } in gaps {
            let decision = Decision::AcceptGap { from, first: wanted, next: NextOffset(low), since };
            self.store.decided(self.halves.version(), &decision, "--accept-gap", told.as_str())?;
            self.decide(&decision, source)?;
        }
        error!(gone = told, since, version = self.halves.version(), "records that are gone are left out, as accepted");
        Ok(())
    }

    /// Folds what is new: first into the journal, then into the model.
    fn live(&mut self, source: &mut dyn Source) -> Result<(), TurnError> {
        for (from, start) in std::mem::take(&mut self.discovered) {
            if self.halves.position().contains_key(&from) {
                continue;
            }
            info!(topic = self.topic(from), partition = from.partition, start = start.0, "a partition is added");
            let decision = Decision::AddPartition { from, start };
            let evidence = format!("{}/{} was found", self.topic(from), from.partition);
            self.store.decided(self.halves.version(), &decision, "perennial", evidence)?;
            self.decide(&decision, source)?;
            self.store.status().set_phase(Phase::Live);
        }
        let batch = self.order.by_time(self.pace.batch, Instant::now());
        self.more = batch.len() == self.pace.batch;
        if !batch.is_empty() {
            let entry = Entry::Records { runs: runs_of(&batch, self.halves.position()), digest: digest(&batch) };
            self.store.journal(self.halves.version(), &entry)?;
            self.fold_batch(batch, source)?;
        }
        Ok(())
    }

    fn decide(&mut self, decision: &Decision, source: &mut dyn Source) -> Result<(), TurnError> {
        self.halves.fold().decide(decision);
        match *decision {
            Decision::AddPartition { from, start } => {
                self.order.add(from);
                source.assign(&[(from, start)]).map_err(TurnError::Source)?;
            }
            Decision::AcceptGap { from, next, .. } => source.assign(&[(from, next)]).map_err(TurnError::Source)?,
            Decision::Configure { .. } => self.topics = self.halves.fold().config().topics.clone(),
            Decision::Promote { .. } | Decision::Pin { .. } | Decision::Follow | Decision::Carry { .. } => {}
        }
        Ok(())
    }

    fn fold_batch(&mut self, batch: Vec<Record>, source: &mut dyn Source) -> Result<(), TurnError> {
        let unusable = self.halves.fold_batch(&batch);
        let mut rejected = unusable.iter().map(|r| r.index).peekable();
        let mut garbage = Vec::new();
        for (i, record) in batch.iter().enumerate() {
            if self.garbage.note(record.from, rejected.next_if_eq(&i).is_some()) && !garbage.contains(&record.from) {
                garbage.push(record.from);
            }
        }
        // Not while replaying: the journal has what was folded before the partition was stopped.
        if !self.tail.is_done() {
            garbage.clear();
        }
        for from in garbage {
            let StopAt { share, of_last } = self.pace.stop_partition_at;
            let topic = self.topic(from);
            let percent = share * 100.0;
            let partition = from.partition;
            self.stop(from, format!("{topic}/{partition}: {percent} % of the last {of_last} records were unusable"));
            source.stop(from).map_err(TurnError::Source)?;
        }
        if !unusable.is_empty() {
            self.store.dead_letters(&self.topics, &batch, &unusable)?;
        }
        Ok(())
    }

    fn stop(&mut self, from: PartitionId, reason: String) {
        if self.stopped.iter().any(|(stopped, _)| *stopped == from) {
            return;
        }
        error!(reason, "a partition is stopped, the others go on");
        self.order.stop(from);
        self.stopped.push((from, reason));
        self.store.status().set_stopped_partitions(self.stopped.iter().map(|(_, reason)| reason.clone()).collect());
    }

    fn tick(&mut self, source: &mut dyn Source) -> Result<(), TurnError> {
        let (now, version) = (Instant::now(), self.halves.version());
        if !self.tail.is_done() {
            self.store.status().set_phase(Phase::Replaying { version, until: self.until });
        }
        if due(self.pace.publish_every, self.published, now, version) {
            self.publish()?;
        }
        if due(self.pace.checkpoint_every, self.saved, now, version) {
            self.checkpoint()?;
        }
        if self.tail.is_done() && self.settle_at.is_some_and(|version| self.store.journaled() >= version) {
            self.store.settle_pins(self.halves.fold().live());
            self.settle_at = None;
        }
        for positions in self.store.committed() {
            source.committed(&positions);
        }
        if now - self.lag_told >= Self::LAG_EVERY {
            self.lag_told = now;
            let lag = source.lag().into_iter().map(|(from, lag)| (self.topic(from), from.partition, lag)).collect();
            self.store.status().set_lag(lag);
        }
        Ok(())
    }

    fn publish(&mut self) -> Result<(), StoreClosed> {
        self.published = (Instant::now(), self.halves.version());
        self.store.publish(self.halves.fold().snapshot())
    }

    fn checkpoint(&mut self) -> Result<(), StoreClosed> {
        self.saved = (Instant::now(), self.halves.version());
        self.store.checkpoint(self.halves.fold())
    }

    fn lost(&self, e: &TailError) -> TurnError {
        TurnError::Final(TrainerError::Tail(match e {
            TailError::LogChanged(changed) => changed.describe(&self.topics),
            other => other.to_string(),
        }))
    }

    fn topic(&self, from: PartitionId) -> String {
        self.topics.get(from.topic.0 as usize).cloned().unwrap_or_default()
    }
}

/// Whether it is time to do again what was last done at a moment and a version.
fn due(every: Every, last: (Instant, u64), now: Instant, version: u64) -> bool {
    version > last.1
        && match every {
            Every::Time(interval) => now.duration_since(last.0) >= interval,
            Every::Events(events) => version - last.1 >= events,
        }
}
