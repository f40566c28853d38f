//! Names of files and folders, and changes of them that are not on the disk yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Names, as the process sees them or as they are on the disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) folders: BTreeSet<PathBuf>,
    pub(super) files: BTreeMap<PathBuf, u64>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Folder(PathBuf),
    File(PathBuf, u64),
    Renamed(PathBuf, PathBuf, u64),
    FolderRenamed(PathBuf, PathBuf),
    Removed(PathBuf),
    FolderRemoved(PathBuf),
}

impl Change {
    pub(super) fn folder(&self) -> &Path {
        let (Self::Folder(path)
        | Self::File(path, _)
        | Self::Renamed(path, ..)
        | Self::FolderRenamed(path, _)
        | Self::Removed(path)
        | Self::FolderRemoved(path)) = self;
        path.parent().unwrap_or(Path::new(""))
    }
}

impl Names {
    pub(super) fn has_place(&self, path: &Path) -> bool {
        path.parent().is_none_or(|p| p == Path::new("/") || self.folders.contains(p))
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Folder(path) if self.has_place(path) => drop(self.folders.insert(path.clone())),
            Change::File(path, id) if self.has_place(path) => drop(self.files.insert(path.clone(), *id)),
            Change::Renamed(from, to, id) if self.has_place(to) => {
                if self.files.get(from) == Some(id) {
                    self.files.remove(from);
                }
                self.files.insert(to.clone(), *id);
            }
            Change::FolderRenamed(from, to) if self.folders.contains(from) => {
                let moved = |path: &PathBuf| match path.strip_prefix(from) {
                    Ok(rest) if rest.as_os_str().is_empty() => to.clone(),
                    Ok(rest) => to.join(rest),
                    Err(_) => path.clone(),
                };
                self.folders = self.folders.iter().map(moved).collect();
                self.files = self.files.iter().map(|(path, id)| (moved(path), *id)).collect();
            }
            Change::Removed(path) => drop(self.files.remove(path)),
            Change::FolderRemoved(path) => {
                self.folders.retain(|other| !other.starts_with(path));
                self.files.retain(|other, _| !other.starts_with(path));
            }
            _ => {}
        }
    }
}
