//! `[kafka]`: where the log is.

use std::collections::BTreeMap;
use std::fmt;

use super::error::ConfigError;
use super::tree::{Node, Value};
use super::walk::{Key, key, set};

/// How to reach Kafka.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaConfig {
    /// `host:port,…` to begin with.
    pub brokers: String,
    /// Options of librdkafka, as they are, in alphabetical order.
    pub options: Vec<(String, String)>,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self { brokers: "localhost:9092".into(), options: Vec::new() }
    }
}

/// Nothing secret in a log: values of options stay out.
impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.options.iter().map(|(name, _)| name).collect();
        f.debug_struct("KafkaConfig").field("brokers", &self.brokers).field("options", &names).finish()
    }
}

pub(super) const KEYS: &[Key<KafkaConfig>] =
    &[key("brokers", |c, n| set(&mut c.brokers, n.name())), key("options", |c, n| set(&mut c.options, options(n)))];

/// Options that hold a secret: only `<option>_file` is taken, and the file's text is the value.
const SECRETS: &[&str] = &[
    "sasl.password",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

/// Options that the service sets itself, because what it promises rests on them.
const OURS: &[&str] = &[
    "bootstrap.servers",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "check.crcs",
    "allow.auto.create.topics",
    "enable.idempotence",
    "acks",
];

fn options(node: &Node) -> Result<Vec<(String, String)>, Vec<ConfigError>> {
    let (mut options, mut errors) = (BTreeMap::new(), Vec::new());
    collect(node, "", &mut options, &mut errors);
    if errors.is_empty() { Ok(options.into_iter().collect()) } else { Err(errors) }
}

/// An unquoted `security.protocol` is a table in TOML: names are joined again.
fn collect(node: &Node, prefix: &str, options: &mut BTreeMap<String, String>, errors: &mut Vec<ConfigError>) {
    let table = node.typed();
    let Value::Table(entries) = &table.value else {
        return errors.push(node.error(format!("expected a table, got {}", node.shown())));
    };
    for entry in entries {
        let name = format!("{prefix}{}", entry.key);
        if matches!(entry.node.value, Value::Table(_)) {
            collect(&entry.node, &format!("{name}."), options, errors);
            continue;
        }
        match option(&name, &entry.node) {
            Ok((name, value)) => drop(options.insert(name, value)),
            Err(message) => errors.push(ConfigError::new(&entry.at, &entry.node.path, message)),
        }
    }
}

fn option(name: &str, node: &Node) -> Result<(String, String), String> {
    if OURS.contains(&name) {
        return Err("set by perennial itself; leave it out".to_owned());
    }
    if SECRETS.contains(&name) {
        return Err(format!(
            "a secret does not stand in the configuration; put it in a file and write \"{name}_file\""
        ));
    }
    let value = match &node.value {
        Value::Text(text) | Value::Raw(text) => text.clone(),
        Value::Whole(x) => x.to_string(),
        Value::Number(x) => x.to_string(),
        Value::Flag(x) => x.to_string(),
        _ => return Err(format!("expected a text, a number or true or false, got {}", node.shown())),
    };
    match name.strip_suffix("_file").filter(|name| SECRETS.contains(name)) {
        None => Ok((name.to_owned(), value)),
        Some(name) => match std::fs::read_to_string(&value) {
            Ok(secret) => Ok((name.to_owned(), secret.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => Err(format!("cannot read {value:?}: {error}")),
        },
    }
}
