//! A JSON object flattened into named scalars: `{"a":{"b":1}}` is the field `a.b`. Arrays hold no scalar and are skipped.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

use crate::template::Template;
use crate::{Limits, Reject};

/// A scalar as it came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A string.
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// The value's one spelling (`2` and `2.0` are the same name), written into `out` if it is no text. `None` for null
    /// and for text of more than `most` bytes.
    pub fn name<'b>(&self, most: usize, out: &'b mut String) -> Option<&'b str>
    where
        'a: 'b,
    {
        use fmt::Write;
        out.clear();
        match *self {
            Self::Null => return None,
            Self::Text(text) => return (text.len() <= most).then_some(text),
            Self::Bool(flag) => out.push_str(if flag { "true" } else { "false" }),
            Self::Number(x) if x.trunc() == x && x.abs() < 1e15 => write!(out, "{}", x as i64).expect("a String grows"),
            Self::Number(x) => write!(out, "{x}").expect("a String grows"),
        }
        Some(out)
    }

    /// What came, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(flag) => flag.to_string(),
            Self::Number(x) => x.to_string(),
            Self::Text(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        }
    }
}

/// Why a body is no flat object of scalars.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The field being read, as far as it was known.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// Whether a number beyond floating point is the reason.
    pub impossible_number: bool,
}

impl From<FieldError> for Reject {
    fn from(e: FieldError) -> Self {
        if e.impossible_number {
            Self::ImpossibleNumber { field: e.field, got: "a number beyond 64-bit floating point".into() }
        } else {
            Self::Malformed(e.message)
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw {
    Null,
    Bool(bool),
    Number(f64),
    /// From where to where in the text.
    Text(u32, u32),
}

/// The scalars of one object in the order they came; the memory is used again for the next one.
#[derive(Clone, Debug)]
pub struct Fields {
    names: Vec<Box<str>>,
    values: Vec<Raw>,
    text: String,
    path: String,
    /// How often the names have changed.
    naming: u64,
    /// The last object's shape, once two in a row had the same names.
    template: Option<Template>,
    /// How deep objects may be nested.
    depth: usize,
}

impl Default for Fields {
    /// None yet; as deep as [`Limits`] has it where nothing else is said.
    fn default() -> Self {
        Self {
            names: Vec::new(),
            values: Vec::new(),
            text: String::new(),
            path: String::new(),
            naming: 0,
            template: None,
            depth: Limits::default().depth,
        }
    }
}

impl Fields {
    /// From now on objects may be nested this deep.
    pub fn bound(&mut self, depth: usize) {
        if self.depth != depth {
            (self.depth, self.template) = (depth, None);
        }
    }

    /// Reads one object out of JSON text.
    pub fn parse(&mut self, json: &[u8]) -> Result<(), FieldError> {
        if let Some(template) = &self.template {
            self.values.clear();
            self.text.clear();
            if template.read(json, &mut self.text, &mut self.values) {
                return Ok(());
            }
        }
        let before = self.naming;
        let mut reader = serde_json::Deserializer::from_slice(json);
        self.read(&mut reader)?;
        reader.end().map_err(|e| self.error(&e))?;
        // Events that alternate are not worth a template.
        self.template = if self.naming == before { Template::of(json, self.len()) } else { None };
        Ok(())
    }

    /// Reads one object out of a JSON value.
    pub fn read_value(&mut self, value: &serde_json::Value) -> Result<(), FieldError> {
        self.read(value)
    }

    fn read<'de, D>(&mut self, reader: D) -> Result<(), FieldError>
    where
        D: Deserializer<'de>,
        D::Error: fmt::Display,
    {
        self.text.clear();
        self.path.clear();
        self.values.clear();
        let read = reader.deserialize_map(Nested { fields: self, depth: 0 });
        if self.names.len() > self.values.len() {
            self.names.truncate(self.values.len());
            self.renamed();
        }
        read.map_err(|e| self.error(&e))
    }

    fn error(&self, e: &impl fmt::Display) -> FieldError {
        let message = e.to_string();
        let impossible_number = message.starts_with("number out of range");
        FieldError { field: self.path.clone(), message, impossible_number }
    }

    /// How many scalars.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Name and value of scalar `i`.
    #[inline]
    pub fn get(&self, i: usize) -> (&str, Value<'_>) {
        (&self.names[i], self.value(i))
    }

    /// Value of scalar `i`.
    #[inline]
    pub fn value(&self, i: usize) -> Value<'_> {
        match self.values[i] {
            Raw::Null => Value::Null,
            Raw::Bool(flag) => Value::Bool(flag),
            Raw::Number(x) => Value::Number(x),
            Raw::Text(from, to) => Value::Text(&self.text[from as usize..to as usize]),
        }
    }

    /// The scalars in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// How often the names, or their order, have changed: as long as it stays, so do they.
    pub fn naming(&self) -> u64 {
        self.naming
    }

    fn renamed(&mut self) {
        self.naming += 1;
        self.template = None;
    }

    fn push(&mut self, value: Raw) {
        let place = self.values.len();
        self.values.push(value);
        if self.names.get(place).is_none_or(|name| **name != *self.path) {
            self.names.truncate(place);
            self.names.push(self.path.as_str().into());
            self.renamed();
        }
    }
}

/// Appends a key to the path.
struct Key<'f>(&'f mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }
    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        self.0.push_str(key);
        Ok(())
    }
}

/// Reads an object, or whatever stands at a key, at a depth.
struct Nested<'f> {
    fields: &'f mut Fields,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of scalars")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        use serde::de::Error;
        let most = self.fields.depth;
        if self.depth >= most {
            return Err(A::Error::custom(format_args!("objects nested deeper than {most}")));
        }
        let parent = self.fields.path.len();
        loop {
            self.fields.path.truncate(parent);
            if parent > 0 {
                self.fields.path.push('.');
            }
            if map.next_key_seed(Key(&mut self.fields.path))?.is_none() {
                self.fields.path.truncate(parent);
                return Ok(());
            }
            map.next_value_seed(Nested { fields: self.fields, depth: self.depth + 1 })?;
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.fields.push(Raw::Null);
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.fields.push(Raw::Null);
        Ok(())
    }

    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        self.fields.push(Raw::Bool(flag));
        Ok(())
    }

    fn visit_i64<E>(self, x: i64) -> Result<(), E> {
        self.fields.push(Raw::Number(x as f64));
        Ok(())
    }

    fn visit_u64<E>(self, x: u64) -> Result<(), E> {
        self.fields.push(Raw::Number(x as f64));
        Ok(())
    }

    fn visit_f64<E>(self, x: f64) -> Result<(), E> {
        self.fields.push(Raw::Number(x));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let from = self.fields.text.len() as u32;
        self.fields.text.push_str(text);
        self.fields.push(Raw::Text(from, self.fields.text.len() as u32));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Result<Vec<(String, String)>, FieldError> {
        let mut fields = Fields::default();
        fields.parse(json.as_bytes())?;
        Ok(fields.iter().map(|(name, value)| (name.to_owned(), value.describe())).collect())
    }

    #[test]
    fn objects_are_flattened_with_dots_and_arrays_skipped() {
        let fields = parsed(r#"{"a":1,"b":{"c":{"d":"x"},"e":null},"f":[1,{"g":2}],"h":true}"#).unwrap();
        let expected = [("a", "1"), ("b.c.d", "\"x\""), ("b.e", "null"), ("h", "true")];
        assert_eq!(fields, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn events_in_a_row_are_read_as_each_would_be_alone() {
        let lines = [
            r#"{"a": 1, "b": {"c": "x"}, "d": null}"#,
            r#"{"a": 2, "b": {"c": "y"}, "d": 0.1}"#,
            r#"{"a": -3e2, "b": {"c": "\u00fc"}, "d": true}"#,
            r#"{"a": false, "b": {"c": "é\"}, "d": "7"}"#,
            r#"{"a": 01, "b": {"c": "y"}, "d": 2}"#,
            r#"{"a": 1e999, "b": {"c": "y"}, "d": 2}"#,
            r#"{"a": 5, "b": {"c": "y"}, "d": 2}}"#,
            r#"{"a": 5, "b": {"c": "y"}, "d": 2"#,
            "{\"a\": 5, \"b\": {\"c\": \"\u{1}\"}, \"d\": 2}",
            r#"{"a": 6, "b": {"c": "z"}}"#,
            r#"{"b": {"c": "z"}, "a": 6}"#,
            r#"{"a":6,"b":{"c":"z"},"d":[1]}"#,
        ];
        let read = |fields: &mut Fields, line: &str| {
            fields.parse(line.as_bytes())?;
            Ok::<_, FieldError>(
                fields.iter().map(|(name, value)| (name.to_owned(), value.describe())).collect::<Vec<_>>(),
            )
        };
        let mut in_a_row = Fields::default();
        // Every line after every other one: a template stands, and none.
        for first in lines {
            for line in [first, first, lines[0], lines[0]].into_iter().chain(lines) {
                assert_eq!(read(&mut in_a_row, line), read(&mut Fields::default(), line), "{line} after {first}");
            }
        }
        read(&mut in_a_row, lines[0]).unwrap();
        read(&mut in_a_row, lines[0]).unwrap();
        let naming = in_a_row.naming();
        assert!(in_a_row.template.is_some(), "two alike make a template");
        read(&mut in_a_row, lines[1]).unwrap();
        assert_eq!(in_a_row.naming(), naming);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["", "[1]", "3", "{\"a\":1", "{\"a\":1}{", "{\"a\":NaN}", "\u{1}"] {
            assert!(parsed(json).is_err(), "{json:?} was accepted");
        }
    }

    #[test]
    fn a_number_beyond_floating_point_is_named() {
        let e = parsed(r#"{"a":1,"b":{"c":1e999}}"#).unwrap_err();
        assert!(e.impossible_number);
        assert_eq!(e.field, "b.c");
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        assert!(parsed(&deep(16)).is_ok());
        assert!(parsed(&deep(17)).unwrap_err().message.contains("nested deeper than 16"));
        let mut fields = Fields::default();
        fields.bound(20);
        // The second one by the shape of the first.
        for _ in 0..3 {
            fields.parse(deep(20).as_bytes()).unwrap();
        }
        fields.bound(3);
        assert!(fields.parse(deep(3).as_bytes()).is_ok());
        fields.bound(2);
        assert!(fields.parse(deep(3).as_bytes()).unwrap_err().message.contains("nested deeper than 2"));
    }

    #[test]
    fn a_name_has_one_spelling() {
        let mut out = String::new();
        assert_eq!(Value::Number(2.0).name(9, &mut out), Some("2"));
        assert_eq!(Value::Number(-0.0).name(9, &mut out), Some("0"));
        assert_eq!(Value::Number(0.5).name(9, &mut out), Some("0.5"));
        assert_eq!(Value::Text("123456789").name(9, &mut out), Some("123456789"));
        assert_eq!(Value::Text("1234567890").name(9, &mut out), None);
    }
}
