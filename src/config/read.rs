//! Reads a value as what an option needs, or says what was expected and what came.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::ConfigError;
use super::suggest::did_you_mean;
use super::tree::{Node, Value, parse_raw};
use super::units::{self, Every};

pub(super) type Read<T> = Result<T, ConfigError>;

impl Node {
    /// The value for people: short, and never more than one line.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Text(text) | Value::Raw(text) if text.chars().count() > 60 => {
                format!("{:?}…", text.chars().take(60).collect::<String>())
            }
            Value::Text(text) | Value::Raw(text) => format!("{text:?}"),
            Value::Whole(x) => x.to_string(),
            Value::Number(x) => x.to_string(),
            Value::Flag(x) => x.to_string(),
            Value::Time(text) => text.clone(),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }

    fn expected(&self, what: &str) -> ConfigError {
        self.error(format!("expected {what}, got {}", self.shown()))
    }

    /// The value, with text from the environment read as TOML where it is that.
    pub fn typed(&self) -> Cow<'_, Self> {
        match &self.value {
            Value::Raw(text) => parse_raw(text, &self.at, &self.path).map_or(Cow::Borrowed(self), Cow::Owned),
            _ => Cow::Borrowed(self),
        }
    }

    /// A text, which may be empty.
    pub fn text(&self) -> Read<String> {
        match &self.value {
            Value::Text(text) | Value::Raw(text) => Ok(text.clone()),
            _ => Err(self.expected("a text")),
        }
    }

    /// A text; empty means none.
    pub fn maybe(&self) -> Read<Option<String>> {
        Ok(Some(self.text()?).filter(|text| !text.is_empty()))
    }

    /// A text that is not empty.
    pub fn name(&self) -> Read<String> {
        self.maybe()?.ok_or_else(|| self.expected("a text that is not empty"))
    }

    /// A topic's name, as Kafka allows it.
    pub fn topic(&self) -> Read<String> {
        let name = self.name()?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.len() > 249 || !name.chars().all(allowed) || name == "." || name == ".." {
            return Err(self.expected("a topic's name (at most 249 letters, digits, \".\", \"_\", \"-\")"));
        }
        Ok(name)
    }

    /// A URL of http or https, like `example`; empty means none.
    pub fn url(&self, example: &str) -> Read<Option<String>> {
        let url = self.maybe()?;
        let is_url = |url: &String| {
            let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
        };
        if url.as_ref().is_none_or(is_url) { Ok(url) } else { Err(self.expected(&format!("a URL like {example:?}"))) }
    }

    /// A whole number within bounds.
    pub fn whole(&self, range: RangeInclusive<u64>) -> Read<u64> {
        match &self.typed().value {
            Value::Whole(x) => u64::try_from(*x).ok().filter(|x| range.contains(x)),
            _ => None,
        }
        .ok_or_else(|| match (range.start(), range.end()) {
            (low, high) if low == high => self.expected(&low.to_string()),
            (low, high) => self.expected(&format!("a whole number from {low} to {high}")),
        })
    }

    /// A number above `low`, up to `high`.
    pub fn share(&self, low: f64, high: f64) -> Read<f64> {
        let x = match &self.typed().value {
            Value::Whole(x) => *x as f64,
            Value::Number(x) => *x,
            _ => f64::NAN,
        };
        if x > low && x <= high { Ok(x) } else { Err(self.expected(&format!("a number above {low}, up to {high}"))) }
    }

    /// Bytes within bounds: `"64MiB"`, or a number.
    pub fn size(&self, range: RangeInclusive<u64>) -> Read<u64> {
        match &self.typed().value {
            Value::Whole(x) => u64::try_from(*x).ok(),
            Value::Text(text) | Value::Raw(text) => units::size(text),
            _ => None,
        }
        .filter(|bytes| range.contains(bytes))
        .ok_or_else(|| {
            let (low, high) = (bytes_shown(*range.start()), bytes_shown(*range.end()));
            self.expected(&format!("a size from {low} to {high}, like \"64MiB\""))
        })
    }

    /// How often: `"100ms"`, `"10s"`, `"1000 events"`; at least `low` where it is a time.
    pub fn every(&self, low: Duration) -> Read<Every> {
        let every = self.text().ok().and_then(|text| units::every(&text));
        every
            .filter(|every| match every {
                Every::Time(time) => *time >= low,
                Every::Events(events) => *events > 0,
            })
            .ok_or_else(|| self.expected(&format!("a time of at least {low:?} like \"10s\", or \"1000 events\"")))
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Read<T> {
        let text = self.text().unwrap_or_default();
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            let suggestion = did_you_mean(&text, words.iter().map(|(word, _)| *word));
            self.error(format!("expected {}, got {}{suggestion}", names.join(" or "), self.shown()))
        })
    }

    /// An address to listen on.
    pub fn address(&self) -> Read<SocketAddr> {
        let address = self.text().ok().and_then(|text| text.parse().ok());
        address.ok_or_else(|| self.expected("an address and port like \"127.0.0.1:8501\""))
    }

    /// A list, each element read the same way, no two of them equal. In the environment also `a,b`.
    pub fn list<T: PartialEq>(&self, read: impl Fn(&Self) -> Read<T>) -> Result<Vec<T>, Vec<ConfigError>> {
        let nodes = match &self.typed().value {
            Value::List(nodes) => nodes.clone(),
            Value::Raw(text) => text
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(|text| Self { value: Value::Raw(text.to_owned()), ..self.clone() })
                .collect(),
            _ => return Err(self.expected("a list").into()),
        };
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for node in nodes {
            match read(&node) {
                Ok(value) if values.contains(&value) => errors.push(node.error(format!("{} twice", node.shown()))),
                Ok(value) => values.push(value),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }
}

/// Bytes in the largest unit that divides them.
fn bytes_shown(bytes: u64) -> String {
    [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .into_iter()
        .find(|(_, shift)| bytes >= 1 << shift && bytes.trailing_zeros() >= *shift)
        .map_or_else(|| bytes.to_string(), |(unit, shift)| format!("{}{unit}", bytes >> shift))
}
