//! The database of manifests; the only file that knows which one it is (sled 0.34).
//!
//! One tree a model, key = version (big-endian), value = opaque bytes. What sled needs from us, each seen to matter:
//! a leftover of a snapshot being written makes every later open fail, so it is deleted first (its rename comes only after
//! its fsync, nothing is lost); `flush` is not an fsync, so the file `db` is fsynced here; an error of writing sticks, so
//! the database is closed and opened again; closing it panics if its own fsync fails; whoever waits for a write of another
//! thread that fails is not told, so he is woken.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sled::transaction::TransactionError;

use crate::disk::RealDisk;
use crate::durable;
use crate::error::CheckpointError;
use crate::failpoints;
use crate::index::Index;

const CACHE_BYTES: u64 = 16 << 20;
/// sled lets go of its lock a little after it is dropped.
const OPEN_TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// How often it is looked whether somebody waits for what has failed.
const WAKE_EVERY: Duration = Duration::from_millis(100);

/// The open database.
pub(crate) struct Manifests {
    dir: PathBuf,
    db: Option<sled::Db>,
}

enum OpenError {
    /// Its content is not what was written.
    Damaged(String),
    Refused(CheckpointError),
}

impl Manifests {
    /// Opens or makes it. One that is damaged is moved aside, never deleted, and an empty one takes its place.
    pub(crate) fn open(dir: PathBuf) -> Result<Self, CheckpointError> {
        let mut manifests = Self { dir, db: None };
        manifests.reopen()?;
        Ok(manifests)
    }

    /// What its fsync did not write is not there when it is opened again, and is written again.
    fn close(&mut self) {
        let Some(db) = self.db.take() else { return };
        // Dropping it, which nobody could be woken from, then has nothing to wait for.
        let _ = waking(&db, || db.flush());
        if catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
            tracing::warn!(dir = %self.dir.display(), "the manifest database could not write when it was closed");
        }
    }

    fn db(&self) -> Result<&sled::Db, CheckpointError> {
        self.db.as_ref().ok_or_else(|| CheckpointError::Database("it is closed".into()))
    }
}

impl Drop for Manifests {
    fn drop(&mut self) {
        self.close();
    }
}

impl Index for Manifests {
    fn reopen(&mut self) -> Result<bool, CheckpointError> {
        self.close();
        let mut pause = FIRST_PAUSE;
        for last_try in (0..OPEN_TRIES).map(|n| n + 1 == OPEN_TRIES) {
            match open(&self.dir) {
                Ok(db) => {
                    self.db = Some(db);
                    return Ok(false);
                }
                Err(OpenError::Damaged(message)) => {
                    let aside = move_aside(&self.dir)?;
                    tracing::warn!(%message, moved_to = %aside.display(),
                        "the manifest database is damaged: moved aside, manifests are rebuilt from the blobs");
                    match open(&self.dir) {
                        Ok(db) => self.db = Some(db),
                        Err(OpenError::Damaged(message)) => return Err(CheckpointError::Database(message)),
                        Err(OpenError::Refused(e)) => return Err(e),
                    }
                    return Ok(true);
                }
                Err(OpenError::Refused(e)) if last_try => return Err(e),
                Err(OpenError::Refused(_)) => {
                    thread::sleep(pause);
                    pause *= 2;
                }
            }
        }
        unreachable!("the last try returns")
    }

    fn all(&self, model: &str) -> Result<Vec<(u64, Vec<u8>)>, CheckpointError> {
        let mut all = Vec::new();
        for item in &self.db()?.open_tree(model).map_err(database)? {
            let (key, value) = item.map_err(database)?;
            if let Ok(key) = key.as_ref().try_into() {
                all.push((u64::from_be_bytes(key), value.to_vec()));
            }
        }
        Ok(all)
    }

    fn write(&self, model: &str, put: &[(u64, Vec<u8>)], gone: &[u64]) -> Result<(), CheckpointError> {
        let db = self.db()?;
        let tree = db.open_tree(model).map_err(database)?;
        let done: Result<(), TransactionError<()>> = waking(db, || {
            tree.transaction(|t| {
                for (version, value) in put {
                    t.insert(&version.to_be_bytes(), value.as_slice())?;
                }
                for version in gone {
                    t.remove(&version.to_be_bytes())?;
                }
                Ok(())
            })
        });
        done.map_err(|e| CheckpointError::Database(format!("{e:?}")))?;
        failpoints::reach("manifest.written")?;
        waking(db, || tree.flush()).map_err(database)?;
        failpoints::reach("manifest.flushed")?;
        let file = self.dir.join("db");
        durable::sync_file(&File::open(&file).map_err(CheckpointError::io(&file))?, &file)?;
        failpoints::reach("manifest.synced")
    }
}

/// Does something that waits for sled's writing threads. One of them whose write fails says so to nobody, but a flush by
/// anybody else tells all who wait.
fn waking<T>(db: &sled::Db, work: impl FnOnce() -> T) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    let wake = move || {
        while is_done.recv_timeout(WAKE_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
            if db.context.global_error().is_err() {
                let _ = db.flush();
            }
        }
    };
    thread::scope(|scope| {
        // Without a thread left it goes as well as it goes.
        let _watch = thread::Builder::new().name("manifests".into()).spawn_scoped(scope, wake);
        let result = work();
        drop(done);
        result
    })
}

fn open(dir: &Path) -> Result<sled::Db, OpenError> {
    make_ready(dir).map_err(OpenError::Refused)?;
    // sled panics at some kinds of damage.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let config = sled::Config::new().path(dir).mode(sled::Mode::LowSpace).cache_capacity(CACHE_BYTES);
        let db = config.flush_every_ms(None).open()?;
        for name in db.tree_names() {
            for item in &db.open_tree(name)? {
                item?;
            }
        }
        Ok::<_, sled::Error>(db)
    }));
    match opened {
        Ok(Ok(db)) => {
            sync_all(dir).map_err(OpenError::Refused)?;
            Ok(db)
        }
        Ok(Err(sled::Error::Io(e))) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(OpenError::Refused(CheckpointError::io(dir)(e)))
        }
        Ok(Err(e)) => Err(OpenError::Damaged(e.to_string())),
        Err(_) => Err(OpenError::Damaged("it could not be read without a panic".into())),
    }
}

fn make_ready(dir: &Path) -> Result<(), CheckpointError> {
    durable::make_folder(&RealDisk, dir)?;
    for name in durable::names_in(&RealDisk, dir)? {
        if name.starts_with("snap.") && name.ends_with(".generating") {
            durable::remove_file(&RealDisk, &dir.join(name))?;
        }
    }
    Ok(())
}

fn sync_all(dir: &Path) -> Result<(), CheckpointError> {
    for name in durable::names_in(&RealDisk, dir)? {
        let path = dir.join(name);
        if path.is_file() {
            durable::sync_file(&File::open(&path).map_err(CheckpointError::io(&path))?, &path)?;
        }
    }
    durable::sync_folder(&RealDisk, dir)
}

fn move_aside(dir: &Path) -> Result<PathBuf, CheckpointError> {
    let aside = (1..).map(|n| dir.with_extension(format!("damaged-{n}"))).find(|path| !path.exists());
    let aside = aside.expect("the numbers do not end");
    fs::rename(dir, &aside).map_err(CheckpointError::io(dir))?;
    if let Some(above) = dir.parent() {
        durable::sync_folder(&RealDisk, above)?;
    }
    Ok(aside)
}

fn database(e: sled::Error) -> CheckpointError {
    CheckpointError::Database(e.to_string())
}
