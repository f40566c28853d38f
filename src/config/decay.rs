//! `[models.M.decay]`: what watches the loss, and what is done when it has risen.

use fold::FoldConfig;
use learners::AnyDetector;

use super::walk::{Key, key, later};

pub(super) const KEYS: &[Key<FoldConfig>] = &[
    key("detector", |c, n| {
        c.detector = n.name()?;
        if c.detector == "auto" {
            return Err(n.error("\"auto\" is not available in this release; use \"adwin\"").into());
        }
        AnyDetector::build(&c.detector).map(drop).map_err(|error| n.error(error.to_string()).into())
    }),
    key("on_drift", |_, n| match n.text()?.as_str() {
        "alert" => Ok(()),
        "challenge" => Err(n.error("\"challenge\" is not available in this release; use \"alert\"").into()),
        _ => Err(n.error(format!("expected \"alert\", got {}", n.shown())).into()),
    }),
    later("false_alarms"),
    later("min_gain"),
];
