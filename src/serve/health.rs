//! Is it alive, is it ready, what do the metrics say.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, now_ms};

/// A sign of life.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always `alive`.
    status: &'static str,
}

/// Whether every model is ready.
#[derive(Serialize, ToSchema)]
pub(super) struct Ready {
    /// All models are.
    ready: bool,
    /// By name.
    models: BTreeMap<String, ModelReady>,
}

/// Whether a model is ready.
#[derive(Serialize, ToSchema)]
pub(super) struct ModelReady {
    /// It follows its topics and predicts.
    ready: bool,
    /// What it answers with may lag behind what was learned before.
    stale: bool,
    /// Why not.
    reasons: Vec<String>,
}

/// A sign of life.
pub(super) fn alive() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// Says that the process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = OK, body = Alive)))]
pub(super) async fn healthz() -> Json<Alive> {
    alive()
}

/// Says whether every model follows its topics and predicts, and if not, why.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = OK, body = Ready),
    (status = SERVICE_UNAVAILABLE, body = Ready, description = "a model is not ready: see its reasons"),
))]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, Json<Ready>) {
    let models: BTreeMap<_, _> = app
        .registry
        .all()
        .iter()
        .map(|(name, handle)| {
            let reasons = handle.reasons();
            (name.to_owned(), ModelReady { ready: reasons.is_empty(), stale: handle.status.is_stale(), reasons })
        })
        .collect();
    let ready = models.values().all(|model| model.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, models }))
}

/// Metrics for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = OK, body = String, content_type = "application/openmetrics-text"),
))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.render(&app.registry, now_ms());
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

/// A reply of ready JSON text.
pub(super) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
