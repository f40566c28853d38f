//! What may change of a configuration while its model lives, and what that does to the fold.
//!
//! Learners come and go: a new one begins as a challenger, one that is no longer named leaves (a champion only once it is
//! replaced). Other parameters make another learner. Declared features and topics may be appended. Bounds, and what is done
//! about a drift, hold from the next record on. Whatever would change the meaning of what was learned is refused.

use std::fmt;
use std::sync::Arc;

use features::{Kind, Schema};
use learners::{Learner, LearnerSpec};

use crate::happening::Moment;
use crate::learning::Learning;
use crate::slot::{Slot, challenge, is_baseline};
use crate::{Fold, FoldConfig, Position, Role, What};

/// A change that a living model cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The option.
    pub option: &'static str,
    /// Why.
    pub reason: &'static str,
    /// What to do instead.
    pub remedy: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.option, self.reason, self.remedy)
    }
}

const ANOTHER_QUESTION: (&str, &str) =
    ("what was learned answers another question", "give the model a new name, or begin anew");
const READ_OTHERWISE: (&str, &str) =
    ("events that were learned from were read otherwise", "give the model a new name, or begin anew");
const LEARNERS_KEEP: (&str, &str) =
    ("learners keep what they began with", "set it on a learner (NAME:key=value): it begins anew beside the others");
const SCORES_KEEP: (&str, &str) =
    ("every learner's detector has seen its losses by the old one", "give the model a new name, or begin anew");
const SERVED_KEEP: (&str, &str) = (
    "answers that were served wait for their labels by the old bounds",
    "go back to what it was, or give the model a new name",
);
const COLUMNS_KEEP: (&str, &str) = (
    "a column keeps its meaning for ever, features can only be appended to a list of them",
    "go back to what it was, or give the model a new name",
);
const TOPICS_KEEP: (&str, &str) = (
    "topics are numbered by their place: they can only be appended, and not where labels or requests have a topic",
    "go back to what it was, or give the model a new name",
);

impl FoldConfig {
    /// Whether a model of this configuration can go on under `wanted`.
    ///
    /// # Errors
    /// What it cannot take, option by option.
    pub fn check_change(&self, wanted: &Self) -> Result<(), Vec<Refusal>> {
        let (a, b) = (&self.event, &wanted.event);
        let topic = |config: &Self| config.labels.as_ref().map(|labels| labels.topic.clone());
        let has_more_topics = self.labels_topic().is_none() && self.requests.is_none();
        let topics = self.topics == wanted.topics || has_more_topics && wanted.topics.starts_with(&self.topics);
        let features = a.features == b.features || !a.features.is_empty() && b.features.starts_with(&a.features);
        let appended = b.features.get(a.features.len()..).unwrap_or_default();
        let nominal = a.nominal.iter().all(|name| b.nominal.contains(name))
            && b.nominal.iter().all(|name| a.nominal.contains(name) || appended.contains(name));
        let waits = self.requests.is_none() || self.labels == wanted.labels;
        let checks = [
            ("task", a.task == b.task, ANOTHER_QUESTION),
            ("target", a.target == b.target, ANOTHER_QUESTION),
            ("horizon", self.horizon == wanted.horizon, ANOTHER_QUESTION),
            ("labels.topic", a.label == b.label && topic(self) == topic(wanted), ANOTHER_QUESTION),
            ("time", a.time == b.time, READ_OTHERWISE),
            ("entity", a.entity == b.entity, READ_OTHERWISE),
            ("id", a.id == b.id, READ_OTHERWISE),
            ("features", features, COLUMNS_KEEP),
            ("nominal", nominal, COLUMNS_KEEP),
            ("ignore", a.ignore == b.ignore, COLUMNS_KEEP),
            ("topics", topics, TOPICS_KEEP),
            ("labels.wait", waits, SERVED_KEEP),
            ("requests", self.requests == wanted.requests, TOPICS_KEEP),
            ("seed", self.seed == wanted.seed, LEARNERS_KEEP),
            ("max_bytes", self.max_bytes == wanted.max_bytes, LEARNERS_KEEP),
            ("decay.detector", self.detector == wanted.detector, SCORES_KEEP),
            ("decay.false_alarms", self.false_alarms == wanted.false_alarms, SCORES_KEEP),
        ];
        let refused: Vec<Refusal> = checks
            .into_iter()
            .filter(|(_, may, _)| !may)
            .map(|(option, _, (reason, remedy))| Refusal { option, reason, remedy })
            .collect();
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }

    /// The learners it names.
    pub(crate) fn names(&self, spec: &LearnerSpec) -> bool {
        self.learner == *spec || self.challengers.contains(spec)
    }
}

impl Fold {
    /// Goes on under another configuration, which [`FoldConfig::check_change`] has let through.
    pub(crate) fn reconfigure(&mut self, config: &FoldConfig, moment: Moment) {
        let config = Arc::new(config.clone());
        let Self { reading, learning, waiting } = self;
        let appended = config.event.features.get(reading.config.event.features.len()..).unwrap_or_default();
        let mut schema = Schema::clone(&reading.schema);
        schema.reconfigure(Arc::new(config.event.clone()), appended);
        // As if it had begun so: that is how it comes back from a checkpoint.
        if let (Some(waiting), Ok(Self { waiting: Some(like), .. })) =
            (waiting, Self::genesis((*config).clone(), Position::new()))
        {
            waiting.reconfigure(&like);
        }
        learning.reconfigure(&config, schema.kinds(), moment);
        (reading.schema, reading.config) = (Arc::new(schema), config);
    }
}

impl Learning {
    fn reconfigure(&mut self, config: &Arc<FoldConfig>, kinds: Vec<Kind>, moment: Moment) {
        (self.config, self.kinds, self.reconfigured) = (Arc::clone(config), kinds, true);
        self.happenings.note(moment, What::Configured { learner: config.learner.to_string() });
        self.drop_slots(moment, |slot| slot.configured && slot.role != Role::Champion && !config.names(&slot.spec));
        for slot in &mut self.slots {
            slot.learner.grow(&self.kinds);
        }
        for spec in std::iter::once(&config.learner).chain(&config.challengers) {
            if !self.slots.iter().any(|slot| slot.configured && slot.spec == *spec) {
                self.begin(spec, moment);
            }
        }
        // As many tests share the budget of a false promotion as there are challengers now.
        for slot in &mut self.slots {
            slot.promotion = (slot.role == Role::Challenger).then(|| challenge(config));
        }
    }

    /// A learner of the configuration begins.
    fn begin(&mut self, spec: &LearnerSpec, moment: Moment) {
        let role = if is_baseline(spec) { Role::Baseline } else { Role::Challenger };
        // Whoever journaled the change has seen that it can be built.
        let Ok(mut slot) = Slot::new(&self.config, self.born, spec, role) else { return };
        let generation = self.slots.iter().filter(|slot| slot.spec == *spec).map(|slot| slot.generation).max();
        (slot.generation, slot.since) = (generation.unwrap_or(0) + 1, moment.events);
        slot.learner.grow(&self.kinds);
        self.born += 1;
        self.happenings.note(moment, What::Challenger { learner: slot.name() });
        self.slots.push(slot);
    }
}
