//! `GET /api/models…`: what there is, how it stands, which versions are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use features::Task;
use fold::{Counts, Happening, LabelCounts, LateReport, Standing};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::answer::{self, unknown_model};
use super::fault::{Problem, ProblemBody};
use crate::live::{Answering, Served};
use crate::registry::ModelHandle;
use crate::status::{CheckpointInfo, Lag, ModelStatus, VersionInfo};

/// Every model.
#[derive(Serialize, ToSchema)]
pub(super) struct Models {
    models: Vec<Model>,
}

/// A model as it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Model {
    name: String,
    /// `starting`, `waiting_for_topic`, `replaying`, `live`, `paused` or `stopped`.
    phase: &'static str,
    /// It follows its topics and predicts.
    ready: bool,
    /// What is served may lag behind what was learned before.
    stale: bool,
    /// Why not.
    reasons: Vec<String>,
    /// Records waiting, by partition.
    lag: Vec<Lag>,
    /// The newest checkpoint.
    checkpoint: Option<CheckpointInfo>,
    /// What is served; absent before the first publication.
    #[serde(flatten)]
    live: Option<LiveView>,
}

/// What is served, all of it from one snapshot.
#[derive(Serialize, ToSchema)]
pub(super) struct LiveView {
    #[schema(value_type = String, example = "classification")]
    task: Task,
    /// The serving learner.
    learner: String,
    /// Records and decisions folded.
    version: u64,
    /// Events learned from.
    events: u64,
    /// What became of the records folded.
    #[schema(value_type = Object)]
    counts: Counts,
    /// The first offset not folded yet, by topic and partition.
    position: BTreeMap<String, BTreeMap<String, i64>>,
    /// Milliseconds since it was published.
    model_age_ms: i64,
    /// How each learner stands, the serving one first.
    #[schema(value_type = Vec<Object>)]
    scores: Vec<Standing>,
    /// What happened lately, the oldest first.
    #[schema(value_type = Vec<Object>)]
    happenings: Arc<[Happening]>,
    /// What answers: the champion, or a pinned version.
    live: Answering,
    /// What became of labels that come later.
    #[schema(value_type = Object)]
    labels: LabelCounts,
    /// How well what was served to requests with an id did, where `requests.topic` remembers it.
    #[schema(value_type = Option<Object>)]
    served: Option<LateReport>,
    /// The version that answers.
    served_version: u64,
}

/// Kept versions.
#[derive(Serialize, ToSchema)]
pub(super) struct Versions {
    /// The newest first.
    versions: Vec<VersionInfo>,
}

/// Every model of this process.
#[utoipa::path(get, path = "/api/models", tag = "models", responses((status = OK, body = Models)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Models> {
    Json(Models { models: app.registry.all().iter().map(|(name, handle)| model(name, handle)).collect() })
}

/// One model.
#[utoipa::path(get, path = "/api/models/{model}", tag = "models",
    params(("model" = String, Path, description = "its name")),
    responses((status = OK, body = Model), (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Model>, Problem> {
    let handle = app.registry.get(&name).ok_or_else(|| unknown_model(&app, &name))?;
    Ok(Json(model(&name, &handle)))
}

/// The versions of a model that are kept.
#[utoipa::path(get, path = "/api/models/{model}/versions", tag = "models",
    params(("model" = String, Path, description = "its name")),
    responses((status = OK, body = Versions), (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn versions(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Versions>, Problem> {
    let handle = app.registry.get(&name).ok_or_else(|| unknown_model(&app, &name))?;
    Ok(Json(Versions { versions: handle.status.get().versions }))
}

fn model(name: &str, handle: &ModelHandle) -> Model {
    let status = handle.status.get();
    let reasons = handle.reasons();
    Model {
        name: name.to_owned(),
        phase: status.phase.name(),
        ready: reasons.is_empty(),
        stale: handle.status.is_stale(),
        reasons,
        lag: status.lag,
        checkpoint: status.checkpoint,
        live: handle.live.load().map(|served| live_view(&served, &handle.status)),
    }
}

fn live_view(served: &Served, status: &ModelStatus) -> LiveView {
    let model = &served.newest;
    let mut position = BTreeMap::<String, BTreeMap<String, i64>>::new();
    for (partition, next) in &model.position {
        let topic = status.topics.get(usize::from(partition.topic.0)).map_or("?", String::as_str);
        position.entry(topic.to_owned()).or_default().insert(partition.partition.to_string(), next.0);
    }
    LiveView {
        task: served.task(),
        learner: model.learner.clone(),
        version: model.version,
        events: model.counts.events,
        counts: model.counts,
        position,
        model_age_ms: answer::age_ms(served),
        scores: model.standings.clone(),
        happenings: Arc::clone(&model.happenings),
        live: Answering::new(model.live, &model.learner),
        labels: model.labels,
        served: model.served.clone(),
        served_version: served.model.version,
    }
}
