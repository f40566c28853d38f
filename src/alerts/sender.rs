//! The thread that sends messages, one after the other, and tries again where that may help.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use tracing::{error, warn};

use super::message::Message;

/// How long the webhook may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// How long messages that wait may hold up the end of the service.
const AT_THE_END: Duration = Duration::from_secs(5);

/// How often and after what times a message is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// The first pause; each one is twice the one before.
    pub first: Duration,
    /// Tries in all.
    pub tries: u32,
}

impl Default for Retry {
    /// Ten tries within about eight minutes.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), tries: 10 }
    }
}

/// What came of a try.
enum Outcome {
    Taken,
    /// It may be taken later.
    TryAgain(String),
    /// It would never be taken.
    Refused(String),
}

/// Sends what comes through `waiting` until that is closed; does not pause any more once `stopping` is.
pub(super) fn start(
    webhook: String,
    waiting: Receiver<Message>,
    stopping: Receiver<()>,
    retry: Retry,
) -> io::Result<JoinHandle<()>> {
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_global(Some(WITHIN)).build();
    let agent = ureq::Agent::from(config);
    let work = move || {
        let mut over: Option<Instant> = None;
        for message in waiting {
            if is_over(&stopping) && over.get_or_insert_with(Instant::now).elapsed() > AT_THE_END {
                error!(key = message.key, "alerts are left over at the end");
                return;
            }
            if let Err(why) = send(&agent, &webhook, &message, &stopping, retry) {
                error!(key = message.key, "an alert was not delivered: {why}");
                if is_over(&stopping) {
                    // The others would hold up the end as long.
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("alerts".into()).spawn(work)
}

fn send(
    agent: &ureq::Agent,
    webhook: &str,
    message: &Message,
    stopping: &Receiver<()>,
    retry: Retry,
) -> Result<(), String> {
    let mut pause = retry.first;
    for left in (0..retry.tries).rev() {
        match post(agent, webhook, message) {
            Outcome::Taken => return Ok(()),
            Outcome::Refused(why) => return Err(why),
            Outcome::TryAgain(why) if left == 0 || is_over(stopping) => return Err(why),
            Outcome::TryAgain(why) => warn!(key = message.key, left, "an alert is tried again: {why}"),
        }
        // Also ends early when the service does: then this was the last pause.
        let _ = stopping.recv_timeout(pause);
        pause *= 2;
    }
    Err("no try is allowed".into())
}

fn is_over(stopping: &Receiver<()>) -> bool {
    stopping.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Disconnected)
}

fn post(agent: &ureq::Agent, webhook: &str, message: &Message) -> Outcome {
    let request = agent
        .post(webhook)
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", &message.key)
        .send(&message.body);
    match request {
        Ok(reply) if reply.status().is_success() => Outcome::Taken,
        // As Alertmanager's own clients: too many, or the other side's fault.
        Ok(reply) if reply.status().is_server_error() || matches!(reply.status().as_u16(), 408 | 425 | 429) => {
            Outcome::TryAgain(format!("it answered {}", reply.status()))
        }
        Ok(reply) => Outcome::Refused(format!("it answered {}", reply.status())),
        Err(e) => Outcome::TryAgain(e.to_string()),
    }
}
