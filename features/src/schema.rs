//! The append-only schema: what fields there are, of what kind, and how a value becomes a number.
//!
//! A field is appended when its first non-null value is seen, and that value fixes its kind. A later value of another
//! kind counts as missing. Nothing is ever removed or changes place, so a row's numbers keep their meaning.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Dictionary, EventSpec, LabelSource, Value};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// No value was seen yet: missing in every row so far.
    Unknown,
    /// Numbers (booleans are 0 and 1).
    Number,
    /// Names, numbered in order of first sight.
    Nominal,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its flattened name.
    pub name: Box<str>,
    /// What it holds.
    pub kind: Kind,
    /// The categories seen, if it is nominal.
    pub categories: Dictionary,
}

/// What a name in an event means to the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) target: bool,
    pub(crate) time: bool,
    pub(crate) entity: bool,
    pub(crate) id: bool,
    pub(crate) feature: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    fields: Vec<Field>,
    classes: Dictionary,
}

/// The columns and classes of a model.
#[derive(Clone, Debug)]
pub struct Schema {
    pub(crate) spec: Arc<EventSpec>,
    pub(crate) fields: Vec<Field>,
    pub(crate) classes: Dictionary,
    pub(crate) slots: HashMap<Box<str>, Slot>,
}

impl Schema {
    /// The schema before the first event: the configured fields.
    pub fn new(spec: Arc<EventSpec>) -> Self {
        let mut schema = Self { spec, fields: Vec::new(), classes: Dictionary::default(), slots: HashMap::new() };
        schema.name_roles();
        let spec = Arc::clone(&schema.spec);
        for name in &spec.features {
            let kind = if spec.nominal.contains(name) { Kind::Nominal } else { Kind::Unknown };
            schema.append(name, kind);
        }
        if spec.features.is_empty() {
            for name in &spec.nominal {
                schema.append(name, Kind::Nominal);
            }
            let known = schema.slots.get(spec.target.as_str()).is_some_and(|slot| slot.feature.is_some());
            if spec.label == LabelSource::Later && !known && !spec.ignore.contains(&spec.target) {
                schema.append(&spec.target, Kind::Unknown);
            }
        }
        schema
    }

    fn name_roles(&mut self) {
        let spec = Arc::clone(&self.spec);
        for name in &spec.ignore {
            self.slots.entry(name.as_str().into()).or_default();
        }
        self.slots.entry(spec.target.as_str().into()).or_default().target = spec.label != LabelSource::Topic;
        if let Some(name) = &spec.time {
            self.slots.entry(name.as_str().into()).or_default().time = true;
        }
        if let Some(name) = &spec.entity {
            self.slots.entry(name.as_str().into()).or_default().entity = true;
        }
        if let Some(name) = &spec.id {
            self.slots.entry(name.as_str().into()).or_default().id = true;
        }
    }

    pub(crate) fn append(&mut self, name: &str, kind: Kind) -> u32 {
        let place = self.fields.len() as u32;
        self.fields.push(Field { name: name.into(), kind, categories: Dictionary::default() });
        self.slots.entry(name.into()).or_default().feature = Some(place);
        place
    }

    /// How events are read.
    pub fn spec(&self) -> &EventSpec {
        &self.spec
    }

    /// The columns in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The classes in order of first sight.
    pub fn classes(&self) -> &Dictionary {
        &self.classes
    }

    /// The columns' kinds in order.
    pub fn kinds(&self) -> Vec<Kind> {
        self.fields.iter().map(|field| field.kind).collect()
    }

    pub(crate) fn encode(&self, place: u32, value: Value<'_>, name: &mut String) -> Encoded {
        let field = &self.fields[place as usize];
        match (field.kind, value) {
            (Kind::Number, Value::Number(x)) => Encoded::Number(x),
            (Kind::Number, Value::Bool(flag)) => Encoded::Number(f64::from(u8::from(flag))),
            (Kind::Nominal, Value::Number(_) | Value::Bool(_)) if !self.numbers_are_names(&field.name) => {
                Encoded::OtherKind
            }
            (Kind::Nominal, _) => match value.name(self.spec.limits.text, name) {
                None => Encoded::OtherKind,
                Some(text) => {
                    field.categories.get(text).map_or(Encoded::NewCategory, |n| Encoded::Number(f64::from(n)))
                }
            },
            _ => Encoded::OtherKind,
        }
    }

    fn numbers_are_names(&self, field: &str) -> bool {
        self.spec.nominal.iter().any(|name| name == field)
    }

    /// Goes on under another spec, which gives the fields seen so far the same meaning; `appended` are new features.
    pub fn reconfigure(&mut self, spec: Arc<EventSpec>, appended: &[String]) {
        self.spec = spec;
        for name in appended {
            if self.slots.get(name.as_str()).is_none_or(|slot| slot.feature.is_none()) {
                let kind = if self.numbers_are_names(name) { Kind::Nominal } else { Kind::Unknown };
                self.append(name, kind);
            }
        }
    }

    /// The saved form: columns and classes.
    pub fn save(&self) -> Vec<u8> {
        let saved = Saved { fields: self.fields.clone(), classes: self.classes.clone() };
        serde_json::to_vec(&saved).expect("names and kinds are plain data")
    }

    /// The schema that [`Schema::save`] wrote, read by the same spec.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn restore(spec: Arc<EventSpec>, bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let Saved { fields, classes } = serde_json::from_slice(bytes)?;
        let mut schema = Self { spec, fields, classes, slots: HashMap::new() };
        schema.name_roles();
        for place in 0..schema.fields.len() {
            let name = schema.fields[place].name.clone();
            schema.slots.entry(name).or_default().feature = Some(place as u32);
        }
        Ok(schema)
    }
}

/// What a value is in its column.
pub(crate) enum Encoded {
    Number(f64),
    NewCategory,
    OtherKind,
}
