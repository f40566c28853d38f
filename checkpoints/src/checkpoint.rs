//! What is saved: named sections and a few facts about them.

use std::collections::BTreeSet;

use crate::bytes::{Hash, Writer};
use crate::error::CheckpointError;

/// A named, versioned piece of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Unique within the checkpoint; never changes its meaning.
    pub name: String,
    /// The layout of the bytes.
    pub version: u16,
    /// The content; opaque here.
    pub bytes: Vec<u8>,
}

/// A model's state at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose.
    pub model: String,
    /// Records and decisions folded so far.
    pub version: u64,
    /// When it was taken, milliseconds since 1970 (UTC); decides what is kept, nothing else.
    pub created_at_ms: i64,
    /// [`hash_sections`] over all sections.
    pub state_hash: Hash,
    /// [`hash_sections`] without position and journal.
    pub model_hash: Hash,
    /// Position, events trained and the like; opaque here, at most [`Checkpoint::MAX_META_BYTES`].
    pub meta: Vec<u8>,
    /// The state.
    pub sections: Vec<Section>,
}

impl Checkpoint {
    /// The manifest stays small, so that its database does; what is larger is a section.
    pub const MAX_META_BYTES: usize = 32 << 10;
    /// More sections than this are not a checkpoint: a million rows that wait are a thousand of them.
    pub const MAX_SECTIONS: usize = 1 << 16;
    const MAX_NAME_BYTES: usize = 64;

    pub(crate) fn check(&self) -> Result<(), CheckpointError> {
        let limit = |what: &str, bytes: usize, limit: usize| match bytes <= limit {
            true => Ok(()),
            false => Err(CheckpointError::TooLarge { what: what.into(), bytes: bytes as u64, limit: limit as u64 }),
        };
        limit("a checkpoint's meta", self.meta.len(), Self::MAX_META_BYTES)?;
        limit("a checkpoint's list of sections", self.sections.len(), Self::MAX_SECTIONS)?;
        let mut names = BTreeSet::new();
        for section in &self.sections {
            limit(&format!("the section name {}", section.name), section.name.len(), Self::MAX_NAME_BYTES)?;
            if !names.insert(&section.name) {
                return Err(CheckpointError::DuplicateSection(section.name.clone()));
            }
        }
        Ok(())
    }
}

/// blake3 over (name, layout version, blake3 of the bytes) of every section in name order, those named in `leave_out`
/// left out. The order they come in does not matter.
#[must_use]
pub fn hash_sections(sections: &[Section], leave_out: &[&str]) -> Hash {
    let [hash] = hash_all(sections, [leave_out]);
    hash
}

/// [`hash_sections`] of all sections, and without those named in `leave_out`: each section is read once.
#[must_use]
pub fn hash_both(sections: &[Section], leave_out: &[&str]) -> (Hash, Hash) {
    let [all, left] = hash_all(sections, [&[], leave_out]);
    (all, left)
}

fn hash_all<const N: usize>(sections: &[Section], leave_out: [&[&str]; N]) -> [Hash; N] {
    let mut sorted: Vec<&Section> = sections.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut writers = [(); N].map(|()| Writer::default());
    for section in sorted {
        let mut hash = None;
        for (w, leave_out) in writers.iter_mut().zip(leave_out) {
            if !leave_out.contains(&section.name.as_str()) {
                let hash = hash.get_or_insert_with(|| blake3::hash(&section.bytes));
                w.blob(section.name.as_bytes()).u16(section.version).raw(hash.as_bytes());
            }
        }
    }
    writers.map(|w| *blake3::hash(&w.0).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(name: &str, version: u16, bytes: &[u8]) -> Section {
        Section { name: name.into(), version, bytes: bytes.to_vec() }
    }

    #[test]
    fn the_hash_sees_names_layouts_and_bytes_but_not_the_order() {
        let (a, b) = (section("a", 1, b"xy"), section("b", 2, b""));
        let hash = hash_sections(&[a.clone(), b.clone()], &[]);
        assert_eq!(hash, hash_sections(&[b.clone(), a.clone()], &[]));
        assert_eq!(hash_sections(std::slice::from_ref(&b), &[]), hash_sections(&[a.clone(), b.clone()], &["a"]));
        let others = [section("c", 1, b"xy"), section("a", 2, b"xy"), section("a", 1, b"xz"), section("a", 1, b"x")];
        for other in others {
            assert_ne!(hash, hash_sections(&[other, b.clone()], &[]));
        }
        let both = [a.clone(), b.clone()];
        assert_eq!(hash_both(&both, &["a"]), (hash, hash_sections(&both, &["a"])));
    }

    #[test]
    fn golden_hash() {
        let hash =
            hash_sections(&[section("linear", 3, b"weights"), section("position", 1, &[0, 1, 2])], &["position"]);
        assert_eq!(crate::bytes::hex(&hash), "294d5095558cdafba3f491b38025e642a2755d1fe29be95f654eef10b25da91f");
    }
}
