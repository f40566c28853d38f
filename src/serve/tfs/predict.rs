//! `:predict`: rows (`instances`: objects or arrays) or columns (`inputs`), answered in the same format.

use axum::response::Response;
use features::{Schema, Task};
use learners::Prediction;
use serde_json::{Map, Value};

use super::path::Asked;
use super::{answer, body, check_version};
use crate::live::Served;
use crate::serve::App;
use crate::serve::answer::{Desk, write_list, write_text};
use crate::serve::fault::Fault;

pub(super) fn reply(app: &App, asked: &Asked<'_>, bytes: &[u8]) -> Result<Response, Fault> {
    let live = answer::live(app, asked.model)?;
    let served = &*live.served;
    check_version(served, &asked.which)?;
    let value = body::leading_json(bytes)?;
    let Value::Object(request) = value else {
        return Err(Fault::bad(format!("the body must be an object, got {}", body::describe(&value))));
    };
    match request.get("signature_name") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) if name.is_empty() || name == "serving_default" => {}
        Some(Value::String(name)) => {
            return Err(Fault::bad(format!("Serving signature name {name:?} not found, there is \"serving_default\"")));
        }
        Some(_) => return Err(Fault::bad("'signature_name' key must be a string value.")),
    }
    let body = match (request.get("instances"), request.get("inputs")) {
        (Some(instances), None) => rows(served, instances)?,
        (None, Some(inputs)) => columns(served, inputs)?,
        (None, None) => return Err(Fault::bad("Missing 'inputs' or 'instances' key")),
        (Some(_), Some(_)) => return Err(Fault::bad("expected 'inputs' or 'instances', got both")),
    };
    Ok(answer::reply(&live, body))
}

fn rows(served: &Served, instances: &Value) -> Result<Vec<u8>, Fault> {
    let instances = match instances {
        Value::Array(instances) if !instances.is_empty() => instances,
        other => return Err(expected("instances", "a non-empty array of rows", other)),
    };
    let schema = &*served.model.schema;
    let mut out = Vec::with_capacity(64 + instances.len() * 32);
    out.extend_from_slice(b"{\"predictions\":[");
    answer::at_desk(|desk| {
        for (i, instance) in instances.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            take_row(desk, schema, instance).map_err(|fault| fault.in_row(i))?;
            let prediction = desk.predict(served, None)?;
            match served.task() {
                Task::Regression => write_number(&mut out, prediction.value),
                Task::Classification => {
                    out.extend_from_slice(b"{\"label\":");
                    write_text(&mut out, answer::label(schema, prediction));
                    out.extend_from_slice(b",\"probabilities\":");
                    write_probabilities(&mut out, schema, prediction);
                    out.push(b'}');
                }
            }
        }
        Ok(())
    })?;
    out.extend_from_slice(b"]}");
    Ok(out)
}

/// A row: an object of fields, an array in the schema's order, or an object naming the one tensor `features`.
fn take_row(desk: &mut Desk, schema: &Schema, instance: &Value) -> Result<(), Fault> {
    match instance {
        Value::Array(values) => desk.take_array(schema, values),
        Value::Object(object) => match whole_rows(object) {
            Some(Value::Array(values)) => desk.take_array(schema, values),
            _ => desk.take_object(schema, instance),
        },
        other => Err(Fault::bad(format!("expected an object or an array, got {}", body::describe(other)))),
    }
}

/// The tensor of whole rows, if it is all there is.
fn whole_rows(object: &Map<String, Value>) -> Option<&Value> {
    object.get("features").filter(|value| object.len() == 1 && value.is_array())
}

fn columns(served: &Served, inputs: &Value) -> Result<Vec<u8>, Fault> {
    let schema = &*served.model.schema;
    let mut answers = Columns::default();
    answer::at_desk(|desk| match inputs {
        Value::Array(rows) => answers.whole_rows(desk, served, rows),
        Value::Object(object) => match whole_rows(object) {
            Some(Value::Array(rows)) => answers.whole_rows(desk, served, rows),
            _ => {
                let columns = named_columns(schema, object)?;
                for i in 0..columns[0].1.len() {
                    desk.clear(schema);
                    for (place, column) in &columns {
                        desk.take_value(schema, *place, scalar(&column[i])).map_err(|fault| fault.in_row(i))?;
                    }
                    answers.push(schema, desk.predict(served, None)?);
                }
                Ok(())
            }
        },
        other => Err(expected("inputs", "an object of columns or an array of rows", other)),
    })?;
    Ok(answers.finish())
}

type Column<'a> = (usize, &'a [Value]);

/// The columns by their place in the schema: all of one length, none twice, at least one.
fn named_columns<'a>(schema: &Schema, object: &'a Map<String, Value>) -> Result<Vec<Column<'a>>, Fault> {
    let mut columns: Vec<Column<'a>> = Vec::with_capacity(object.len());
    for (name, value) in object {
        let Some(place) = schema.fields().iter().position(|field| *field.name == **name) else {
            return Err(expected(name, "the name of one of the model's fields", value));
        };
        let Value::Array(column) = value else { return Err(expected(name, "an array, one value a row", value)) };
        if let Some((_, first)) = columns.first()
            && first.len() != column.len()
        {
            return Err(expected(name, &format!("{} values as in the other columns", first.len()), value));
        }
        columns.push((place, column));
    }
    if columns.first().is_none_or(|(_, column)| column.is_empty()) {
        return Err(Fault::bad("'inputs' holds no row"));
    }
    Ok(columns)
}

/// A value of shape [] or [1].
fn scalar(value: &Value) -> &Value {
    match value {
        Value::Array(items) if items.len() == 1 => &items[0],
        other => other,
    }
}

/// Answers column by column.
#[derive(Default)]
struct Columns {
    values: Vec<u8>,
    labels: Vec<u8>,
    probabilities: Vec<u8>,
}

impl Columns {
    fn whole_rows(&mut self, desk: &mut Desk, served: &Served, rows: &[Value]) -> Result<(), Fault> {
        let schema = &*served.model.schema;
        if rows.is_empty() {
            return Err(Fault::bad("'inputs' holds no row"));
        }
        for (i, row) in rows.iter().enumerate() {
            let Value::Array(values) = row else { return Err(expected("inputs", "an array of arrays", row).in_row(i)) };
            desk.take_array(schema, values).map_err(|fault| fault.in_row(i))?;
            self.push(schema, desk.predict(served, None)?);
        }
        Ok(())
    }

    fn push(&mut self, schema: &Schema, prediction: &Prediction) {
        let Self { values, labels, probabilities } = self;
        let next = |out: &mut Vec<u8>| {
            if !out.is_empty() {
                out.push(b',');
            }
        };
        match schema.spec().task {
            Task::Regression => {
                next(values);
                write_number(values, prediction.value);
            }
            Task::Classification => {
                next(labels);
                write_text(labels, answer::label(schema, prediction));
                next(probabilities);
                write_probabilities(probabilities, schema, prediction);
            }
        }
    }

    /// One output stands alone, several are named.
    fn finish(self) -> Vec<u8> {
        let parts: &[&[u8]] = if self.labels.is_empty() {
            &[b"{\"outputs\":[", &self.values, b"]}"]
        } else {
            &[b"{\"outputs\":{\"label\":[", &self.labels, b"],\"probabilities\":[", &self.probabilities, b"]}}"]
        };
        parts.concat()
    }
}

fn write_probabilities(out: &mut Vec<u8>, schema: &Schema, prediction: &Prediction) {
    out.push(b'[');
    write_list(out, answer::probabilities(schema, prediction), |out, (_, p)| write_number(out, p));
    out.push(b']');
}

/// As TF Serving writes numbers: what is not finite as a bare token.
fn write_number(out: &mut Vec<u8>, x: f64) {
    if x.is_finite() {
        answer::write_number(out, x);
    } else if x.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if x > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
}

fn expected(field: &str, expected: &str, got: &Value) -> Fault {
    Fault::expected(field, expected, body::describe(got))
}
