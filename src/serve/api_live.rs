//! `POST /api/models/M/promote`, `/rollback`, `/follow`: a person decides what answers. Journaled before they answer 200.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::unknown_model;
use super::fault::{Fault, Problem, ProblemBody};
use super::guard::Guard;
use super::{App, body};
use crate::control::{Command, Refused};
use crate::live::Answering;

/// How long a trainer may take to answer.
const WITHIN: Duration = Duration::from_secs(10);
/// Who the journal says has decided.
const ACTOR: &str = "http";

/// Which learner is to serve.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the description only")]
pub(super) struct PromoteRequest {
    /// Its name, as in the model's `scores`.
    learner: String,
}

/// Which version is to serve.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the description only")]
pub(super) struct RollbackRequest {
    /// A kept version; see `/api/models/{model}/versions`.
    version: u64,
}

/// It was done.
#[derive(Serialize, ToSchema)]
pub(super) struct DoneReply {
    /// The version of the decision.
    version: u64,
    /// What answers from then on.
    live: Answering,
}

/// Makes a learner the champion.
#[utoipa::path(post, path = "/api/models/{model}/promote", tag = "live",
    params(("model" = String, Path, description = "its name")), request_body = PromoteRequest,
    responses((status = OK, body = DoneReply),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json", description = "no such model or learner"),
        (status = CONFLICT, body = ProblemBody, content_type = "application/problem+json", description = "it is the champion already"),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json"),
        (status = GATEWAY_TIMEOUT, body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn promote(
    _: Guard,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<DoneReply>, Problem> {
    let body = object(&app, request).await?;
    let learner = match body.get("learner") {
        Some(Value::String(learner)) => learner.clone(),
        other => return Err(wrong("learner", "a learner's name", other)),
    };
    ask(&app, &name, Command::Promote { learner }).await
}

/// Serves a kept version until it is told otherwise; learning goes on beside it.
#[utoipa::path(post, path = "/api/models/{model}/rollback", tag = "live",
    params(("model" = String, Path, description = "its name")), request_body = RollbackRequest,
    responses((status = OK, body = DoneReply),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json", description = "no such model or version"),
        (status = CONFLICT, body = ProblemBody, content_type = "application/problem+json", description = "it is served already"),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json"),
        (status = GATEWAY_TIMEOUT, body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn rollback(
    _: Guard,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<DoneReply>, Problem> {
    let body = object(&app, request).await?;
    let version = body.get("version");
    let version =
        version.and_then(Value::as_u64).ok_or_else(|| wrong("version", "a kept version's number", version))?;
    ask(&app, &name, Command::Rollback { version }).await
}

/// Serves the champion again.
#[utoipa::path(post, path = "/api/models/{model}/follow", tag = "live",
    params(("model" = String, Path, description = "its name")),
    responses((status = OK, body = DoneReply),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json", description = "no such model"),
        (status = CONFLICT, body = ProblemBody, content_type = "application/problem+json", description = "the champion is served already"),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json"),
        (status = GATEWAY_TIMEOUT, body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn follow(
    _: Guard,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<DoneReply>, Problem> {
    ask(&app, &name, Command::Follow).await
}

async fn object(app: &App, request: Request) -> Result<Value, Fault> {
    match body::json(&body::read(app, request).await?)? {
        object @ Value::Object(_) => Ok(object),
        other => Err(Fault::bad(format!("expected an object, got {}", body::describe(&other)))),
    }
}

fn wrong(field: &str, expected: &str, got: Option<&Value>) -> Problem {
    Fault::expected(field, expected, got.map_or_else(|| "nothing".into(), body::describe)).into()
}

async fn ask(app: &App, name: &str, command: Command) -> Result<Json<DoneReply>, Problem> {
    let handle = app.registry.get(name).ok_or_else(|| unknown_model(app, name))?;
    let unavailable = |why: &dyn std::fmt::Display| Fault::new(StatusCode::SERVICE_UNAVAILABLE, why.to_string());
    let answer = handle.control.ask(command.clone(), ACTOR).map_err(|unheard| unavailable(&unheard))?;
    let Ok(answer) = tokio::time::timeout(WITHIN, answer).await else {
        let detail = "the trainer has not answered within 10 seconds; it may still do what was asked";
        return Err(Fault::new(StatusCode::GATEWAY_TIMEOUT, detail).into());
    };
    // The trainer has ended with the request in its queue.
    let answer = answer.map_err(|_| unavailable(&crate::control::Unheard::Stopped))?;
    let done = answer.map_err(|refused| refusal(&command, &refused))?;
    Ok(Json(DoneReply { version: done.version, live: done.live }))
}

fn refusal(command: &Command, refused: &Refused) -> Fault {
    let status = match refused {
        Refused::UnknownLearner { .. } | Refused::UnknownVersion => StatusCode::NOT_FOUND,
        Refused::NothingToChange => StatusCode::CONFLICT,
        Refused::NotYet => StatusCode::SERVICE_UNAVAILABLE,
    };
    let asked = match command {
        Command::Promote { learner } => format!("learner {learner}: "),
        Command::Rollback { version } => format!("version {version}: "),
        Command::Follow => String::new(),
    };
    Fault::new(status, format!("{asked}{refused}"))
}
