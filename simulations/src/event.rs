//! One event as JSON text.

use std::fmt::Write;

/// One event of a scenario, or the label of one.
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

impl Event {
    /// Where the last field, `target`, begins in the JSON, its comma included.
    pub(crate) fn target_from(&self, target: &str) -> usize {
        self.json.rfind(&format!(",\"{target}\":")).expect("the last field is the target")
    }
}

/// Writes the fields of one event in order.
pub(crate) struct Line {
    pub(crate) id: u64,
    pub(crate) at_ms: i64,
    json: String,
}

impl Line {
    pub(crate) fn new(id: u64, at_ms: i64) -> Self {
        let mut json = String::with_capacity(160);
        write!(json, "{{\"id\":{id},\"at\":{at_ms}").expect("a String grows");
        Self { id, at_ms, json }
    }

    /// A finite number, as short as it can be read back.
    pub(crate) fn number(mut self, name: &str, x: f64) -> Self {
        write!(self.json, ",\"{name}\":{x}").expect("a String grows");
        self
    }

    /// Numbers called `x1`, `x2` … to four decimals.
    pub(crate) fn numbers(self, xs: &[f64]) -> Self {
        xs.iter().enumerate().fold(self, |line, (i, x)| line.number(&format!("x{}", i + 1), round(*x, 4)))
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
        assert_eq!(event.json, r#"{"id":7,"at":1000,"a":0.3,"b":0}"#);
    }
}
