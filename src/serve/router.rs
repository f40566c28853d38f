//! Every route.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{App, api_history, api_labels, api_live, api_models, api_predict, fault, health, page, stream, tfs};

#[derive(OpenApi)]
#[openapi(info(
    title = "perennial",
    description = "Models that learn from every event of a stream, served while they learn.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Description;

/// The service over HTTP.
pub fn router(app: Arc<App>) -> Router {
    let (described, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(page::root))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(api_models::list))
        .routes(routes!(api_models::get))
        .routes(routes!(api_models::versions))
        .routes(routes!(api_predict::predict))
        .routes(routes!(api_labels::post))
        .routes(routes!(api_live::promote))
        .routes(routes!(api_live::rollback))
        .routes(routes!(api_live::follow))
        .routes(routes!(api_history::history))
        .routes(routes!(stream::stream))
        .split_for_parts();
    let description = description.to_json().expect("a description is plain data");

    described
        .route("/openapi.json", get(move || async move { health::json(description) }))
        .route("/assets/app.js", get(page::script))
        .route("/assets/app.css", get(page::style))
        .route("/v1/models", get(tfs::no_model))
        .route("/v1/models/{*rest}", get(tfs::get).post(tfs::post))
        .fallback(fault::no_such_path)
        .method_not_allowed_fallback(fault::no_such_method)
        .with_state(app)
}
