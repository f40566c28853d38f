//! The manifest of a checkpoint: which bytes of which blobs are its sections, and the hashes that prove it.
//!
//! ```text
//! format u16 = 1 | model | version u64 | parent: has u8, u64 | created at ms i64 | state hash 32 | model hash 32 | meta
//! | sections u32, each: name | layout u16 | blob 32 (zeros: the pack) | offset u64 | length u64 | blake3 32 | check 8
//! ```
//! Names and meta are a u32 length and bytes. The same bytes stand in the pack blob (its end) and, behind the pack's own
//! hash, in the database, unless they are many (a thousand sections): then the hash alone. So either can be rebuilt from
//! the other.

use crate::bytes::{Hash, Reader, Writer, check};
use crate::checkpoint::Checkpoint;

const FORMAT: u16 = 1;

/// A checkpoint without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Whose.
    pub model: String,
    /// Records and decisions folded so far.
    pub version: u64,
    /// The newest checkpoint when this one was taken.
    pub parent: Option<u64>,
    /// Milliseconds since 1970 (UTC).
    pub created_at_ms: i64,
    /// Over all sections.
    pub state_hash: Hash,
    /// Without position and journal.
    pub model_hash: Hash,
    /// The caller's own.
    pub meta: Vec<u8>,
    /// Where each section lies.
    pub sections: Vec<SectionPlace>,
    /// The blob that holds the small sections and this manifest.
    pub pack: Hash,
}

/// Where a section's bytes lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionPlace {
    /// Its name.
    pub name: String,
    /// The layout of its bytes.
    pub version: u16,
    /// The blob; `None` = the pack.
    pub blob: Option<Hash>,
    /// First byte within the blob's body.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// Of the bytes.
    pub hash: Hash,
}

impl Manifest {
    /// Of a checkpoint, its sections not yet placed.
    pub(crate) fn of(c: &Checkpoint, parent: Option<u64>) -> Self {
        Self {
            model: c.model.clone(),
            version: c.version,
            parent,
            created_at_ms: c.created_at_ms,
            state_hash: c.state_hash,
            model_hash: c.model_hash,
            meta: c.meta.clone(),
            sections: Vec::with_capacity(c.sections.len() + c.unchanged.len()),
            pack: [0; 32],
        }
    }

    /// Bytes of all sections.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sections.iter().map(|s| s.length).sum()
    }

    /// Every blob it needs.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = Hash> + '_ {
        self.sections.iter().filter_map(|s| s.blob).chain([self.pack])
    }

    /// Its bytes, the pack's hash left out.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.u16(FORMAT).blob(self.model.as_bytes()).u64(self.version);
        w.u8(self.parent.is_some().into()).u64(self.parent.unwrap_or(0)).i64(self.created_at_ms);
        w.raw(&self.state_hash).raw(&self.model_hash).blob(&self.meta);
        w.u32(u32::try_from(self.sections.len()).expect("the number of sections is bounded"));
        for s in &self.sections {
            w.blob(s.name.as_bytes()).u16(s.version).raw(&s.blob.unwrap_or([0; 32]));
            w.u64(s.offset).u64(s.length).raw(&s.hash);
        }
        let sum = check(&w.0);
        w.raw(&sum);
        w.0
    }

    /// Reads it back; the error says what is wrong.
    pub(crate) fn from_bytes(bytes: &[u8], pack: Hash) -> Result<Self, String> {
        let (content, sum) = bytes.split_last_chunk::<8>().ok_or("the manifest is cut off")?;
        if check(content) != *sum {
            return Err("the manifest's check does not match".into());
        }
        let mut r = Reader::new(content);
        match r.u16() {
            Some(FORMAT) => {}
            other => return Err(format!("the manifest is of format {other:?}, this release reads {FORMAT}")),
        }
        parse(&mut r, pack).filter(|_| r.is_empty()).ok_or_else(|| "the manifest does not parse".into())
    }
}

fn parse(r: &mut Reader<'_>, pack: Hash) -> Option<Manifest> {
    let (model, version) = (r.text()?, r.u64()?);
    let (has_parent, parent) = (r.u8()? != 0, r.u64()?);
    let mut manifest = Manifest {
        model,
        version,
        parent: has_parent.then_some(parent),
        created_at_ms: r.i64()?,
        state_hash: r.hash()?,
        model_hash: r.hash()?,
        meta: r.blob()?.to_vec(),
        sections: Vec::new(),
        pack,
    };
    for _ in 0..r.u32()? {
        let (name, version, blob) = (r.text()?, r.u16()?, r.hash()?);
        let blob = (blob != [0; 32]).then_some(blob);
        let (offset, length, hash) = (r.u64()?, r.u64()?, r.hash()?);
        manifest.sections.push(SectionPlace { name, version, blob, offset, length, hash });
    }
    Some(manifest)
}
