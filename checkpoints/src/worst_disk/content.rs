//! The bytes of a file: as the process sees them, as they are on the disk, and what lies between.

use super::Random;

#[derive(Clone, Debug)]
pub(super) enum Dirty {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) seen: Vec<u8>,
    pub(super) kept: Vec<u8>,
    pub(super) dirty: Vec<Dirty>,
}

pub(super) fn apply(bytes: &mut Vec<u8>, dirty: &Dirty) {
    match dirty {
        Dirty::Length(length) => bytes.resize(*length, 0),
        Dirty::Write(at, written) => {
            bytes.resize(bytes.len().max(at + written.len()), 0);
            bytes[*at..at + written.len()].copy_from_slice(written);
        }
    }
}

impl Content {
    pub(super) fn change(&mut self, dirty: Dirty) {
        apply(&mut self.seen, &dirty);
        self.dirty.push(dirty);
    }

    /// What is not synced gets to the disk, or does not, or in part.
    pub(super) fn settle(&mut self, random: &mut Random) {
        for dirty in std::mem::take(&mut self.dirty) {
            match (random.below(4), &dirty) {
                (0, _) => apply(&mut self.kept, &dirty),
                (1, Dirty::Write(at, written)) => {
                    let torn = random.below(written.len() as u64 + 1) as usize;
                    apply(&mut self.kept, &Dirty::Write(*at, written[..torn].to_vec()));
                }
                // The length is there, the content is not.
                (2, Dirty::Write(at, written)) => {
                    let length = self.kept.len().max(at + written.len());
                    self.kept.resize(length, 0);
                }
                _ => {}
            }
        }
    }
}
