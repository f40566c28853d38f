//! What durable state needs of a file system, and the real one. A trait, so that tests can put the worst disk under it.

use std::any::Any;
use std::fmt::Debug;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// To be read.
    Read,
    /// To be written; it is there already.
    Write,
    /// To be written; made, or emptied if it is there.
    Create,
}

/// A file system. Paths are as given; every folder above is there.
pub(crate) trait Disk: Debug + Send + Sync {
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn DiskFile>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// With all that is in it.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    fn is_folder(&self, path: &Path) -> bool;
    fn is_file(&self, path: &Path) -> bool;
    /// The names in a folder, in no order.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// fsync: what was made, renamed or removed in it stays so.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Takes a lock that ends with what is returned; `None`: somebody holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
}

/// Held while it lives.
pub(crate) type Lock = Box<dyn Any + Send + Sync>;

/// An open file.
pub(crate) trait DiskFile: Read + Write + Seek + Send {
    fn length(&self) -> io::Result<u64>;
    fn set_length(&self, bytes: u64) -> io::Result<()>;
    /// fsync: content and length are on the disk afterwards.
    fn sync_all(&self) -> io::Result<()>;
    /// fdatasync: content, and the length as far as reading needs it.
    fn sync_data(&self) -> io::Result<()>;
}

/// The operating system's.
#[derive(Debug)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn DiskFile>> {
        let file = match how {
            How::Read => File::open(path),
            How::Write => File::options().write(true).open(path),
            How::Create => File::create(path),
        };
        Ok(Box::new(file?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = File::options().create(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }
}
