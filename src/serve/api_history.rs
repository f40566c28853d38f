//! `GET /api/history`: what was seen of a model over time.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use features::Task;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::unknown_model;
use super::fault::{Fault, Problem, ProblemBody};
use super::{App, now_ms};
use crate::history::{HappeningSeen, Sample, Truth, View};

/// How far back it goes if nobody says: an hour.
const BACK_MS: i64 = 3_600_000;
/// Samples of one answer, at most (but for one).
const MOST: i64 = 2_000;
/// The finest step, in milliseconds.
const FINEST_MS: i64 = 1_000;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// Whose history.
    model: String,
    /// From when, in milliseconds since the Unix epoch; an hour before `to` otherwise.
    from: Option<i64>,
    /// Until when; now otherwise.
    to: Option<i64>,
    /// Milliseconds between two samples, at least; as few as give 2,000 samples otherwise.
    step: Option<i64>,
}

/// What was seen of a model over time.
#[derive(Serialize, ToSchema)]
pub(super) struct HistoryReply {
    model: String,
    /// Absent before the model's first publication.
    #[schema(value_type = String, example = "classification")]
    task: Option<Task>,
    /// From when, in milliseconds since the Unix epoch.
    from: i64,
    /// Until when.
    to: i64,
    /// Milliseconds between two samples, at least: further back there are fewer.
    step_ms: i64,
    /// The oldest first.
    samples: Vec<Sample>,
    /// What happened, and when it was first seen (`seen_ms`); the oldest first.
    #[schema(value_type = Vec<Object>)]
    happenings: Vec<HappeningSeen>,
    /// Known changes of a simulated world.
    truth: Vec<Truth>,
}

/// Samples and happenings of one model, from memory: an hour by the second, thirty days in all.
#[utoipa::path(get, path = "/api/history", tag = "history", params(Span),
    responses((status = OK, body = HistoryReply),
        (status = BAD_REQUEST, body = ProblemBody, content_type = "application/problem+json"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Json<HistoryReply>, Problem> {
    let Query(Span { model, from, to, step }) = span.map_err(|e| Fault::bad(e.body_text()))?;
    let handle = app.registry.get(&model).ok_or_else(|| unknown_model(&app, &model))?;
    let to = to.unwrap_or_else(now_ms);
    let from = from.unwrap_or_else(|| to.saturating_sub(BACK_MS));
    if from > to {
        return Err(Fault::expected("from", format!("at most to ({to})"), from.to_string()).into());
    }
    let step = step.unwrap_or(0);
    if step < 0 {
        return Err(Fault::expected("step", "milliseconds", step.to_string()).into());
    }
    // Whole seconds; never more samples than fit into one answer.
    let fits = to.saturating_sub(from) / MOST;
    let step_ms = (step.max(fits).saturating_add(FINEST_MS - 1) / FINEST_MS).max(1).saturating_mul(FINEST_MS);
    let View { samples, happenings, truth } = app.history.view(&model, from, to, step_ms);
    let task = handle.live.load().map(|served| served.task());
    Ok(Json(HistoryReply { model, task, from, to, step_ms, samples, happenings, truth }))
}
