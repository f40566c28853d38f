//! Proves kept checkpoints: folds journal and log again and compares hashes.

use std::collections::BTreeMap;

use checkpoints::{Hash, Look, hash_sections};

use super::convert::{hex, to_store};
use super::meta::Meta;
use super::refold::{Refold, RefoldError};
use super::trainer::MakeSource;

/// What was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// From which version on; `None` = from genesis, nothing is trusted.
    pub from: Option<u64>,
    /// Versions whose state came out with the same hash.
    pub versions: Vec<u64>,
    /// The hash of the newest of them.
    pub state_hash: String,
}

/// Folds again from genesis if the log and the release reach back so far, otherwise from the oldest checkpoint kept that a
/// release of this fold version has made, and compares the state at every kept version of its up to `until` (the newest, if
/// `None`). `progress` hears of the version reached.
///
/// # Errors
/// A state differs, or the input needed is gone; or nothing is kept.
pub fn verify(
    look: &mut Look,
    make_source: &mut MakeSource,
    until: Option<u64>,
    progress: &dyn Fn(u64),
) -> Result<Proof, RefoldError> {
    let kept: BTreeMap<u64, Hash> = look
        .list()?
        .into_iter()
        .filter(|listed| Meta::decode(&listed.manifest.meta).made_by(fold::FOLD_VERSION) == fold::FOLD_VERSION)
        .map(|listed| (listed.manifest.version, listed.manifest.state_hash))
        .filter(|(version, _)| until.is_none_or(|until| *version <= until))
        .collect();
    let Some((&oldest, _)) = kept.first_key_value() else {
        return Err(RefoldError::Gone("there is no checkpoint of this release to prove".into()));
    };
    let begun = Refold::from_genesis(look, make_source);
    match begun.and_then(|refold| prove(refold, None, &kept, progress)) {
        Err(RefoldError::Gone(_)) => {}
        proved => return proved,
    }
    // The log, or this release, does not reach back to genesis: the oldest checkpoint is trusted.
    prove(Refold::from_checkpoint(look, oldest, make_source)?, Some(oldest), &kept, progress)
}

fn prove(
    mut refold: Refold,
    from: Option<u64>,
    kept: &BTreeMap<u64, Hash>,
    progress: &dyn Fn(u64),
) -> Result<Proof, RefoldError> {
    let mut proof = Proof { from, versions: Vec::new(), state_hash: String::new() };
    let last = kept.last_key_value().map_or(0, |(version, _)| *version);
    refold.to(last, |reached| {
        let version = reached.fold.version();
        progress(version);
        let Some(expected) = kept.get(&version).filter(|_| !reached.is_left_out) else { return Ok(()) };
        let hash = hash_sections(&to_store(reached.fold.save()), &[]);
        if hash != *expected {
            let (folded, expected) = (hex(&hash), hex(expected));
            return Err(RefoldError::Differs(format!(
                "version {version}: the checkpoint has state {expected}, folding the log gives {folded}"
            )));
        }
        proof.versions.push(version);
        proof.state_hash = hex(&hash);
        Ok(())
    })?;
    Ok(proof)
}
