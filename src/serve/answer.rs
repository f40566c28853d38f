//! From a request's row to a written answer: the part that every predict endpoint shares.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use features::{EntityId, EventTime, Fields, Row, Schema, Task, Value};
use learners::{Prediction, Scratch};
use serde_json::Value as Json;

use super::body::describe;
use super::fault::Fault;
use super::{App, now_ms};
use crate::live::Served;

const VERSION: HeaderName = HeaderName::from_static("perennial-version");
const STALE: HeaderName = HeaderName::from_static("perennial-stale");

/// What answers a request.
pub(super) struct Live {
    /// The model: version, learner, prediction and age all come from it.
    pub(super) served: Arc<Served>,
    /// Whether it may lag behind what was learned before.
    pub(super) is_stale: bool,
}

/// The model that answers this request, loaded once.
pub(super) fn live(app: &App, name: &str) -> Result<Live, Fault> {
    let handle = app.registry.get(name).ok_or_else(|| unknown_model(app, name))?;
    let is_stale = handle.status.is_stale();
    match handle.live.load() {
        Some(served) if served.has_learned() => Ok(Live { served, is_stale }),
        _ => {
            let detail = format!("model {name} cannot predict yet: {}", handle.reasons().join("; "));
            Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, detail))
        }
    }
}

/// No such model; names the nearest.
pub(super) fn unknown_model(app: &App, name: &str) -> Fault {
    let hint = app.registry.nearest(name).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    Fault::new(StatusCode::NOT_FOUND, format!("unknown model {name:?}{hint}"))
}

/// Counts a predict request and its time. Names that are no model's are counted without one.
pub(super) fn count(app: &App, model: &str, begun: Instant, status: StatusCode) {
    let model = app.registry.get(model).map_or("", |_| model);
    app.metrics.predicted(model, status.as_u16(), begun.elapsed());
}

/// A JSON reply of the model at its version; `perennial-stale: true` marks one that may lag behind what was learned.
pub(super) fn reply(live: &Live, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (VERSION, HeaderValue::from(live.served.model.version)),
    ];
    let mut response = (headers, body).into_response();
    if live.is_stale {
        response.headers_mut().insert(STALE, HeaderValue::from_static("true"));
    }
    response
}

/// The memory that one thread predicts with, again and again.
#[derive(Default)]
pub(super) struct Desk {
    fields: Fields,
    row: Vec<f64>,
    scratch: Scratch,
    prediction: Prediction,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Lends this thread's desk.
pub(super) fn at_desk<T>(work: impl FnOnce(&mut Desk) -> T) -> T {
    DESK.with_borrow_mut(work)
}

impl Desk {
    /// Takes up a row given as an object of fields; nested ones are flattened with dots.
    pub(super) fn take_object(&mut self, schema: &Schema, object: &Json) -> Result<(), Fault> {
        self.fields.bound(schema.spec().limits.depth);
        self.fields.read_value(object).map_err(|e| Fault::bad(e.to_string()))?;
        schema.encode_fields(&self.fields, &mut self.row).map_err(Fault::field)
    }

    /// Takes up a row given as values in the schema's order; what is not given is missing.
    pub(super) fn take_array(&mut self, schema: &Schema, values: &[Json]) -> Result<(), Fault> {
        self.clear(schema);
        values.iter().enumerate().try_for_each(|(place, value)| self.take_value(schema, place, value))
    }

    /// Begins a row in which everything is missing.
    pub(super) fn clear(&mut self, schema: &Schema) {
        self.row.clear();
        self.row.resize(schema.fields().len(), f64::NAN);
    }

    /// Takes up one value of a row.
    pub(super) fn take_value(&mut self, schema: &Schema, place: usize, value: &Json) -> Result<(), Fault> {
        let scalar = match value {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::String(text) => Value::Text(text),
            Json::Number(x) => Value::Number(x.as_f64().expect("without arbitrary precision every number is an f64")),
            Json::Array(_) | Json::Object(_) => {
                let name = schema.fields().get(place).map_or_else(|| format!("[{place}]"), |f| f.name.to_string());
                return Err(Fault::expected(name, "a number, a text, a boolean or null", describe(value)));
            }
        };
        let number = schema.encode_at(place, scalar).map_err(Fault::field)?;
        self.row[place] = number;
        Ok(())
    }

    /// Predicts the row taken up last. Without a time of its own a row is at the model's newest event.
    pub(super) fn predict(&mut self, served: &Served, at: Option<EventTime>) -> Result<&Prediction, Fault> {
        let at = at.unwrap_or(served.model.last_event);
        let row = Row { values: &self.row, at, entity: EntityId::default() };
        served.model.predict_into(&row, &mut self.scratch, &mut self.prediction);
        if served.task() == Task::Classification && self.prediction.probabilities.is_empty() {
            let detail = format!("model {} cannot predict yet: {} knows no class", served.name, served.model.learner);
            return Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, detail));
        }
        Ok(&self.prediction)
    }

    /// The numbers of the row taken up last, in the schema's order.
    pub(super) fn row(&self) -> &[f64] {
        &self.row
    }
}

/// The name of the most probable class.
pub(super) fn label<'a>(schema: &'a Schema, prediction: &Prediction) -> &'a str {
    let class = prediction.class().expect("an answer without a class was refused before");
    schema.classes().name(class.0).expect("a model knows no class that its schema does not")
}

/// One probability a class, in the order of the schema's classes.
pub(super) fn probabilities<'a>(
    schema: &'a Schema,
    prediction: &'a Prediction,
) -> impl Iterator<Item = (&'a str, f64)> {
    let p = |i: usize| prediction.probabilities.get(i).copied().unwrap_or(0.0);
    schema.classes().names().iter().enumerate().map(move |(i, name)| (&**name, p(i)))
}

/// Milliseconds since the model was published.
pub(super) fn age_ms(served: &Served) -> i64 {
    served.age_ms(now_ms())
}

/// Appends text as JSON.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a Vec grows");
}

/// Appends a number, the shortest text that reads back as the same bits (`1.0`, not `1`); JSON's null if not finite.
pub(super) fn write_number(out: &mut Vec<u8>, x: f64) {
    serde_json::to_writer(out, &x).expect("a Vec grows");
}

/// Appends items with commas between them.
pub(super) fn write_list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}
