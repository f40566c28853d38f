//! Writing so that it survives a power cut: the fsyncs, counted, and the way by a temporary name.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::disk::{Disk, DiskFile, How};
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

fn counted(synced: io::Result<()>, path: &Path) -> Result<(), CheckpointError> {
    SYNCS.set(SYNCS.get() + 1);
    synced.map_err(CheckpointError::io(path))
}

/// fsync: content and length are on the disk afterwards.
pub(crate) fn sync_file(file: &dyn DiskFile, path: &Path) -> Result<(), CheckpointError> {
    counted(file.sync_all(), path)
}

/// fdatasync: content, and the length as far as reading needs it.
pub(crate) fn sync_data(file: &dyn DiskFile, path: &Path) -> Result<(), CheckpointError> {
    counted(file.sync_data(), path)
}

/// fsync of a folder: what was created, renamed or removed in it stays so.
pub(crate) fn sync_folder(disk: &dyn Disk, path: &Path) -> Result<(), CheckpointError> {
    counted(disk.sync_folder(path), path)
}

/// Makes a folder and those above it; it is durable when this returns, also if it was there already: whoever made it may
/// have been killed, or refused, before the fsync.
pub(crate) fn make_folder(disk: &dyn Disk, path: &Path) -> Result<(), CheckpointError> {
    let above = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if disk.is_folder(path) {
        return match sync_folder(disk, above) {
            // Who may not read it did not make it.
            Err(CheckpointError::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        };
    }
    make_folder(disk, above)?;
    match disk.make_folder(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(CheckpointError::io(path)(e)),
        _ => sync_folder(disk, above),
    }
}

/// Writes a file that appears whole or not at all: temporary name, content, fsync, rename. The folder's fsync is left to
/// the caller, who may have several files to make.
pub(crate) fn write_whole(disk: &dyn Disk, path: &Path, parts: &[&[u8]]) -> Result<(), CheckpointError> {
    let unfinished = path.with_extension(UNFINISHED);
    let io = || CheckpointError::io(&unfinished);
    let mut file = disk.open(&unfinished, How::Create).map_err(io())?;
    for part in parts {
        file.write_all(part).map_err(io())?;
    }
    failpoints::reach("file.written")?;
    sync_file(&*file, &unfinished)?;
    failpoints::reach("file.synced")?;
    disk.rename(&unfinished, path).map_err(io())?;
    failpoints::reach("file.renamed")
}

/// A whole file.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let mut bytes = Vec::new();
    let mut file = disk.open(path, How::Read).map_err(CheckpointError::io(path))?;
    bytes.reserve(file.length().map_or(0, |length| usize::try_from(length).unwrap_or(0)));
    file.read_to_end(&mut bytes).map_err(CheckpointError::io(path))?;
    Ok(bytes)
}

/// Removes a file that may be gone already.
pub(crate) fn remove_file(disk: &dyn Disk, path: &Path) -> Result<(), CheckpointError> {
    match disk.remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(CheckpointError::io(path)(e)),
        _ => Ok(()),
    }
}

/// The names in a folder, sorted; none if it is not there.
pub(crate) fn names_in(disk: &dyn Disk, path: &Path) -> Result<Vec<String>, CheckpointError> {
    match disk.names(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        names => {
            let mut names = names.map_err(CheckpointError::io(path))?;
            names.sort_unstable();
            Ok(names)
        }
    }
}
