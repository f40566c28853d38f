//! `[models.M.decay]`: what watches the loss, and what is done when it has risen.

use fold::{FoldConfig, OnDrift};
use learners::AnyDetector;

use super::read::Read;
use super::tree::Node;
use super::walk::{Key, key, set};

pub(super) const KEYS: &[Key<FoldConfig>] = &[
    key("detector", |c, n| {
        c.detector = n.name()?;
        AnyDetector::build(&c.detector).map(drop).map_err(|error| n.error(error.to_string()).into())
    }),
    key("false_alarms", |c, n| set(&mut c.false_alarms, budget(n))),
    key("on_drift", |c, n| {
        set(&mut c.on_drift, n.one_of(&[("challenge", OnDrift::Challenge), ("alert", OnDrift::Alert)]))
    }),
    key("min_gain", |c, n| set(&mut c.min_gain_ppm, n.share(0.0, 1.0).map(|x| (x * 1e6).round() as u32))),
];

/// `"1 per 1_000_000 events"`: the losses for one false alarm.
fn budget(node: &Node) -> Read<u64> {
    let text = node.text()?.replace('_', "");
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["1", "per", events, "events"] => match events.parse() {
            Ok(events @ 10_000..=10_000_000) => Ok(events),
            _ => Err(node.error(format!("expected 1 per 10_000 to 10_000_000 events, got {}", node.shown()))),
        },
        _ => Err(node.error(format!("expected a budget like \"1 per 1_000_000 events\", got {}", node.shown()))),
    }
}
