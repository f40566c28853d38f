//! `[models.M]`: what is learned (its `FoldConfig`), and how it is run.

use std::time::Duration;

use checkpoints::Keep;
use features::{EventSpec, LabelSource, Start, Task};
use fold::{FoldConfig, Horizon, OnDrift};
use learners::LearnerSpec;

use super::error::ConfigError;
use super::tree::{Node, Value};
use super::units::Every;
use super::walk::{Found, Key, key, required, set, walk};
use super::{DeadLetters, Scores};
use super::{dead_letters, decay, keep, labels, learner, limits, sinks};

/// One model: what decides its fold, and the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// What decides the fold: recorded in genesis.
    pub fold: FoldConfig,
    /// What may change freely.
    pub runtime: ModelRuntime,
}

/// How a model is run; nothing here changes what it learns.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRuntime {
    /// How often its state is saved.
    pub checkpoint_every: Every,
    /// How often what it learned is published to the predict endpoint.
    pub publish_every: Every,
    /// Threads that a learner of many members may take.
    pub threads: usize,
    /// Which checkpoints stay.
    pub keep: Keep,
    /// Where records go that cannot be learned from.
    pub dead_letters: DeadLetters,
    /// The topic that remembers the predictions served to requests with an id, if there is one.
    pub requests: Option<String>,
    /// The topic that hears what the champion said about every event, if there is one.
    pub predictions: Option<String>,
    /// Who hears how the learners do.
    pub scores: Scores,
}

impl ModelConfig {
    /// A model with every default; `topics`, `task` and `target` have none.
    pub fn new(name: &str, topics: Vec<String>, task: Task, target: &str) -> Self {
        let event = EventSpec::new(task, target);
        let fold = FoldConfig {
            topics,
            start: Start::Earliest,
            event,
            learner: LearnerSpec { name: "auto".into(), params: Default::default() },
            challengers: Vec::new(),
            seed: 1,
            max_bytes: 256 << 20,
            detector: "auto".into(),
            false_alarms: 1_000_000,
            on_drift: OnDrift::Challenge,
            min_gain_ppm: 5_000,
            horizon: Horizon::Now,
            labels: None,
            requests: None,
        };
        let runtime = ModelRuntime {
            checkpoint_every: Every::Time(Duration::from_secs(10)),
            publish_every: Every::Time(Duration::from_millis(100)),
            threads: 1,
            keep: keep::DEFAULT,
            dead_letters: DeadLetters::of(name),
            requests: None,
            predictions: None,
            scores: Scores::default(),
        };
        Self { name: name.to_owned(), fold, runtime }
    }
}

const MOST_THREADS: u64 = 1_024;
const TASKS: &[(&str, Task)] = &[("regression", Task::Regression), ("classification", Task::Classification)];

pub(super) const KEYS: &[Key<ModelConfig>] = &[
    required("topics", "name the topics to learn from", |c, n| {
        c.fold.topics = n.list(Node::topic)?;
        if c.fold.topics.is_empty() { Err(n.error("expected at least one topic").into()) } else { Ok(()) }
    }),
    key("start", |c, n| set(&mut c.fold.start, start(n))),
    required("task", "\"regression\" or \"classification\"", |c, n| set(&mut c.fold.event.task, n.one_of(TASKS))),
    required("target", "name the field of the event to predict", |c, n| set(&mut c.fold.event.target, n.name())),
    key("horizon", |c, n| set(&mut c.fold.horizon, labels::horizon(n))),
    key("time", |c, n| set(&mut c.fold.event.time, n.maybe())),
    key("entity", |c, n| set(&mut c.fold.event.entity, n.maybe())),
    key("id", |c, n| set(&mut c.fold.event.id, n.maybe())),
    key("features", |c, n| set(&mut c.fold.event.features, n.list(Node::name))),
    key("nominal", |c, n| set(&mut c.fold.event.nominal, n.list(Node::name))),
    key("ignore", |c, n| set(&mut c.fold.event.ignore, n.list(Node::name))),
    key("learner", |c, n| set(&mut c.fold.learner, learner::spec(n))),
    key("challengers", |c, n| set(&mut c.fold.challengers, n.list(learner::spec))),
    key("seed", |c, n| set(&mut c.fold.seed, n.whole(0..=i64::MAX as u64))),
    key("max_bytes", |c, n| set(&mut c.fold.max_bytes, n.size(64 << 10..=1 << 40))),
    key("checkpoint_every", |c, n| set(&mut c.runtime.checkpoint_every, n.every(Duration::from_millis(100)))),
    key("publish_every", |c, n| set(&mut c.runtime.publish_every, n.every(Duration::from_millis(1)))),
    key("threads", |c, n| set(&mut c.runtime.threads, n.whole(1..=MOST_THREADS).map(|x| x as usize))),
    key("keep", |c, n| walk(keep::KEYS, &mut c.runtime.keep, n)),
    key("dead_letters", |c, n| walk(dead_letters::KEYS, &mut c.runtime.dead_letters, n)),
    key("limits", |c, n| walk(limits::KEYS, &mut c.fold.event.limits, n)),
    key("decay", |c, n| walk(decay::KEYS, &mut c.fold, n)),
    key("labels", |c, n| walk(labels::KEYS, &mut c.fold, n)),
    key("requests", |c, n| walk(labels::REQUESTS, &mut c.runtime.requests, n)),
    key("predictions", |c, n| walk(sinks::PREDICTIONS, &mut c.runtime.predictions, n)),
    key("scores", |c, n| walk(sinks::SCORES, &mut c.runtime.scores, n)),
];

/// `"earliest"`, `"latest"`, or a time.
fn start(node: &Node) -> Result<Start, ConfigError> {
    let text = match &node.value {
        Value::Whole(ms) if *ms >= 0 => return Ok(Start::Time(*ms)),
        Value::Time(text) => text.clone(),
        _ => node.text().unwrap_or_default(),
    };
    match text.as_str() {
        "earliest" => return Ok(Start::Earliest),
        "latest" => return Ok(Start::Latest),
        _ => {}
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(Start::Time(time.as_millisecond()));
    }
    node.one_of(&[("earliest", Start::Earliest), ("latest", Start::Latest)]).map_err(|error| ConfigError {
        message: format!("{} (or a time like 2026-01-31T00:00:00Z)", error.message),
        ..error
    })
}

/// All models, in the order of the file.
pub(super) fn models(node: &Node) -> Result<Vec<ModelConfig>, Vec<ConfigError>> {
    let Value::Table(entries) = &node.value else {
        return Err(node.error(format!("expected tables like [models.air], got {}", node.shown())).into());
    };
    let (mut models, mut errors) = (Vec::new(), Vec::new());
    for entry in entries {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if entry.key.is_empty() || entry.key.len() > 100 || !entry.key.chars().all(allowed) {
            let message = "a model's name has 1 to 100 of the characters a-z, 0-9, \"_\" and \"-\"";
            errors.push(ConfigError::new(&entry.at, &entry.node.path, message));
        }
        let mut model = ModelConfig::new(&entry.key, Vec::new(), Task::Regression, "");
        errors.extend(walk(KEYS, &mut model, &entry.node).err().unwrap_or_default());
        errors.extend(check_learners(&model, &entry.node).err().unwrap_or_default());
        errors.extend(labels::check(&mut model, &entry.node).err().unwrap_or_default());
        errors.extend(check_fields(&model, &entry.node).err().unwrap_or_default());
        models.push(model);
    }
    if errors.is_empty() { Ok(models) } else { Err(errors) }
}

fn check_learners(model: &ModelConfig, node: &Node) -> Found {
    let fold = &model.fold;
    // Without a task, a learner is wrong only if it can do neither.
    let task = node.get("task").and_then(|task| task.one_of(TASKS).ok());
    let tasks = task.map_or(vec![Task::Regression, Task::Classification], |task| vec![task]);
    let check = |spec: &LearnerSpec| learner::check(spec, &tasks, fold.seed, fold.max_bytes);
    let mut errors = Vec::new();
    if let Err(message) = check(&fold.learner) {
        errors.push(ConfigError::new(node.place_of("learner"), &node.path_of("learner"), message));
    }
    let challenger = |spec: &LearnerSpec| match check(spec) {
        Ok(()) if *spec == fold.learner => Err(format!("\"{spec}\" is the learner already")),
        checked => checked,
    };
    errors
        .extend(learner::check_all(node.get("challengers"), &challenger, &fold.challengers).err().unwrap_or_default());
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The target is no feature (unless it is predicted later than it is known), and a feature is not ignored.
fn check_fields(model: &ModelConfig, node: &Node) -> Found {
    let event = &model.fold.event;
    let error = |key: &str, message: String| ConfigError::new(node.place_of(key), &node.path_of(key), message);
    let mut errors = Vec::new();
    if !event.target.is_empty() && event.label != LabelSource::Later {
        for (key, fields) in [("features", &event.features), ("ignore", &event.ignore)] {
            if fields.contains(&event.target) {
                errors.push(error(key, format!("{:?} is the target", event.target)));
            }
        }
    }
    for field in event.features.iter().filter(|field| event.ignore.contains(field)) {
        errors.push(error("ignore", format!("{field:?} is one of the features")));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// What a model writes (dead letters, predictions, scores) is neither read by a model nor mixed with anything else.
pub(super) fn check_topics(models: &[ModelConfig], node: &Node) -> Found {
    let mut errors = Vec::new();
    let mut written: Vec<(&str, &str, &str)> = Vec::new();
    for model in models {
        let table = node.get(&model.name).unwrap_or(node);
        let letters = Some(model.runtime.dead_letters.topic.as_str());
        let runtime = &model.runtime;
        for (section, what, topic) in [
            ("dead_letters", "dead letters", letters),
            ("requests", "served predictions", runtime.requests.as_deref()),
            ("predictions", "predictions", runtime.predictions.as_deref()),
            ("scores", "scores", runtime.scores.topic.as_deref()),
        ] {
            let Some(topic) = topic else { continue };
            let mut error = |message: String| {
                let place = table.get(section).unwrap_or(table).place_of("topic");
                errors.push(ConfigError::new(place, &format!("{}.{section}.topic", table.path), message));
            };
            if let Some(reader) = models.iter().find(|reader| reader.fold.topics.iter().any(|read| read == topic)) {
                error(format!("{topic:?} is a topic that model {:?} learns from", reader.name));
            }
            if let Some((_, what, name)) = written.iter().find(|(other, ..)| *other == topic) {
                error(format!("{topic:?} holds the {what} of model {name:?} already"));
            }
            written.push((topic, what, &model.name));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
