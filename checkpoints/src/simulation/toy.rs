//! What the simulated model learns: small, but every record, its place and its order are in it.

use std::collections::BTreeSet;

use crate::checkpoint::{Checkpoint, Section, Unchanged};
use crate::journal::Entry;
use crate::worst_disk::Random;

pub(super) const MODEL: &str = "m";
pub(super) const PARTITIONS: usize = 2;

pub(super) type Key = (usize, u64);

/// A record of the log, the same however often it is read; one in five is a dead letter.
fn record(partition: usize, offset: u64) -> u64 {
    Random((partition as u64) << 40 | offset).next()
}

fn is_bad(record: u64) -> bool {
    record.is_multiple_of(5)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toy {
    pub(super) version: u64,
    chain: u64,
    pub(super) position: [u64; PARTITIONS],
    pub(super) slow: u64,
}

impl Toy {
    pub(super) fn new() -> Self {
        Self { version: 0, chain: 1, position: [0; PARTITIONS], slow: 0 }
    }

    /// Folds an entry; the keys of its dead letters.
    pub(super) fn fold(&mut self, entry: &Entry) -> Result<Vec<Key>, String> {
        if entry.from != self.version {
            return Err(format!("an entry {}..{} at version {}", entry.from, entry.to, self.version));
        }
        let mut letters = Vec::new();
        for &byte in &entry.payload {
            self.version += 1;
            let partition = usize::from(byte);
            let folded = if partition < PARTITIONS {
                let offset = self.position[partition];
                self.position[partition] += 1;
                if is_bad(record(partition, offset)) {
                    letters.push((partition, offset));
                    continue;
                }
                record(partition, offset)
            } else {
                u64::from(byte)
            };
            self.chain = Random(self.chain ^ folded).next();
            if self.version.is_multiple_of(8) {
                self.slow = self.chain;
            }
        }
        Ok(letters)
    }

    fn sections(&self) -> Vec<Section> {
        let section = |name: &str, bytes| Section { name: name.into(), version: 1, bytes };
        let numbers = [self.version, self.chain, self.position[0], self.position[1], self.slow];
        vec![
            section("numbers", numbers.iter().flat_map(|n| n.to_le_bytes()).collect()),
            section("quick", self.chain.to_le_bytes().repeat(15)),
            section("slow", self.slow.to_le_bytes().repeat(20)),
        ]
    }

    /// Its slow part is only named where the store was given it before.
    pub(super) fn checkpoint(&self, given: Option<u64>) -> Checkpoint {
        let (mut sections, mut unchanged) = (self.sections(), Vec::new());
        if given == Some(self.slow) {
            let Section { name, version, bytes } = sections.pop().expect("there are some");
            let (length, hash) = (bytes.len() as u64, *blake3::hash(&bytes).as_bytes());
            unchanged.push(Unchanged { name, version, length, hash });
        }
        let at_ms = self.version as i64 * 600_000;
        Checkpoint::new(MODEL, self.version, at_ms, Vec::new(), (sections, unchanged), &[])
    }

    pub(super) fn restore(sections: &[Section]) -> Self {
        let numbers: Vec<u64> =
            sections[0].bytes.chunks(8).map(|n| u64::from_le_bytes(n.try_into().unwrap())).collect();
        Self { version: numbers[0], chain: numbers[1], position: [numbers[2], numbers[3]], slow: numbers[4] }
    }
}

/// The keys of the dead letters before a position.
pub(super) fn bad_before(position: &[u64; PARTITIONS]) -> BTreeSet<Key> {
    let keys = (0..PARTITIONS).flat_map(|partition| (0..position[partition]).map(move |offset| (partition, offset)));
    keys.filter(|&(partition, offset)| is_bad(record(partition, offset))).collect()
}

/// The fold of a journal up to a version.
pub(super) fn state_of(entries: &[Entry], version: u64) -> Toy {
    let mut toy = Toy::new();
    for entry in entries.iter().filter(|entry| entry.to <= version) {
        toy.fold(entry).expect("the journal is contiguous");
    }
    toy
}
