//! What happened to a model, as the fold saw it: part of the state, so the same after any restart.

use std::collections::VecDeque;

use features::EventTime;
use learners::{Evidence, Incident, IncidentEnd};
use serde::{Deserialize, Serialize};

/// Happenings kept: the latest.
const KEPT: usize = 256;

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) version: u64,
    pub(crate) events: u64,
    pub(crate) at: EventTime,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Happening {
    /// 1 for the model's first; no number is left out or used twice.
    pub number: u64,
    /// Records and decisions folded when it happened: the version of the record or decision that made it happen.
    pub version: u64,
    /// Events learned from by then.
    pub events: u64,
    /// The newest event's time by then, in epoch milliseconds.
    pub at: EventTime,
    /// What.
    pub what: What,
}

/// What can happen. Learners are named as in [`crate::Standing`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The champion's loss may be rising.
    Warning {
        /// The champion.
        learner: String,
    },
    /// A warning has passed: nothing came of it.
    WarningOver {
        /// The champion.
        learner: String,
    },
    /// The champion's loss has risen.
    Drift {
        /// The champion.
        learner: String,
        /// As it was raised.
        incident: Incident,
    },
    /// A drift has ended without a promotion: no challenger was better, the champion stays.
    DriftOver {
        /// The champion.
        learner: String,
        /// How.
        end: IncidentEnd,
        /// Losses from the alarm to the end.
        lasted: u64,
    },
    /// A fresh challenger begins to learn.
    Challenger {
        /// Its name.
        learner: String,
    },
    /// A challenger leaves: it was no better.
    Dropped {
        /// Its name.
        learner: String,
    },
    /// Another learner serves from the next version on.
    Promotion {
        /// The champion until now.
        from: String,
        /// The champion from now on.
        to: String,
        /// Why; `None`: by hand.
        evidence: Option<Evidence>,
    },
    /// What a promotion did, told 1,000 losses after it.
    Effect {
        /// The champion.
        learner: String,
        /// Mean loss before the drift (bounded as in [`Incident`]); `None`: there was none.
        before: Option<f64>,
        /// The old champion's loss at the promotion, its fading mean.
        at: Option<f64>,
        /// The new champion's mean loss over the 1,000 losses since.
        after: f64,
        /// Losses from the promotion until the served loss was back: its mean over 100 nearer to `before` than to `at`.
        recovered_after: Option<u64>,
    },
    /// A fixed version is served from now on, learning goes on beside it.
    Pinned {
        /// Which.
        version: u64,
    },
    /// The champion is served again.
    Followed,
    /// Another configuration holds from here on.
    Configured {
        /// The learner it names first.
        learner: String,
    },
    /// Records that the log no longer held were left out, by hand.
    Gap {
        /// The topic, by its place in the configuration.
        topic: u16,
        /// The partition.
        partition: i32,
        /// The first record left out.
        first: i64,
        /// The first one that is not.
        next: i64,
    },
}

/// The latest happenings, the oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Happenings {
    count: u64,
    latest: VecDeque<Happening>,
}

impl Happenings {
    /// Notes what happened.
    pub(crate) fn note(&mut self, Moment { version, events, at }: Moment, what: What) {
        self.count += 1;
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(Happening { number: self.count, version, events, at, what });
    }

    /// Those kept.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Happening> {
        self.latest.iter()
    }
}
