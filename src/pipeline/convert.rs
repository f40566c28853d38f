//! The same things as the fold, the store and people have them.

use checkpoints::{Section, Unchanged};
use fold::Sections;

use super::meta::Meta;
use crate::status::{CheckpointInfo, VersionInfo};

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
