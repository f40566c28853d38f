//! `horizon`, `[models.M.labels]` and `[models.M.requests]`: labels that come later than their events.

use std::time::Duration;

use fold::{FoldConfig, Horizon, Labels};

use super::error::ConfigError;
use super::model::ModelConfig;
use super::read::Read;
use super::tree::Node;
use super::units::{self, Every};
use super::walk::{Found, Key, key, set, walk};

pub(super) const KEYS: &[Key<FoldConfig>] = &[
    key("topic", |c, n| {
        set(&mut waits(c).topic, n.maybe().and_then(|some| some.map_or(Ok(String::new()), |_| n.topic())))
    }),
    key("wait", |c, n| walk(WAIT, waits(c), n)),
];

const WAIT: &[Key<Labels>] = &[
    key("at_most", |c, n| set(&mut c.at_most_ms, at_most(n))),
    key("rows", |c, n| set(&mut c.rows, n.whole(1..=1_000_000_000))),
    key("bytes", |c, n| set(&mut c.bytes, n.size(1 << 20..=1 << 40))),
];

pub(super) const REQUESTS: &[Key<Option<String>>] = &[key("topic", optional_topic)];

/// A topic's name, or "" for none.
pub(super) fn optional_topic(topic: &mut Option<String>, node: &Node) -> Found {
    *topic = node.maybe()?;
    if topic.is_some() { node.topic().map(drop).map_err(Vec::from) } else { Ok(()) }
}

fn waits(config: &mut FoldConfig) -> &mut Labels {
    config.labels.get_or_insert_default()
}

const LONGEST: Duration = Duration::from_secs(3_660 * 86_400);

fn at_most(node: &Node) -> Read<u64> {
    let time = node.text().ok().and_then(|text| units::duration(&text));
    let time = time.filter(|time| (Duration::from_secs(1)..=LONGEST).contains(time));
    let expected = || node.error(format!("expected a time from 1s to 3660d, like \"1d\", got {}", node.shown()));
    time.map(millis).ok_or_else(expected)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `0`, `1h` or `10 events`.
pub fn horizon_of(text: &str) -> Option<Horizon> {
    if text.trim() == "0" {
        return Some(Horizon::Now);
    }
    match units::every(text)? {
        Every::Time(time) if !time.is_zero() && time <= LONGEST => Some(Horizon::Ms(millis(time))),
        Every::Events(events @ 1..=1_000_000) => Some(Horizon::Events(events)),
        _ => None,
    }
}

pub(super) fn horizon(node: &Node) -> Read<Horizon> {
    let what = "expected \"0\", a time up to 3660d like \"1h\", or up to 1_000_000 events like \"10 events\"";
    node.text()
        .ok()
        .and_then(|text| horizon_of(&text))
        .ok_or_else(|| node.error(format!("{what}, got {}", node.shown())))
}

/// A model whose `horizon` and `labels` were read: they go together, and the fold knows where labels come from.
pub(super) fn check(model: &mut ModelConfig, node: &Node) -> Found {
    let fold = &mut model.fold;
    let (horizon, given) = (fold.horizon, fold.labels.take());
    let table = node.get("labels");
    let error = |key: &str, message: String| {
        let table = table.unwrap_or(node);
        ConfigError::new(table.place_of(key), &format!("{}.labels.{key}", node.path), message)
    };
    let mut labels = given.unwrap_or_default();
    let mut errors = Vec::new();
    if !labels.topic.is_empty() {
        if horizon != Horizon::Now {
            let what = "a horizon takes labels from later events, a labels topic from a topic: use one of them";
            errors.push(error("topic", what.into()));
        }
        if fold.topics.contains(&labels.topic) {
            errors.push(error("topic", format!("{:?} is one of the topics of events", labels.topic)));
        }
    }
    if let Horizon::Ms(ms) = horizon
        && labels.at_most_ms <= ms
    {
        match table.and_then(|table| table.get("wait")).and_then(|wait| wait.get("at_most")) {
            Some(at_most) => {
                errors.push(at_most.error(format!("{} is not longer than the horizon", at_most.shown())));
            }
            None => labels.at_most_ms = ms.saturating_mul(2),
        }
    }
    if let Horizon::Events(events) = horizon
        && labels.rows <= events
    {
        errors.push(error("wait", format!("{} rows cannot wait for {events} events", labels.rows)));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    fold.wait_for_labels(horizon, labels);
    Ok(())
}
