//! One event as JSON text, and what is known about the stream it stands in.

use std::fmt::Write;

use serde::Serialize;

/// One event of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the stream, from 0; also the first field of the JSON, `id`.
    pub id: u64,
    /// When it happened, in milliseconds since the Unix epoch; also the field `at`.
    pub at_ms: i64,
    /// Whose event it is (a record's key); empty = nobody's.
    pub key: String,
    /// The event: a flat object whose last field is the target.
    pub json: String,
}

/// How the world changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// From one event to the next.
    Abrupt,
    /// Slowly, from the named event on.
    Gradual,
}

/// A change of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The `id` of the first event of the new world.
    pub at_event: u64,
    /// How it changes.
    pub kind: DriftKind,
}

/// The first event's time: 2024-01-01T00:00:00Z, a Monday.
const START_MS: i64 = 1_704_067_200_000;

/// Writes the fields of one event in order.
pub(crate) struct Line {
    id: u64,
    at_ms: i64,
    json: String,
}

impl Line {
    /// Event `id` of a stream whose events stand `step_ms` apart.
    pub(crate) fn new(id: u64, step_ms: i64) -> Self {
        let at_ms = START_MS + id as i64 * step_ms;
        let mut json = String::with_capacity(160);
        write!(json, "{{\"id\":{id},\"at\":{at_ms}").expect("a String grows");
        Self { id, at_ms, json }
    }

    /// A finite number, as short as it can be read back.
    pub(crate) fn number(mut self, name: &str, x: f64) -> Self {
        write!(self.json, ",\"{name}\":{x}").expect("a String grows");
        self
    }

    /// A missing value.
    pub(crate) fn null(mut self, name: &str) -> Self {
        write!(self.json, ",\"{name}\":null").expect("a String grows");
        self
    }

    /// A name that needs no escapes.
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        write!(self.json, ",\"{name}\":\"{text}\"").expect("a String grows");
        self
    }

    /// The finished event of the entity `key`.
    pub(crate) fn end(mut self, key: &str) -> Event {
        self.json.push('}');
        Event { id: self.id, at_ms: self.at_ms, key: key.to_owned(), json: self.json }
    }
}

/// `x` to so many decimals, never a negative zero.
pub(crate) fn round(x: f64, decimals: u32) -> f64 {
    let scale = f64::from(10_u32.pow(decimals));
    (x * scale).round() / scale + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let event = Line::new(7, 1000).number("a", round(0.1 + 0.2, 3)).number("b", round(-0.0004, 3)).end("");
        assert_eq!(event.json, r#"{"id":7,"at":1704067207000,"a":0.3,"b":0}"#);
    }
}
