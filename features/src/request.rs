//! A request becomes a row: encoded as an event would be, the schema stays as it is, and errors name the field.

use thiserror::Error;

use crate::schema::Encoded;
use crate::{Fields, Kind, Schema, Value};

/// Why a request's row cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("field {field}: expected {expected}, got {got}")]
pub struct RequestError {
    /// The field.
    pub field: String,
    /// What would be right.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl Schema {
    /// Writes a request's numbers into `row`. Fields not given are missing, unseen categories too; the target and the
    /// other roles may stand in the request and are left out.
    ///
    /// # Errors
    /// A field the model does not know, or a value of another kind than its field's.
    pub fn encode_fields(&self, fields: &Fields, row: &mut Vec<f64>) -> Result<(), RequestError> {
        let mut name = String::new();
        row.clear();
        row.resize(self.fields.len(), f64::NAN);
        for (key, value) in fields.iter() {
            match self.slots.get(key) {
                None => return Err(self.unknown_field(key, value)),
                Some(slot) => {
                    if let Some(place) = slot.feature {
                        row[place as usize] = self.encode_request(place, value, &mut name)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes one value of a request's row: column `place` in schema order.
    ///
    /// # Errors
    /// A place beyond the schema, or a value of another kind than its field's.
    pub fn encode_at(&self, place: usize, value: Value<'_>) -> Result<f64, RequestError> {
        if place >= self.fields.len() {
            return Err(RequestError {
                field: format!("[{place}]"),
                expected: format!("at most {} values, in the order of the metadata", self.fields.len()),
                got: value.describe(),
            });
        }
        self.encode_request(place as u32, value, &mut String::new())
    }

    fn encode_request(&self, place: u32, value: Value<'_>, name: &mut String) -> Result<f64, RequestError> {
        let field = &self.fields[place as usize];
        if value == Value::Null || field.kind == Kind::Unknown {
            return Ok(f64::NAN);
        }
        match self.encode(place, value, name) {
            Encoded::Number(x) => Ok(x),
            Encoded::NewCategory => Ok(f64::NAN),
            Encoded::OtherKind => Err(RequestError {
                field: field.name.to_string(),
                expected: if field.kind == Kind::Number { "a number" } else { "a category name (text)" }.into(),
                got: value.describe(),
            }),
        }
    }

    fn unknown_field(&self, key: &str, value: Value<'_>) -> RequestError {
        let mut known: Vec<&str> = self.fields.iter().take(20).map(|field| &*field.name).collect();
        if self.fields.len() > known.len() {
            known.push("…");
        }
        RequestError {
            field: key.to_owned(),
            expected: format!("one of the model's fields ({})", known.join(", ")),
            got: value.describe(),
        }
    }
}
