//! `[alerts]`: who is told of drifts.

use super::walk::{Key, key};

/// Who is told of drifts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertsConfig {
    /// The URL that messages in the shape of Prometheus Alertmanager are sent to.
    pub webhook: Option<String>,
}

pub(super) const KEYS: &[Key<AlertsConfig>] = &[key("webhook", |c, n| {
    c.webhook = n.maybe()?;
    let is_url = |url: &String| {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
    };
    if c.webhook.as_ref().is_none_or(is_url) {
        return Ok(());
    }
    Err(n.error(format!("expected a URL like \"https://alerts.example/hook\", got {}", n.shown())).into())
})];
