//! `POST /api/models/M/predict`: one request or an array of them, answered by one version of the model.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use features::{Kind, Task};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::{self, Desk, write_list, write_number, write_text};
use super::api_labels::{an_id, spelling};
use super::fault::{Fault, Problem, ProblemBody};
use super::outlets::ServedPrediction;
use super::{App, body, moment};
use crate::live::Served;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Options {
    /// Also say which value of each field was used, and where it came from.
    #[serde(default)]
    explain: bool,
}

/// What to predict for. Described here, read by hand: errors name the field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the description only")]
pub(super) struct PredictRequest {
    /// Names the request (text or number).
    id: Option<String>,
    /// Whose row it is (text or number).
    entity: Option<String>,
    /// Its time, RFC 3339 text or epoch milliseconds; the time of the newest event learned from otherwise.
    at: Option<String>,
    /// Values by name of field; nested objects are flattened with dots; what is not given is missing.
    #[schema(value_type = Object)]
    features: BTreeMap<String, Value>,
}

/// An answer.
#[derive(Serialize, ToSchema)]
pub(super) struct PredictReply {
    /// A class name, or a number.
    #[schema(value_type = Object)]
    prediction: Value,
    /// One probability a class (classification).
    probabilities: Option<BTreeMap<String, f64>>,
    /// What 9 of 10 targets lie between (regression, from 100 scored events on).
    interval: Option<[f64; 2]>,
    /// The version of the model that answered.
    version: u64,
    /// Its learner.
    learner: String,
    /// Milliseconds since that version was published.
    model_age_ms: i64,
    /// True, and there at all, only while the model may lag behind what was learned before: after a start, until the
    /// journal is folded again; or because it is stopped.
    stale: Option<bool>,
    /// With `explain=true`: the values used.
    features: Option<BTreeMap<String, UsedValue>>,
}

/// A value that was used.
#[derive(Serialize, ToSchema)]
pub(super) struct UsedValue {
    /// A number, a category, or null.
    #[schema(value_type = Object)]
    value: Value,
    /// `request` or `missing`.
    from: &'static str,
}

/// Predicts for one object, or for each of an array, all from one version.
#[utoipa::path(post, path = "/api/models/{model}/predict", tag = "predict",
    params(("model" = String, Path, description = "its name"), Options),
    request_body = PredictRequest,
    responses(
        (status = OK, body = PredictReply),
        (status = BAD_REQUEST, body = ProblemBody, content_type = "application/problem+json"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = ProblemBody, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json",
         description = "the model has not learned from an event yet"),
    ))]
pub(super) async fn predict(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    options: Result<Query<Options>, QueryRejection>,
    request: Request,
) -> Response {
    let begun = Instant::now();
    let result = match body::read(&app, request).await {
        Ok(bytes) => reply(&app, &name, options, &bytes),
        Err(fault) => Err(fault),
    };
    let status = result.as_ref().map_or_else(Fault::status, Response::status);
    answer::count(&app, &name, begun, status);
    result.unwrap_or_else(|fault| Problem::from(fault).into_response())
}

fn reply(
    app: &App,
    name: &str,
    options: Result<Query<Options>, QueryRejection>,
    bytes: &[u8],
) -> Result<Response, Fault> {
    let live = answer::live(app, name)?;
    let Query(Options { explain }) = options.map_err(|e| Fault::expected("explain", "true or false", e.body_text()))?;
    let outlet = app.outlets.requests(name);
    let mut reply = Reply {
        served: &live.served,
        is_stale: live.is_stale,
        explain,
        remember: outlet.is_some(),
        out: Vec::with_capacity(256),
        remembered: vec![],
    };
    answer::at_desk(|desk| match body::json(bytes)? {
        Value::Object(request) => reply.answer(desk, &request),
        Value::Array(requests) => {
            reply.out.push(b'[');
            for (i, request) in requests.iter().enumerate() {
                if i > 0 {
                    reply.out.push(b',');
                }
                match request {
                    Value::Object(request) => reply.answer(desk, request),
                    other => Err(Fault::bad(format!("expected an object, got {}", body::describe(other)))),
                }
                .map_err(|fault| fault.in_row(i))?;
            }
            reply.out.push(b']');
            Ok(())
        }
        other => Err(Fault::bad(format!("expected an object or an array of objects, got {}", body::describe(&other)))),
    })?;
    let Reply { out, remembered, .. } = reply;
    if let Some(outlet) = outlet {
        remembered.into_iter().for_each(|prediction| outlet.remember(prediction, &app.metrics));
    }
    Ok(answer::reply(&live, out))
}

/// A reply being written.
struct Reply<'a> {
    served: &'a Arc<Served>,
    is_stale: bool,
    explain: bool,
    /// Whether answers to requests with an id are to be remembered.
    remember: bool,
    out: Vec<u8>,
    remembered: Vec<ServedPrediction>,
}

impl Reply<'_> {
    fn answer(&mut self, desk: &mut Desk, request: &Map<String, Value>) -> Result<(), Fault> {
        let Self { served, out, .. } = self;
        let schema = &*served.model.schema;
        let from = out.len();
        let (mut at, mut id, mut features) = (None, None, None);
        for (key, value) in request {
            match key.as_str() {
                "features" if value.is_object() => features = Some(value),
                "features" => return Err(expected(key, "an object of values by field", value)),
                "at" => at = moment::read(key, value)?,
                "id" => id = name(value, schema.spec().limits.text)?,
                "entity" if value.is_string() || value.is_number() || value.is_null() => {}
                "entity" => return Err(expected(key, "a text or a number", value)),
                _ => return Err(expected(key, "one of id, entity, at, features", value)),
            }
        }
        let features =
            features.ok_or_else(|| Fault::expected("features", "an object of values by field", "nothing"))?;
        desk.take_object(schema, features)?;
        let prediction = desk.predict(served, at)?;
        out.extend_from_slice(b"{\"prediction\":");
        match served.task() {
            Task::Regression => {
                let value = prediction.value;
                write_number(out, value);
                if let Some(ends) = served.model.standings.first().and_then(|champion| champion.report.spread) {
                    out.extend_from_slice(b",\"interval\":[");
                    write_list(out, ends.into_iter(), |out, end| write_number(out, value + end));
                    out.push(b']');
                }
            }
            Task::Classification => {
                write_text(out, answer::label(schema, prediction));
                out.extend_from_slice(b",\"probabilities\":{");
                write_list(out, answer::probabilities(schema, prediction), |out, (class, p)| {
                    write_text(out, class);
                    out.push(b':');
                    write_number(out, p);
                });
                out.push(b'}');
            }
        }
        out.extend_from_slice(format!(",\"version\":{},\"learner\":", served.model.version).as_bytes());
        write_text(out, &served.model.learner);
        out.extend_from_slice(format!(",\"model_age_ms\":{}", answer::age_ms(served)).as_bytes());
        if self.is_stale {
            out.extend_from_slice(b",\"stale\":true");
        }
        if self.explain {
            out.extend_from_slice(b",\"features\":");
            serde_json::to_writer(&mut *out, &used(served, desk.row())).expect("a Vec grows");
        }
        out.push(b'}');
        if let Some(id) = id.filter(|_| self.remember) {
            let at = at.unwrap_or(served.model.last_event);
            let (row, answer) = (desk.row().to_vec(), out[from..].to_vec());
            self.remembered.push(ServedPrediction { id, served: Arc::clone(served), row, at, answer });
        }
        Ok(())
    }
}

/// What a request is called, in at most `most` bytes; null is nothing.
fn name(value: &Value, most: usize) -> Result<Option<String>, Fault> {
    if value.is_null() {
        return Ok(None);
    }
    spelling(value, most).map(Some).ok_or_else(|| expected("id", &an_id(most), value))
}

/// The values that a row holds, by name of field.
fn used<'a>(served: &'a Served, row: &[f64]) -> BTreeMap<&'a str, UsedValue> {
    let value = |kind: Kind, categories: &features::Dictionary, x: f64| match kind {
        Kind::Nominal => categories.name(x as u32).map_or(Value::Null, Value::from),
        _ => Value::from(x),
    };
    served
        .model
        .schema
        .fields()
        .iter()
        .zip(row)
        .map(|(field, &x)| {
            let used = if x.is_nan() {
                UsedValue { value: Value::Null, from: "missing" }
            } else {
                UsedValue { value: value(field.kind, &field.categories, x), from: "request" }
            };
            (&*field.name, used)
        })
        .collect()
}

fn expected(field: &str, expected: &str, got: &Value) -> Fault {
    Fault::expected(field, expected, body::describe(got))
}
