//! A configuration as a tree of values that know where they come from.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use super::error::{ConfigError, Place};
use super::interpolate::interpolate;

/// A value, with its place and the dotted name of the option.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub at: Place,
    pub path: String,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Number(f64),
    Flag(bool),
    Time(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// From the environment: read as whatever the option needs.
    Raw(String),
}

/// A key of a table and what it holds.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub at: Place,
    pub node: Node,
}

impl Node {
    /// What a key of this table holds.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Where a key of this table was set: its value, or else the table itself.
    pub fn place_of(&self, key: &str) -> &Place {
        self.get(key).map_or(&self.at, |node| &node.at)
    }

    /// The dotted name of a key of this table.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// An error about this value.
    pub fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.at, &self.path, message)
    }
}

/// A tree, and what is wrong with the texts in it.
pub(super) type Parsed = (Node, Vec<ConfigError>);

/// Parses TOML text and fills in `${…}` from `env`; a text whose variable is not set stays as it is, with an error.
///
/// # Errors
/// A syntax error.
pub(super) fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Parsed, Vec<ConfigError>> {
    let document = Document::parse(text).map_err(|error| {
        let at = place(text, error.span());
        ConfigError::new(&at, "", error.message().lines().collect::<Vec<_>>().join("; "))
    })?;
    let mut builder = Builder { text, env, errors: Vec::new() };
    let value = builder.table(document.as_table(), "");
    Ok((Node { at: Place::Whole, path: String::new(), value }, builder.errors))
}

/// Reads text from the environment as a TOML value where it is one.
pub(super) fn parse_raw(text: &str, at: &Place, path: &str) -> Option<Node> {
    let table: Document<String> = Document::parse(format!("value = {text}")).ok()?;
    let mut builder = Builder { text: "", env: &|_| None, errors: Vec::new() };
    let mut node = builder.item(table.as_table().get("value")?, at.clone(), path)?;
    relocate(&mut node, at);
    Some(node)
}

/// Whatever stood in the text of a variable is at that variable.
fn relocate(node: &mut Node, at: &Place) {
    node.at = at.clone();
    match &mut node.value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| relocate(node, at)),
        Value::Table(entries) => entries.iter_mut().for_each(|entry| {
            entry.at = at.clone();
            relocate(&mut entry.node, at);
        }),
        _ => {}
    }
}

struct Builder<'a> {
    text: &'a str,
    env: &'a dyn Fn(&str) -> Option<String>,
    errors: Vec<ConfigError>,
}

impl Builder<'_> {
    fn table(&mut self, table: &dyn TableLike, path: &str) -> Value {
        let mut entries = Vec::new();
        for (key, item) in table.iter() {
            let span = table.get_key_value(key).and_then(|(key, _)| key.span());
            let at = place(self.text, span);
            let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            if let Some(node) = self.item(item, at.clone(), &path) {
                entries.push(Entry { key: key.to_owned(), at, node });
            }
        }
        Value::Table(entries)
    }

    /// A value is where it is written; a table is where its key is.
    fn item(&mut self, item: &Item, key: Place, path: &str) -> Option<Node> {
        let at = if item.is_value() { place(self.text, item.span()) } else { key };
        let value = match item {
            Item::None => return None,
            Item::Table(table) => self.table(table, path),
            Item::ArrayOfTables(tables) => Value::List(
                tables
                    .iter()
                    .enumerate()
                    .map(|(i, table)| {
                        let path = format!("{path}[{i}]");
                        Node { at: at.clone(), value: self.table(table, &path), path }
                    })
                    .collect(),
            ),
            Item::Value(value) => self.value(value, &at, path),
        };
        Some(Node { at, path: path.to_owned(), value })
    }

    fn value(&mut self, value: &toml_edit::Value, at: &Place, path: &str) -> Value {
        match value {
            toml_edit::Value::String(text) => match interpolate(text.value(), self.env) {
                Ok(text) => Value::Text(text),
                Err(message) => {
                    self.errors.push(ConfigError::new(at, path, message));
                    Value::Text(text.value().clone())
                }
            },
            toml_edit::Value::Integer(x) => Value::Whole(*x.value()),
            toml_edit::Value::Float(x) => Value::Number(*x.value()),
            toml_edit::Value::Boolean(x) => Value::Flag(*x.value()),
            toml_edit::Value::Datetime(x) => Value::Time(x.value().to_string()),
            toml_edit::Value::InlineTable(table) => self.table(table, path),
            toml_edit::Value::Array(array) => {
                let mut nodes = Vec::new();
                for (i, value) in array.iter().enumerate() {
                    let at = place(self.text, value.span());
                    let path = format!("{path}[{i}]");
                    nodes.push(Node { value: self.value(value, &at, &path), at, path });
                }
                Value::List(nodes)
            }
        }
    }
}

/// Line and column of a range's beginning.
fn place(text: &str, span: Option<Range<usize>>) -> Place {
    let Some(before) = span.and_then(|span| text.get(..span.start)) else { return Place::Whole };
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    Place::File { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}
