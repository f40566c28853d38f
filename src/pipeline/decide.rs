//! What a person decides, at the trainer: checked against the state it will be folded into, journaled, folded, shown, and
//! only then answered.

use fold::{Decision, Fold, Live};

use super::store::{StoreClosed, StoreHandle};
use crate::control::{Command, Done, Refused, Request};
use crate::live::Answering;

/// Folds what is asked, or answers why not. The answer goes out when the decision is in the journal and shown.
///
/// # Errors
/// The state cannot be written any more.
pub(super) fn decide(request: Request, fold: &mut Fold, store: &StoreHandle) -> Result<(), StoreClosed> {
    let Request { command, actor, reply } = request;
    let decision = match decision(command, fold, store) {
        Ok(decision) => decision,
        Err(refused) => {
            // Who has stopped waiting needs no answer.
            let _ = reply.send(Err(refused));
            return Ok(());
        }
    };
    store.decided(fold.version(), &decision, &actor, "by hand")?;
    fold.decide(&decision);
    store.publish(fold.snapshot())?;
    let champion = fold.learners().swap_remove(0);
    let done = Done { version: fold.version(), live: Answering::new(fold.live(), &champion) };
    store.tell(move || {
        let _ = reply.send(Ok(done));
    })
}

fn decision(command: Command, fold: &Fold, store: &StoreHandle) -> Result<Decision, Refused> {
    match command {
        Command::Promote { learner } => match fold.learners() {
            known if known[0] == learner => Err(Refused::NothingToChange),
            known if !known.contains(&learner) => Err(Refused::UnknownLearner { known }),
            _ => Ok(Decision::Promote { learner }),
        },
        Command::Rollback { version } if fold.live() == Live::Pinned(version) => Err(Refused::NothingToChange),
        // Pinned first: nothing may prune it between the journal and the pin.
        Command::Rollback { version } if store.pin(version) => Ok(Decision::Pin { version }),
        Command::Rollback { .. } => Err(Refused::UnknownVersion),
        Command::Follow if fold.live() == Live::Follow => Err(Refused::NothingToChange),
        Command::Follow => Ok(Decision::Follow),
    }
}
