//! The world of a simulated model: its log, its lives, and what it was promised.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use super::actions::{Action, Kind};
use super::toy::{Key, MODEL, PARTITIONS, Toy, bad_before, state_of};
use crate::disk::Disk;
use crate::durable;
use crate::error::CheckpointError;
use crate::file_store::FileStore;
use crate::journal::{Entry, FileJournal, Journal};
use crate::protocol;
use crate::retention::Keep;
use crate::state_dir::StateDir;
use crate::store::CheckpointStore;
use crate::worst_disk::{Random, WorstDisk};

const KEEP: Keep = Keep { last: 3, hourly: 2, daily: 1, compact: false };
const COMPACT: Keep = Keep { last: 3, hourly: 0, daily: 0, compact: true };
/// Small, so that segments rotate and sections are files of their own.
const ROTATE_AT_BYTES: u64 = 150;
const OWN_FILE_FROM_BYTES: usize = 100;
const TRIES: u32 = 4;

/// A process: gone when it dies.
struct Life {
    journal: FileJournal,
    store: FileStore,
    toy: Toy,
    /// Handed to the journal, not taken by it yet.
    group: VecDeque<Entry>,
    /// Taken by it, not durable yet.
    appended: Vec<Entry>,
    /// Dead letters of the group, and of earlier ones whose broker has not answered.
    held: Vec<Key>,
    sent: Vec<Key>,
    /// What the section that seldom changes was when it was last given to the store; nothing after a refusal.
    given: Option<u64>,
}

/// How often what matters was met.
#[derive(Debug, Default)]
pub(super) struct Seen {
    deaths: u64,
    power_cuts: u64,
    refusals: u64,
    taken: u64,
    not_taken: u64,
    fell_back: u64,
    folded_again: u64,
    cut_off: u64,
    taken_up: u64,
    named: u64,
    compacted: u64,
}

impl Seen {
    pub(super) fn all(&self) -> [(&'static str, u64); 11] {
        [
            ("deaths", self.deaths),
            ("power cuts", self.power_cuts),
            ("writes refused", self.refusals),
            ("checkpoints taken", self.taken),
            ("checkpoints not taken", self.not_taken),
            ("openings behind the newest attempt", self.fell_back),
            ("tails folded again", self.folded_again),
            ("torn tails cut off", self.cut_off),
            ("checkpoints newer than any promised", self.taken_up),
            ("sections that were only named", self.named),
            ("journals found compacted", self.compacted),
        ]
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.deaths += other.deaths;
        self.power_cuts += other.power_cuts;
        self.refusals += other.refusals;
        self.taken += other.taken;
        self.not_taken += other.not_taken;
        self.fell_back += other.fell_back;
        self.folded_again += other.folded_again;
        self.cut_off += other.cut_off;
        self.taken_up += other.taken_up;
        self.named += other.named;
        self.compacted += other.compacted;
    }
}

pub(super) struct World {
    disk: WorstDisk,
    life: Option<Life>,
    power_cut: bool,
    arrived: [u64; PARTITIONS],
    /// The journal as it was promised to be.
    durable: Vec<Entry>,
    /// Entries that a process has ever handed over: whatever is found beyond the promised is one of them.
    handed: BTreeSet<(u64, Vec<u8>)>,
    /// The newest version that has left the process.
    left: u64,
    /// The newest checkpoint that was promised, and the newest one tried.
    promised: u64,
    tried: u64,
    /// The state of each promised version.
    states: BTreeMap<u64, Toy>,
    /// What Kafka was told of.
    told: u64,
    acknowledged: BTreeSet<Key>,
    pub(super) seen: Seen,
}

impl World {
    pub(super) fn new(disk: WorstDisk) -> Self {
        Self {
            disk,
            life: None,
            power_cut: false,
            arrived: [0; PARTITIONS],
            durable: Vec::new(),
            handed: BTreeSet::new(),
            left: 0,
            promised: 0,
            tried: 0,
            states: BTreeMap::new(),
            told: 0,
            acknowledged: BTreeSet::new(),
            seen: Seen::default(),
        }
    }

    /// Does it; the error is a broken promise.
    pub(super) fn act(&mut self, action: &Action) -> Result<String, String> {
        self.disk.seed(action.seed);
        let mut random = Random(!action.seed);
        if self.life.is_none() {
            self.open()?;
        }
        let outcome = match action.kind {
            Kind::Arrive => {
                self.arrived[random.below(PARTITIONS as u64) as usize] += 1 + random.below(9);
                "ok".into()
            }
            Kind::Fold => self.fold(&mut random, false)?,
            Kind::Decide => self.fold(&mut random, true)?,
            Kind::Sync => self.sync(&mut random),
            Kind::Checkpoint => self.checkpoint(&mut random)?,
            Kind::Pin => self.pin(&mut random),
            Kind::Faults(one_in) => {
                self.disk.set_faults(one_in);
                "ok".into()
            }
            Kind::Die { after, power_cut } => {
                self.power_cut = power_cut;
                self.disk.die_after(after);
                "armed".into()
            }
            Kind::Restart => {
                self.life = None;
                "ok".into()
            }
            Kind::LoseIndex => {
                self.life = None;
                self.disk.lose_index();
                "ok".into()
            }
        };
        if self.disk.is_dead() {
            self.bury();
            return Ok(format!("{outcome}; it died"));
        }
        Ok(outcome)
    }

    fn bury(&mut self) {
        self.life = None;
        self.seen.deaths += 1;
        if self.power_cut {
            self.seen.power_cuts += 1;
            self.disk.power_cut();
        } else {
            self.disk.revive();
        }
    }

    /// A quiet end: everything that is there is learned, and all must be as if nothing had ever happened.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.disk.set_faults(None);
        self.disk.revive();
        self.life = None;
        self.open()?;
        let mut random = Random(7);
        while self.fold(&mut random, false)? != "nothing to fold" {}
        self.sync(&mut random);
        let life = self.life.as_mut().expect("it was opened");
        let letters: BTreeSet<Key> = bad_before(&life.toy.position);
        while self.life.as_ref().is_some_and(|life| self.promised < life.toy.version) {
            self.checkpoint(&mut random)?;
        }
        if self.acknowledged != letters {
            return Err(format!("the dead letters are {:?} instead of {letters:?}", self.acknowledged));
        }
        self.life = None;
        self.open()
    }

    /// A new process: what it finds must be what was promised.
    fn open(&mut self) -> Result<(), String> {
        for tries in 0.. {
            if tries == TRIES {
                self.disk.set_faults(None);
            }
            match self.try_open() {
                Ok(opened) => return opened,
                Err(e) if self.disk.is_dead() => {
                    let _ = e;
                    self.bury();
                }
                Err(e) if tries > 3 * TRIES => return Err(format!("it does not open: {e}")),
                Err(_) => self.seen.refusals += 1,
            }
        }
        unreachable!("the loop returns")
    }

    fn try_open(&mut self) -> Result<Result<(), String>, CheckpointError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let state = StateDir::open_on(disk, Path::new("/state"))?;
        let mut journal = FileJournal::open(&state, MODEL, ROTATE_AT_BYTES)?;
        let store = FileStore::open_with(&state, self.disk.index(), OWN_FILE_FROM_BYTES)?;
        let mut entries = Vec::new();
        entries.extend(journal.first()?);
        let after = entries.first().map_or(0, |genesis: &Entry| genesis.to);
        for entry in journal.read_from(after)? {
            entries.push(entry?);
        }
        if entries.is_empty() {
            let genesis = Entry { from: 0, to: 0, payload: Vec::new() };
            journal.append(&genesis)?;
            journal.sync()?;
            entries.push(genesis);
        }
        let mut gone = 0;
        if let Some(at) = entries.iter().position(|entry| entry.to > 0 && entry.payload.is_empty()) {
            // What is gone is what was promised, and no checkpoint needs it.
            self.seen.compacted += 1;
            gone = entries[at].to;
            let promised = self.durable.iter().take_while(|entry| entry.to <= gone).cloned();
            entries.splice(..=at, promised);
        }
        self.seen.cut_off += u64::from(journal.truncated_bytes() > 0);
        let loaded = store.latest(MODEL)?;
        if self.disk.is_dead() {
            return Err(CheckpointError::Database("it died".into()));
        }
        let checked = self.check_journal(&entries).and_then(|()| self.check_store(&store, &state, &entries));
        if let Err(broken) = checked {
            // A read that fails because the process dies proves nothing.
            return if self.disk.is_dead() { Err(CheckpointError::Database(broken)) } else { Ok(Err(broken)) };
        }
        let newest = loaded.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.version);
        if !loaded.skipped.is_empty() || newest < self.promised {
            let skipped = loaded.skipped;
            return Ok(Err(format!("checkpoint {} was promised, {newest} is found, {skipped:?}", self.promised)));
        }
        self.seen.fell_back += u64::from(newest < self.tried);
        self.seen.taken_up += u64::from(newest > self.promised);
        if newest < gone {
            return Ok(Err(format!("the journal before version {gone} is gone, checkpoint {newest} needs it")));
        }
        self.promised = newest;
        let mut toy = loaded.checkpoint.map_or_else(Toy::new, |checkpoint| Toy::restore(&checkpoint.sections));
        let (mut held, start) = (Vec::new(), toy.version);
        for entry in entries.iter().filter(|entry| entry.to > start) {
            match toy.fold(entry) {
                Ok(letters) => held.extend(letters),
                Err(broken) => return Ok(Err(broken)),
            }
        }
        self.seen.folded_again += u64::from(toy.version > start);
        if toy != state_of(&entries, u64::MAX) {
            return Ok(Err(format!("version {} is not the fold of its journal", toy.version)));
        }
        self.durable = entries;
        self.life = Some(Life {
            journal,
            store,
            toy,
            group: VecDeque::new(),
            appended: vec![],
            held,
            sent: vec![],
            given: None,
        });
        Ok(Ok(()))
    }

    fn check_journal(&self, found: &[Entry]) -> Result<(), String> {
        if !found.starts_with(&self.durable) {
            return Err(format!("the journal lacks what was promised: {} of {}", found.len(), self.durable.len()));
        }
        let beyond = &found[self.durable.len()..];
        if let Some(entry) = beyond.iter().find(|e| e.to > 0 && !self.handed.contains(&(e.from, e.payload.clone()))) {
            return Err(format!("{entry:?} was never handed over"));
        }
        let end = found.last().map_or(0, |entry| entry.to);
        if end < self.left.max(self.told) {
            return Err(format!("version {} has left the process, the journal ends at {end}", self.left));
        }
        Ok(())
    }

    /// Every checkpoint verifies and is the state of its version; no file is too many.
    fn check_store(&self, store: &FileStore, state: &StateDir, entries: &[Entry]) -> Result<(), String> {
        let said = |e: CheckpointError| e.to_string();
        let mut needed = BTreeSet::new();
        for listed in store.list(MODEL).map_err(said)? {
            let version = listed.manifest.version;
            needed.extend(listed.manifest.blobs());
            if store.at(MODEL, version).map_err(said)? != state_of(entries, version).checkpoint(None) {
                return Err(format!("checkpoint {version} is not the state of version {version}"));
            }
        }
        let blobs = state.model_dir(MODEL).map_err(said)?.join("blobs");
        let files = durable::names_in(&self.disk, &blobs).map_err(said)?;
        if files.len() != needed.len() {
            return Err(format!("{} files for {} blobs", files.len(), needed.len()));
        }
        Ok(())
    }

    fn fold(&mut self, random: &mut Random, decide: bool) -> Result<String, String> {
        let life = self.life.as_mut().expect("it was opened");
        let mut payload = Vec::new();
        if decide {
            payload.push(100 + random.below(100) as u8);
        } else {
            let mut left: Vec<u64> = (0..PARTITIONS).map(|p| self.arrived[p] - life.toy.position[p]).collect();
            for _ in 0..1 + random.below(12) {
                let partition = random.below(PARTITIONS as u64) as usize;
                let partition = if left[partition] > 0 { partition } else { PARTITIONS - 1 - partition };
                if left[partition] > 0 {
                    left[partition] -= 1;
                    payload.push(partition as u8);
                }
            }
        }
        if payload.is_empty() {
            return Ok("nothing to fold".into());
        }
        let from = life.toy.version;
        let entry = Entry { from, to: from + payload.len() as u64, payload };
        self.handed.insert((entry.from, entry.payload.clone()));
        life.held.extend(life.toy.fold(&entry)?);
        life.group.push_back(entry);
        Ok(format!("to version {}", life.toy.version))
    }

    fn sync(&mut self, random: &mut Random) -> String {
        let life = self.life.as_mut().expect("it was opened");
        let handed: Vec<Entry> = life.group.iter().cloned().collect();
        let grouped = protocol::journal_group(&mut life.journal, &mut life.group);
        let appended = handed.len() - life.group.len();
        life.appended.extend(handed.into_iter().take(appended));
        match grouped {
            Err(e) => {
                self.seen.refusals += 1;
                e.to_string()
            }
            Ok(()) => {
                self.durable.append(&mut life.appended);
                self.left = self.left.max(life.toy.version);
                life.sent.append(&mut life.held);
                if random.one_in(2) {
                    self.acknowledged.extend(life.sent.drain(..));
                }
                "durable".into()
            }
        }
    }

    fn checkpoint(&mut self, random: &mut Random) -> Result<String, String> {
        self.sync(random);
        let life = self.life.as_mut().expect("it was opened");
        if !life.group.is_empty() || !life.held.is_empty() {
            return Ok("not before the journal".into());
        }
        let checkpoint = life.toy.checkpoint(life.given);
        self.seen.named += checkpoint.unchanged.len() as u64;
        life.given = Some(life.toy.slow);
        self.tried = self.tried.max(checkpoint.version);
        let keep = if random.one_in(2) { KEEP } else { COMPACT };
        let (sent, acknowledged) = (&mut life.sent, &mut self.acknowledged);
        let acknowledge = || match random.one_in(6) {
            true => Err("the broker is silent"),
            false => {
                acknowledged.extend(sent.drain(..));
                Ok(())
            }
        };
        let mut told = false;
        let taken = protocol::take(&checkpoint, &mut life.journal, acknowledge, &life.store, || told = true, &keep);
        if taken.is_err() && told {
            return Err("Kafka was told of a checkpoint that was not taken".into());
        }
        match taken {
            Err(e) => {
                // The next one may be on its way before the refusal is heard of.
                if random.one_in(2) {
                    life.given = None;
                }
                self.seen.not_taken += 1;
                Ok(e.to_string())
            }
            Ok(taken) => {
                self.seen.taken += 1;
                self.told = checkpoint.version;
                self.promised = checkpoint.version;
                self.states.insert(checkpoint.version, life.toy.clone());
                let missing: Vec<Key> =
                    bad_before(&life.toy.position).difference(&self.acknowledged).copied().collect();
                if !missing.is_empty() {
                    return Err(format!("a checkpoint passes the dead letters {missing:?}"));
                }
                if taken.pruned.is_ok()
                    && let Some(oldest) =
                        life.store.list(MODEL).ok().and_then(|all| Some(all.first()?.manifest.version))
                    && let Ok(mut behind) = life.journal.read_from(oldest)
                    && behind.any(|entry| entry.is_ok_and(|entry| entry.payload.is_empty()))
                {
                    return Err(format!("compaction has taken what checkpoint {oldest} needs"));
                }
                Ok(format!("taken {}, {:?}", checkpoint.version, taken.pruned.map_err(|e| e.to_string())))
            }
        }
    }

    fn pin(&mut self, random: &mut Random) -> String {
        let life = self.life.as_mut().expect("it was opened");
        let pinned = life.store.pin(MODEL, self.promised, random.one_in(2));
        pinned.map_or_else(|e| e.to_string(), |()| "ok".into())
    }
}
