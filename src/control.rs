//! What a person may ask of a model's trainer, and what it answers. The trainer alone changes the model: an endpoint hands
//! it a request and waits.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::live::Answering;

/// Requests that may wait for one trainer.
const WAITING: usize = 16;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// This learner is to serve, and to be the champion.
    Promote {
        /// Its name, as in [`fold::Standing`].
        learner: String,
    },
    /// The model as it was at this version is to serve; learning goes on beside it.
    Rollback {
        /// The version of a kept checkpoint.
        version: u64,
    },
    /// The champion is to serve again.
    Follow,
}

/// It was done, and is in the journal for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The version of the decision.
    pub version: u64,
    /// What answers from then on.
    pub live: Answering,
}

/// Why it was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The model has no such learner.
    #[error("no such learner; there are {}", known.join(", "))]
    UnknownLearner {
        /// Those it has.
        known: Vec<String>,
    },
    /// No checkpoint of this version is kept.
    #[error("no checkpoint of this version is kept")]
    UnknownVersion,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    NothingToChange,
    /// The trainer cannot do it now.
    #[error("not possible now")]
    NotYet,
}

/// The trainer's answer.
pub type Answer = Result<Done, Refused>;

/// A command on its way to the trainer.
#[derive(Debug)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    /// Who asks, for the journal.
    pub actor: String,
    /// Where the answer goes. Nobody may wait for it any more.
    pub reply: oneshot::Sender<Answer>,
}

/// Why a command did not even reach the trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unheard {
    /// Too many wait already.
    #[error("{WAITING} requests wait already")]
    Busy,
    /// The trainer has stopped.
    #[error("the model's trainer has stopped")]
    Stopped,
}

/// The asking end.
#[derive(Clone, Debug)]
pub struct Control {
    sender: Sender<Request>,
}

/// A channel to one trainer.
pub fn control() -> (Control, Receiver<Request>) {
    let (sender, requests) = bounded(WAITING);
    (Control { sender }, requests)
}

impl Control {
    /// Hands a command over; the answer comes through what is returned. Never waits.
    ///
    /// # Errors
    /// There is no room, or nobody to do it.
    pub fn ask(&self, command: Command, actor: &str) -> Result<oneshot::Receiver<Answer>, Unheard> {
        let (reply, answer) = oneshot::channel();
        let request = Request { command, actor: actor.to_owned(), reply };
        self.sender.try_send(request).map_err(|e| match e {
            TrySendError::Full(_) => Unheard::Busy,
            TrySendError::Disconnected(_) => Unheard::Stopped,
        })?;
        Ok(answer)
    }
}
