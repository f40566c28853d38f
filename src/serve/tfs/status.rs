//! `GET /v1/models/M`: TF Serving's status, with KServe's `name` and `ready` beside it (clients read by key).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::check_version;
use super::path::{Asked, Which};
use crate::serve::App;
use crate::serve::fault::Fault;

pub(super) fn reply(app: &App, asked: &Asked<'_>) -> Result<Response, Fault> {
    let name = asked.model;
    let Some(handle) = app.registry.get(name) else {
        let hint = app.registry.nearest(name).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        return Err(Fault::new(StatusCode::NOT_FOUND, format!("Could not find any versions of model {name}{hint}")));
    };
    let served = handle.live.load().filter(|served| served.has_learned());
    if let Some(served) = &served {
        check_version(served, &asked.which).map_err(|fault| match asked.which {
            Which::Version(version) => {
                Fault::new(StatusCode::NOT_FOUND, format!("Could not find version {version} of model {name}"))
            }
            _ => fault,
        })?;
    }
    let ready = served.is_some();
    let version = served.map_or(0, |served| served.model.version);
    let status = json!({
        "model_version_status": [{
            "version": version.to_string(),
            "state": if ready { "AVAILABLE" } else { "LOADING" },
            "status": { "error_code": "OK", "error_message": "" },
        }],
        "name": name,
        "ready": ready,
    });
    Ok(Json(status).into_response())
}
