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

/// A section that the store holds already, from an earlier checkpoint of the model: its bytes need not be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// As [`Section::name`].
    pub name: String,
    /// As [`Section::version`].
    pub version: u16,
    /// Number of bytes, at least [`crate::OWN_FILE_FROM_BYTES`].
    pub length: u64,
    /// blake3 of the bytes.
    pub hash: Hash,
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
    /// [`hash_sections`] over all sections, those that are unchanged among them.
    pub state_hash: Hash,
    /// [`hash_sections`] without position and journal.
    pub model_hash: Hash,
    /// Position, events trained and the like; opaque here, at most [`Checkpoint::MAX_META_BYTES`].
    pub meta: Vec<u8>,
    /// The state.
    pub sections: Vec<Section>,
    /// More of it. None of a checkpoint that was loaded.
    pub unchanged: Vec<Unchanged>,
}

impl Checkpoint {
    /// The manifest stays small, so that its database does; what is larger is a section.
    pub const MAX_META_BYTES: usize = 32 << 10;
    /// More sections than this are not a checkpoint: a million rows that wait are a thousand of them.
    pub const MAX_SECTIONS: usize = 1 << 16;
    const MAX_NAME_BYTES: usize = 64;

    /// Of a state, with its hashes; `not_the_model` names the sections that the model's hash leaves out.
    #[must_use]
    pub fn new(
        model: &str,
        version: u64,
        created_at_ms: i64,
        meta: Vec<u8>,
        (sections, unchanged): (Vec<Section>, Vec<Unchanged>),
        not_the_model: &[&str],
    ) -> Self {
        let [state_hash, model_hash] = hash_all(&sections, &unchanged, [&[], not_the_model]);
        Self { model: model.to_owned(), version, created_at_ms, state_hash, model_hash, meta, sections, unchanged }
    }

    pub(crate) fn check(&self) -> Result<(), CheckpointError> {
        let limit = |what: &str, bytes: usize, limit: usize| match bytes <= limit {
            true => Ok(()),
            false => Err(CheckpointError::TooLarge { what: what.into(), bytes: bytes as u64, limit: limit as u64 }),
        };
        limit("a checkpoint's meta", self.meta.len(), Self::MAX_META_BYTES)?;
        limit("a checkpoint's list of sections", self.sections.len() + self.unchanged.len(), Self::MAX_SECTIONS)?;
        let mut names = BTreeSet::new();
        for name in self.sections.iter().map(|s| &s.name).chain(self.unchanged.iter().map(|s| &s.name)) {
            limit(&format!("the section name {name}"), name.len(), Self::MAX_NAME_BYTES)?;
            if !names.insert(name) {
                return Err(CheckpointError::DuplicateSection(name.clone()));
            }
        }
        Ok(())
    }
}

/// blake3 over (name, layout version, blake3 of the bytes) of every section in name order, those named in `leave_out`
/// left out. The order they come in does not matter.
#[must_use]
pub fn hash_sections(sections: &[Section], leave_out: &[&str]) -> Hash {
    let [hash] = hash_all(sections, &[], [leave_out]);
    hash
}

/// [`hash_sections`] several times, with others left out: each section is read once.
fn hash_all<const N: usize>(sections: &[Section], unchanged: &[Unchanged], leave_out: [&[&str]; N]) -> [Hash; N] {
    let carried = sections.iter().map(|s| (s.name.as_str(), s.version, *blake3::hash(&s.bytes).as_bytes()));
    let stored = unchanged.iter().map(|s| (s.name.as_str(), s.version, s.hash));
    let mut sorted: Vec<_> = carried.chain(stored).collect();
    sorted.sort_by_key(|(name, _, _)| *name);
    let mut writers = [(); N].map(|()| Writer::default());
    for (name, version, hash) in sorted {
        for (w, leave_out) in writers.iter_mut().zip(leave_out) {
            if !leave_out.contains(&name) {
                w.blob(name.as_bytes()).u16(version).raw(&hash);
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
        let hashes = |sections: Vec<Section>, unchanged: Vec<Unchanged>| {
            let checkpoint = Checkpoint::new("m", 1, 0, vec![], (sections, unchanged), &["a"]);
            (checkpoint.state_hash, checkpoint.model_hash)
        };
        let expected = (hash, hash_sections(&both, &["a"]));
        assert_eq!(hashes(both.to_vec(), vec![]), expected);
        let own = *blake3::hash(&a.bytes).as_bytes();
        let unchanged = Unchanged { name: a.name, version: a.version, length: 2, hash: own };
        assert_eq!(hashes(vec![b], vec![unchanged]), expected, "it need not be given to be counted");
    }

    #[test]
    fn golden_hash() {
        let hash =
            hash_sections(&[section("linear", 3, b"weights"), section("position", 1, &[0, 1, 2])], &["position"]);
        assert_eq!(crate::bytes::hex(&hash), "294d5095558cdafba3f491b38025e642a2755d1fe29be95f654eef10b25da91f");
    }
}
