//! Files that never change, named by the hash of their content: the bytes of sections.
//!
//! ```text
//! "PRNLBLOB" | format u16 = 1 | kind u8 (1 section, 2 pack) | name | layout u16 | body length u64 | blake3 of the body 32
//! | check 8 | body
//! ```
//! A pack holds a checkpoint's small sections one after the other, then its manifest, then the manifest's length (u32): a
//! dozen small sections cost one fsync, and manifests can be rebuilt from the packs. All lie in one folder, so that a
//! commit needs one fsync of a folder.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::bytes::{Hash, Reader, Writer, check, hex};
use crate::checkpoint::{Checkpoint, Section, Unchanged};
use crate::disk::Disk;
use crate::durable;
use crate::error::CheckpointError;
use crate::failpoints;
use crate::record::{Manifest, SectionPlace};

const MAGIC: &[u8; 8] = b"PRNLBLOB";
const FORMAT: u16 = 1;
const SECTION: u8 = 1;
const PACK: u8 = 2;
/// Smaller sections go into the pack; larger ones are files of their own and are not written again while unchanged. A block
/// of 1,024 rows that wait, or of their names, is larger.
pub const OWN_FILE_FROM_BYTES: usize = 16 << 10;

/// The blobs of one model.
pub(crate) struct Blobs {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    own_file_from_bytes: usize,
    /// The folder is there, and durably so.
    is_made: bool,
    /// Written or verified by this process: may be relied on without reading them again.
    trusted: HashSet<Hash>,
    /// Manifests that stand in their packs alone, as far as they were read.
    manifests: HashMap<Hash, Manifest>,
    /// Bytes and files written so far.
    pub(crate) written: (u64, u32),
}

struct Blob {
    kind: u8,
    body: Vec<u8>,
}

impl Blobs {
    pub(crate) fn open(disk: Arc<dyn Disk>, dir: PathBuf, own_file_from_bytes: usize) -> Self {
        Self {
            disk,
            dir,
            own_file_from_bytes,
            is_made: false,
            trusted: HashSet::new(),
            manifests: HashMap::new(),
            written: (0, 0),
        }
    }

    /// Makes all sections durable and returns the manifest that names them.
    pub(crate) fn write(&mut self, c: &Checkpoint, parent: Option<u64>) -> Result<Manifest, CheckpointError> {
        if !self.is_made {
            durable::make_folder(&*self.disk, &self.dir)?;
            self.is_made = true;
        }
        let mut manifest = Manifest::of(c, parent);
        let mut pack = Writer::default();
        for Section { name, version, bytes } in &c.sections {
            let (blob, offset) = if bytes.len() < self.own_file_from_bytes {
                pack.raw(bytes);
                (None, (pack.0.len() - bytes.len()) as u64)
            } else {
                (Some(self.put(SECTION, name, *version, bytes)?), 0)
            };
            let (length, hash) = (bytes.len() as u64, blob.unwrap_or_else(|| *blake3::hash(bytes).as_bytes()));
            manifest.sections.push(SectionPlace { name: name.clone(), version: *version, blob, offset, length, hash });
        }
        for Unchanged { name, version, length, hash } in &c.unchanged {
            if !self.has(hash) {
                return Err(CheckpointError::NotStored(name.clone()));
            }
            let (name, version, blob) = (name.clone(), *version, Some(*hash));
            manifest.sections.push(SectionPlace { name, version, blob, offset: 0, length: *length, hash: *hash });
        }
        let own = manifest.to_bytes();
        pack.raw(&own).u32(u32::try_from(own.len()).expect("manifests are bounded"));
        manifest.pack = self.put(PACK, &c.model, 0, &pack.0)?;
        durable::sync_folder(&*self.disk, &self.dir)?;
        Ok(manifest)
    }

    fn put(&mut self, kind: u8, name: &str, layout: u16, body: &[u8]) -> Result<Hash, CheckpointError> {
        let hash = *blake3::hash(body).as_bytes();
        if self.has(&hash) {
            return Ok(hash);
        }
        let mut header = Writer::default();
        header.raw(MAGIC).u16(FORMAT).u8(kind).blob(name.as_bytes()).u16(layout).u64(body.len() as u64).raw(&hash);
        let sum = check(&header.0);
        header.raw(&sum);
        durable::write_whole(&*self.disk, &self.dir.join(hex(&hash)), &[&header.0, body])?;
        self.trusted.insert(hash);
        self.written = (self.written.0 + (header.0.len() + body.len()) as u64, self.written.1 + 1);
        Ok(hash)
    }

    /// Whether it is there and good. What another process wrote is read once before it is relied on.
    fn has(&mut self, hash: &Hash) -> bool {
        let is_good = match self.trusted.contains(hash) {
            true => self.disk.is_file(&self.dir.join(hex(hash))),
            false => self.read(hash).is_ok(),
        };
        if is_good {
            self.trusted.insert(*hash);
        } else {
            self.trusted.remove(hash);
        }
        is_good
    }

    fn read(&self, hash: &Hash) -> Result<Blob, CheckpointError> {
        let path = self.dir.join(hex(hash));
        let mut bytes = durable::read(&*self.disk, &path)?;
        let bad = |what: &str| CheckpointError::corrupt(&path, 0, what);
        let mut r = Reader::new(&bytes);
        let mut header = || {
            let (magic, format, kind) = (r.raw(8)?, r.u16()?, r.u8()?);
            let (name, _layout, length, hash) = (r.blob()?, r.u16()?, r.u64()?, r.hash()?);
            let header_bytes = 8 + 2 + 1 + 4 + name.len() + 2 + 8 + 32;
            (r.raw(8)? == check(&bytes[..header_bytes])).then_some((
                magic,
                format,
                kind,
                length,
                hash,
                header_bytes + 8,
            ))
        };
        let (magic, format, kind, length, own_hash, start) = header().ok_or_else(|| bad("the header is damaged"))?;
        if magic != MAGIC || own_hash != *hash {
            return Err(bad("this is another file than its name says"));
        }
        if format != FORMAT {
            return Err(CheckpointError::Format {
                path,
                found: format!("blob {format}"),
                expected: format!("blob {FORMAT}"),
            });
        }
        if (bytes.len() - start) as u64 != length {
            return Err(bad(&format!("the body has {} bytes instead of {length}", bytes.len() - start)));
        }
        bytes.drain(..start);
        if *blake3::hash(&bytes).as_bytes() != *hash {
            return Err(bad("the body's hash does not match"));
        }
        Ok(Blob { kind, body: bytes })
    }

    /// Reads and verifies every section that a manifest names.
    pub(crate) fn load(&mut self, manifest: &Manifest) -> Result<Checkpoint, CheckpointError> {
        let pack = self.read(&manifest.pack)?.body;
        let mut sections = Vec::with_capacity(manifest.sections.len());
        for place in &manifest.sections {
            let own = place.blob.map(|hash| self.read(&hash)).transpose()?;
            let body = own.as_ref().map_or(&pack, |blob| &blob.body);
            let bytes = slice(body, place.offset, place.length)
                .filter(|bytes| *blake3::hash(bytes).as_bytes() == place.hash)
                .ok_or_else(|| {
                    let path = self.dir.join(hex(&place.blob.unwrap_or(manifest.pack)));
                    CheckpointError::corrupt(&path, place.offset, format!("it does not hold section {}", place.name))
                })?;
            sections.push(Section { name: place.name.clone(), version: place.version, bytes: bytes.to_vec() });
        }
        self.trusted.extend(manifest.blobs());
        Ok(Checkpoint {
            model: manifest.model.clone(),
            version: manifest.version,
            created_at_ms: manifest.created_at_ms,
            state_hash: manifest.state_hash,
            model_hash: manifest.model_hash,
            meta: manifest.meta.clone(),
            sections,
            unchanged: Vec::new(),
        })
    }

    /// Makes durable the names of all that is there: a process that was killed may not have come to it.
    pub(crate) fn settle(&self) -> Result<(), CheckpointError> {
        durable::sync_folder(&*self.disk, &self.dir)
    }

    /// The manifests in packs that `named` does not hold; what is damaged is passed over.
    pub(crate) fn unnamed_manifests(&self, named: &HashSet<Hash>) -> Result<Vec<Manifest>, CheckpointError> {
        let mut found = Vec::new();
        for hash in self.hashes()?.into_iter().filter(|hash| !named.contains(hash)) {
            let body = match self.read(&hash) {
                Ok(Blob { kind: PACK, body }) => body,
                // What cannot be read now is not lost: better not to open than to forget it.
                Err(e) if e.is_refusal() => return Err(e),
                _ => continue,
            };
            found.extend(manifest_of(&body, hash).ok());
        }
        Ok(found)
    }

    /// The manifest that ends this pack; the error says what is wrong.
    pub(crate) fn manifest(&mut self, pack: &Hash) -> Result<Manifest, String> {
        if let Some(manifest) = self.manifests.get(pack) {
            return Ok(manifest.clone());
        }
        let manifest = manifest_of(&self.read(pack).map_err(|e| e.to_string())?.body, *pack)?;
        self.manifests.insert(*pack, manifest.clone());
        Ok(manifest)
    }

    /// Removes what `named` does not hold, and unfinished files; how many.
    pub(crate) fn sweep(&mut self, named: &HashSet<Hash>) -> Result<usize, CheckpointError> {
        self.trusted.retain(|hash| named.contains(hash));
        self.manifests.retain(|pack, _| named.contains(pack));
        let mut removed = 0;
        for name in durable::names_in(&*self.disk, &self.dir)? {
            let is_lost = match blake3::Hash::from_hex(&name) {
                Ok(hash) => !named.contains(hash.as_bytes()),
                Err(_) => name.ends_with(durable::UNFINISHED),
            };
            if is_lost {
                durable::remove_file(&*self.disk, &self.dir.join(name))?;
                failpoints::reach("prune.blob")?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn hashes(&self) -> Result<Vec<Hash>, CheckpointError> {
        let names = durable::names_in(&*self.disk, &self.dir)?;
        Ok(names.iter().filter_map(|name| blake3::Hash::from_hex(name).ok()).map(|hash| *hash.as_bytes()).collect())
    }
}

/// The manifest at the end of a pack's body.
fn manifest_of(body: &[u8], pack: Hash) -> Result<Manifest, String> {
    let own = body.split_last_chunk::<4>().and_then(|(rest, length)| {
        let start = rest.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
        Some(&rest[start..])
    });
    Manifest::from_bytes(own.ok_or("the pack has no manifest")?, pack)
}

fn slice(body: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    body.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}
