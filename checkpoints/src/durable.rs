//! Writing so that it survives a power cut: the fsyncs, counted, and the way by a temporary name.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::CheckpointError;
use crate::failpoints;

/// Files of this ending are unfinished and may be deleted whenever nobody writes.
pub(crate) const UNFINISHED: &str = "tmp";

thread_local! {
    static SYNCS: Cell<u32> = const { Cell::new(0) };
}

/// How many fsyncs this thread has asked for.
pub(crate) fn syncs() -> u32 {
    SYNCS.get()
}

/// fsync: content and length are on the disk afterwards.
pub(crate) fn sync_file(file: &File, path: &Path) -> Result<(), CheckpointError> {
    SYNCS.set(SYNCS.get() + 1);
    file.sync_all().map_err(CheckpointError::io(path))
}

/// fdatasync: content, and the length as far as reading needs it.
pub(crate) fn sync_data(file: &File, path: &Path) -> Result<(), CheckpointError> {
    SYNCS.set(SYNCS.get() + 1);
    file.sync_data().map_err(CheckpointError::io(path))
}

/// fsync of a folder: what was created, renamed or removed in it stays so.
pub(crate) fn sync_folder(path: &Path) -> Result<(), CheckpointError> {
    let folder = File::open(path).map_err(CheckpointError::io(path))?;
    sync_file(&folder, path)
}

/// Makes a folder and those above it, durably where one was missing.
pub(crate) fn make_folder(path: &Path) -> Result<(), CheckpointError> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(above)?;
    match fs::create_dir(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(CheckpointError::io(path)(e)),
        _ => sync_folder(above),
    }
}

/// Writes a file that appears whole or not at all: temporary name, content, fsync, rename. The folder's fsync is left to
/// the caller, who may have several files to make.
pub(crate) fn write_whole(path: &Path, parts: &[&[u8]]) -> Result<(), CheckpointError> {
    let unfinished = path.with_extension(UNFINISHED);
    let io = || CheckpointError::io(&unfinished);
    let mut file = File::create(&unfinished).map_err(io())?;
    for part in parts {
        file.write_all(part).map_err(io())?;
    }
    failpoints::reach("file.written")?;
    sync_file(&file, &unfinished)?;
    failpoints::reach("file.synced")?;
    fs::rename(&unfinished, path).map_err(io())?;
    failpoints::reach("file.renamed")
}

/// Removes a file that may be gone already.
pub(crate) fn remove_file(path: &Path) -> Result<(), CheckpointError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(CheckpointError::io(path)(e)),
        _ => Ok(()),
    }
}

/// The names in a folder, sorted; none if it is not there.
pub(crate) fn names_in(path: &Path) -> Result<Vec<String>, CheckpointError> {
    let entries = match fs::read_dir(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(CheckpointError::io(path))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(CheckpointError::io(path))?.file_name();
        names.extend(name.into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}
