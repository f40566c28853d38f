//! A model in one file, to be taken to another machine: its journal up to a version, and the state of that version.
//!
//! ```text
//! "PRNLMODL" | format u16 = 1 | model
//! | for each entry:   1 u8 | from u64 | to u64 | payload
//! | for each section: 2 u8 | name | layout u16 | bytes
//! | 3 u8 | version u64 | created at ms i64 | state hash 32 | model hash 32 | meta | blake3 of all before 32
//! ```
//! Little-endian; names, payloads and bytes are a u64 length and bytes.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::bytes::Hash;
use crate::checkpoint::{Checkpoint, Section, hash_sections};
use crate::disk::RealDisk;
use crate::durable;
use crate::error::CheckpointError;
use crate::journal::{Entry, FileJournal, Journal};
use crate::state_dir::StateDir;
use crate::store::CheckpointStore;

const MAGIC: &[u8; 8] = b"PRNLMODL";
const FORMAT: u16 = 1;
const ENTRY: u8 = 1;
const SECTION: u8 = 2;
const END: u8 = 3;

/// Writes a model's file; it appears whole or not at all. `entries` are its whole journal up to the checkpoint's version.
///
/// # Errors
/// The journal cannot be read, or the disk refuses.
pub fn export(
    path: &Path,
    entries: impl Iterator<Item = Result<Entry, CheckpointError>>,
    checkpoint: &Checkpoint,
) -> Result<(), CheckpointError> {
    let io = || CheckpointError::io(path);
    let unfinished = path.with_extension(durable::UNFINISHED);
    let file = File::create(&unfinished).map_err(CheckpointError::io(&unfinished))?;
    let mut out = Hashing { inner: BufWriter::new(file), hasher: blake3::Hasher::new() };
    out.write_all(MAGIC).map_err(io())?;
    out.write_all(&FORMAT.to_le_bytes()).map_err(io())?;
    put(&mut out, checkpoint.model.as_bytes()).map_err(io())?;
    for entry in entries {
        let Entry { from, to, payload } = entry?;
        out.write_all(&[ENTRY]).map_err(io())?;
        out.write_all(&from.to_le_bytes()).map_err(io())?;
        out.write_all(&to.to_le_bytes()).map_err(io())?;
        put(&mut out, &payload).map_err(io())?;
    }
    for Section { name, version, bytes } in &checkpoint.sections {
        out.write_all(&[SECTION]).map_err(io())?;
        put(&mut out, name.as_bytes()).map_err(io())?;
        out.write_all(&version.to_le_bytes()).map_err(io())?;
        put(&mut out, bytes).map_err(io())?;
    }
    let facts = [
        &[END][..],
        &checkpoint.version.to_le_bytes(),
        &checkpoint.created_at_ms.to_le_bytes(),
        &checkpoint.state_hash,
        &checkpoint.model_hash,
    ];
    out.write_all(&facts.concat()).map_err(io())?;
    put(&mut out, &checkpoint.meta).map_err(io())?;
    let hash = *out.hasher.finalize().as_bytes();
    out.inner.write_all(&hash).map_err(io())?;
    let file = out.inner.into_inner().map_err(|e| io()(e.into_error()))?;
    durable::sync_file(&file, &unfinished)?;
    std::fs::rename(&unfinished, path).map_err(io())?;
    durable::sync_folder(&RealDisk, path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// A model's file whose every byte was verified.
#[derive(Debug)]
pub struct Exported {
    path: PathBuf,
    /// Whose state it is.
    pub model: String,
    /// The state.
    pub checkpoint: Checkpoint,
    /// The first entry of its journal.
    pub genesis: Entry,
}

impl Exported {
    /// Opens and verifies it.
    ///
    /// # Errors
    /// It cannot be read, is of another format, or is damaged.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        verify(path)?;
        let mut genesis = None;
        let (model, checkpoint) = read(path, |entry| {
            genesis.get_or_insert(entry);
            Ok(())
        })?;
        let bad = |what: &str| CheckpointError::corrupt(path, 0, what);
        if hash_sections(&checkpoint.sections, &[]) != checkpoint.state_hash {
            return Err(bad("its sections are not those of its state's hash"));
        }
        let genesis = genesis.ok_or_else(|| bad("it has no journal"))?;
        Ok(Self { path: path.to_owned(), model, checkpoint, genesis })
    }

    /// Puts it into a state folder as `model`, which may not be there yet; the model goes on from it.
    ///
    /// # Errors
    /// The model is there, or the disk refuses: nothing is left behind then.
    pub fn import(&self, state: &StateDir, store: &dyn CheckpointStore, model: &str) -> Result<(), CheckpointError> {
        if state.models()?.iter().any(|name| name == model) {
            return Err(CheckpointError::ModelExists(model.to_owned()));
        }
        let done = self.put(state, store, model);
        if done.is_err() {
            // The first error is the one to tell.
            let _ = store.remove(model);
        }
        done
    }

    fn put(&self, state: &StateDir, store: &dyn CheckpointStore, model: &str) -> Result<(), CheckpointError> {
        // First: where a crash leaves less of the journal than the state needs, the model is refused.
        store.commit(&Checkpoint { model: model.to_owned(), ..self.checkpoint.clone() })?;
        let mut journal = FileJournal::open(state, model, FileJournal::ROTATE_AT_BYTES)?;
        read(&self.path, |entry| journal.append(&entry))?;
        journal.sync()?;
        let (end, version) = (journal.end(), self.checkpoint.version);
        if end != version {
            let message = format!("its journal ends at version {end}, its state is of version {version}");
            return Err(CheckpointError::corrupt(&self.path, 0, message));
        }
        Ok(())
    }
}

/// Whether the file ends with the hash of all before.
fn verify(path: &Path) -> Result<(), CheckpointError> {
    let io = || CheckpointError::io(path);
    let file = File::open(path).map_err(io())?;
    let length = file.metadata().map_err(io())?.len();
    let mut file = BufReader::new(file);
    let mut hasher = blake3::Hasher::new();
    let mut content = (&mut file).take(length.saturating_sub(32));
    std::io::copy(&mut content, &mut hasher).map_err(io())?;
    let mut found = Vec::new();
    file.read_to_end(&mut found).map_err(io())?;
    if found[..] != hasher.finalize().as_bytes()[..] {
        return Err(CheckpointError::corrupt(path, length, "it is not whole: its hash does not match"));
    }
    Ok(())
}

fn read(
    path: &Path,
    mut entry: impl FnMut(Entry) -> Result<(), CheckpointError>,
) -> Result<(String, Checkpoint), CheckpointError> {
    let file = File::open(path).map_err(CheckpointError::io(path))?;
    let length = file.metadata().map_err(CheckpointError::io(path))?.len();
    let mut from = Parts { path, file: BufReader::new(file), length };
    if from.array::<8>()? != *MAGIC {
        return Err(from.bad("this is no exported model"));
    }
    let format = u16::from_le_bytes(from.array()?);
    if format != FORMAT {
        let (found, expected) = (format!("model {format}"), format!("model {FORMAT}"));
        return Err(CheckpointError::Format { path: path.to_owned(), found, expected });
    }
    let model = from.text()?;
    let mut sections = Vec::new();
    loop {
        match from.array::<1>()? {
            [ENTRY] => {
                let (first, to) = (from.number()?, from.number()?);
                entry(Entry { from: first, to, payload: from.bytes()? })?;
            }
            [SECTION] => {
                let (name, version) = (from.text()?, u16::from_le_bytes(from.array()?));
                sections.push(Section { name, version, bytes: from.bytes()? });
            }
            [END] => break,
            _ => return Err(from.bad("a part of an unknown kind")),
        }
    }
    let (version, created_at_ms) = (from.number()?, i64::from_le_bytes(from.array()?));
    let (state_hash, model_hash): (Hash, Hash) = (from.array()?, from.array()?);
    let meta = from.bytes()?;
    let (name, unchanged) = (model.clone(), Vec::new());
    let checkpoint =
        Checkpoint { model: name, version, created_at_ms, state_hash, model_hash, meta, sections, unchanged };
    Ok((model, checkpoint))
}

struct Parts<'a> {
    path: &'a Path,
    file: BufReader<File>,
    length: u64,
}

impl Parts<'_> {
    fn bad(&self, what: &str) -> CheckpointError {
        CheckpointError::corrupt(self.path, 0, what)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CheckpointError> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => self.bad("it is cut off"),
            _ => CheckpointError::io(self.path)(e),
        })?;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u64, CheckpointError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn bytes(&mut self) -> Result<Vec<u8>, CheckpointError> {
        let n = self.number()?;
        if n > self.length {
            return Err(self.bad("a part is longer than the file"));
        }
        let mut bytes = Vec::new();
        let got = (&mut self.file).take(n).read_to_end(&mut bytes).map_err(CheckpointError::io(self.path))?;
        if got as u64 == n { Ok(bytes) } else { Err(self.bad("it is cut off")) }
    }

    fn text(&mut self) -> Result<String, CheckpointError> {
        String::from_utf8(self.bytes()?).map_err(|_| self.bad("a name is no text"))
    }
}

struct Hashing {
    inner: BufWriter<File>,
    hasher: blake3::Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

fn put(out: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    out.write_all(bytes)
}
