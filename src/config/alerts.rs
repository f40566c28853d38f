//! `[alerts]`: who is told of drifts.

use super::walk::{Key, key, set};

/// Who is told of drifts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertsConfig {
    /// The URL that messages in the shape of Prometheus Alertmanager are sent to.
    pub webhook: Option<String>,
}

pub(super) const KEYS: &[Key<AlertsConfig>] =
    &[key("webhook", |c, n| set(&mut c.webhook, n.url("https://alerts.example/hook")))];
