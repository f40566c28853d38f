//! `POST /api/models/M/labels`: what events came to be, put on the model's labels topic; 202 once Kafka has them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use features::Task;
use serde::Serialize;
use serde_json::{Map, Value};
use streams::Outgoing;
use utoipa::ToSchema;

use super::answer::unknown_model;
use super::fault::{Fault, Problem, ProblemBody};
use super::guard::Guard;
use super::outlets::{LabelOutlet, NotPosted};
use super::{App, body, moment};

/// What an event came to be. Described here, read by hand: errors name the field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the description only")]
pub(super) struct LabelRequest {
    /// The event's id (text or number).
    id: String,
    /// Its target: a number (regression), a class name (classification).
    #[schema(value_type = Object)]
    target: Value,
    /// Since when it is known, RFC 3339 text or epoch milliseconds; now otherwise.
    at: Option<String>,
}

/// Kafka has them.
#[derive(Serialize, ToSchema)]
pub(super) struct PostedReply {
    /// How many.
    labels: usize,
}

/// Posts a label, or an array of them.
#[utoipa::path(post, path = "/api/models/{model}/labels", tag = "labels",
    params(("model" = String, Path, description = "its name")), request_body = LabelRequest,
    responses((status = ACCEPTED, body = PostedReply),
        (status = BAD_REQUEST, body = ProblemBody, content_type = "application/problem+json"),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemBody, content_type = "application/problem+json", description = "its labels do not come on a topic"),
        (status = PAYLOAD_TOO_LARGE, body = ProblemBody, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json"),
        (status = GATEWAY_TIMEOUT, body = ProblemBody, content_type = "application/problem+json",
         description = "Kafka has not acknowledged them in time; they may still arrive, and posting them again does no harm")))]
pub(super) async fn post(
    _: Guard,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<PostedReply>), Problem> {
    if app.registry.get(&name).is_none() {
        return Err(unknown_model(&app, &name).into());
    }
    let outlet = app.outlets.labels(&name).ok_or_else(|| {
        let detail = format!("the labels of model {name} come with its events: models.{name}.labels.topic is not set");
        Fault::new(StatusCode::CONFLICT, detail)
    })?;
    let labels = match body::json(&body::read(&app, request).await?)? {
        Value::Object(label) => vec![record(outlet, &label)?],
        Value::Array(labels) => labels
            .iter()
            .enumerate()
            .map(|(i, label)| {
                match label {
                    Value::Object(label) => record(outlet, label),
                    other => Err(Fault::bad(format!("expected an object, got {}", body::describe(other)))),
                }
                .map_err(|fault| fault.in_row(i))
            })
            .collect::<Result<_, _>>()?,
        other => {
            let detail = format!("expected an object or an array of objects, got {}", body::describe(&other));
            return Err(Fault::bad(detail).into());
        }
    };
    let posted = PostedReply { labels: labels.len() };
    outlet.post(labels).await.map_err(refusal)?;
    Ok((StatusCode::ACCEPTED, Json(posted)))
}

/// A label as a record of the labels topic.
fn record(outlet: &LabelOutlet, label: &Map<String, Value>) -> Result<Outgoing, Fault> {
    let most = outlet.text;
    for (key, value) in label {
        if !matches!(key.as_str(), "id" | "target" | "at") {
            return Err(Fault::expected(key, "one of id, target, at", body::describe(value)));
        }
    }
    let missing = |field: &str, expected: &str| {
        let got = label.get(field).filter(|value| !value.is_null());
        Fault::expected(field, expected, got.map_or_else(|| "nothing".into(), body::describe))
    };
    let id = label.get("id").and_then(|id| spelling(id, most));
    let id = id.ok_or_else(|| missing("id", &an_id(most)))?;
    let good = match (outlet.task, label.get("target")) {
        (Task::Regression, Some(Value::Number(x))) => x.as_f64().is_some_and(f64::is_finite),
        (Task::Regression, _) => false,
        (Task::Classification, target) => {
            target.is_some_and(|target| target.is_boolean() || spelling(target, most).is_some())
        }
    };
    if !good {
        let expected = match outlet.task {
            Task::Regression => "a number".into(),
            Task::Classification => format!("a class name of 1 to {most} bytes"),
        };
        return Err(missing("target", &expected));
    }
    moment::read("at", label.get("at").unwrap_or(&Value::Null))?;
    let payload = serde_json::to_vec(label).expect("JSON has a text");
    Ok(Outgoing { key: Some(id.into_bytes()), payload: Some(payload), ..Outgoing::default() })
}

/// What an id is to be.
pub(super) fn an_id(most: usize) -> String {
    format!("a text of 1 to {most} bytes or a number")
}

/// The one spelling of a text of at most `most` bytes or a number, as the model will read it.
pub(super) fn spelling(value: &Value, most: usize) -> Option<String> {
    let mut out = String::new();
    let value = match value {
        Value::String(text) => features::Value::Text(text),
        Value::Number(x) => features::Value::Number(x.as_f64()?),
        _ => return None,
    };
    value.name(most, &mut out).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn refusal(e: NotPosted) -> Fault {
    let status = match &e {
        NotPosted::Busy => StatusCode::SERVICE_UNAVAILABLE,
        NotPosted::TooLate(_) => StatusCode::GATEWAY_TIMEOUT,
        NotPosted::Refused(streams::SinkError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        NotPosted::Refused(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Fault::new(status, e.to_string())
}
