//! Tells a webhook of drifts, in the shape of Prometheus Alertmanager: one incident per change, opened and resolved.
//!
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>, version 4 of the payload.

mod message;
mod sender;

use std::io;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, TrySendError, bounded};
use tracing::error;

use crate::history::HappeningSeen;
use message::{Message, message};

pub use sender::Retry;

/// Messages that may wait; more are lost, and the log says so.
const WAITING: usize = 64;

/// Where alerts are handed in. The thread ends when it is dropped.
#[derive(Debug)]
pub struct Alerts {
    page: String,
    queue: Sender<Message>,
    _running: Sender<()>,
}

/// Starts the thread that sends to `webhook`; `page`: the URL of the page that messages link to.
///
/// # Errors
/// The system has no thread left.
pub fn start(webhook: String, page: &str, retry: Retry) -> io::Result<(Alerts, JoinHandle<()>)> {
    let (queue, waiting) = bounded(WAITING);
    let (running, stopping) = bounded(0);
    let thread = sender::start(webhook, waiting, stopping, retry)?;
    Ok((Alerts { page: format!("{}/", page.trim_end_matches('/')), queue, _running: running }, thread))
}

impl Alerts {
    /// Tells of the last of these happenings (of one model, the oldest first), if it opens or ends an incident. Never
    /// waits.
    pub fn tell(&self, model: &str, happenings: &[HappeningSeen]) {
        let Some(message) = message(model, &self.page, happenings) else { return };
        if let Err(TrySendError::Full(lost) | TrySendError::Disconnected(lost)) = self.queue.try_send(message) {
            error!(key = lost.key, "an alert is lost: {WAITING} wait to be sent already");
        }
    }
}
