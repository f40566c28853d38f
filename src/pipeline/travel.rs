//! Any past version of a model: a checkpoint that was kept, or folded again from the nearest older one.

use checkpoints::{Checkpoint, Entry as Frame, Look};

use super::convert::to_store;
use super::meta::Meta;
use super::refold::{Refold, RefoldError};
use super::trainer::MakeSource;

/// A model as it was at a version.
pub struct Past {
    /// Its state.
    pub checkpoint: Checkpoint,
    /// Its journal ends in the middle of an entry: so much of that.
    pub last: Option<Frame>,
    /// The checkpoint it was folded from; `None`: genesis. It is the version itself if that was kept.
    pub from: Option<u64>,
}

/// The model at `version`. The log is read only if no checkpoint of it was kept.
///
/// # Errors
/// No checkpoint leads there with the log that is left, or the version is still to come.
pub fn travel(
    look: &mut Look,
    version: u64,
    make_source: &mut MakeSource,
    now_ms: i64,
    progress: &dyn Fn(u64),
) -> Result<Past, RefoldError> {
    let older: Vec<u64> = look.list()?.iter().map(|l| l.manifest.version).filter(|v| *v <= version).collect();
    let mut from = None;
    for kept in older.into_iter().rev() {
        // One that does not verify is passed over; the one before leads there too.
        if let Ok(checkpoint) = look.load(kept) {
            if kept == version {
                return Ok(Past { checkpoint, last: None, from: Some(kept) });
            }
            from = Some(kept);
            break;
        }
    }
    let mut refold = match from {
        Some(kept) => Refold::from_checkpoint(look, kept, make_source)?,
        None => Refold::from_genesis(look, make_source)?,
    };
    let mut whole = refold.fold.version();
    let part = refold.to(version, |reached| {
        whole = reached.fold.version();
        progress(whole);
        Ok(())
    })?;
    let fold = &refold.fold;
    if fold.version() != version {
        return Err(RefoldError::Gone(format!("version {version}: records up to {} are left out", fold.version())));
    }
    let (meta, sections) = (Meta::of(fold).encode(), (to_store(fold.save()), Vec::new()));
    let checkpoint = Checkpoint::new(look.model(), version, now_ms, meta, sections, fold::NOT_THE_MODEL);
    let last = part.map(|entry| Frame { from: whole, to: version, payload: entry.encode() });
    Ok(Past { checkpoint, last, from })
}
