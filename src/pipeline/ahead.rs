//! What the journal says ahead of a state: what was decided last holds from the first moment on, not only once the journal
//! is folded again.

use std::ops::Range;

use checkpoints::{CheckpointError, Entries};
use fold::{Decision, Entry, Fold, FoldConfig, Live};

use super::replay::{TailError, entry_of};

/// How things stand at the journal's end.
pub struct Ahead {
    /// What is to be served.
    pub live: Live,
    /// What decides the fold.
    pub config: FoldConfig,
    /// Versions whose records are left out, as they were gone.
    pub left_out: Vec<Range<u64>>,
    /// By which fold version a state of an older one was gone on from last, and which state.
    pub carried: Option<(u32, u64)>,
}

impl Ahead {
    /// Reads `entries`, those behind the state.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn of(fold: &Fold, entries: Entries) -> Result<Self, TailError> {
        let mut ahead = Self { live: fold.live(), config: fold.config().clone(), left_out: Vec::new(), carried: None };
        for frame in entries {
            let frame: Result<_, CheckpointError> = frame;
            let frame = frame?;
            let Entry::Decided { decision, .. } = entry_of(&frame)? else { continue };
            match decision {
                Decision::Pin { version } => ahead.live = Live::Pinned(version),
                Decision::Follow => ahead.live = Live::Follow,
                Decision::Configure { config } => ahead.config = *config,
                Decision::AcceptGap { since, .. } if since < frame.from => ahead.left_out.push(since..frame.from),
                Decision::Carry { fold_version, since } => ahead.carried = Some((fold_version, since)),
                _ => {}
            }
        }
        Ok(ahead)
    }
}
