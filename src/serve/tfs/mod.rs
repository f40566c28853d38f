//! TensorFlow Serving's REST protocol: `/v1/models/M[/versions/V|/labels/L][:predict|/metadata]`.
//!
//! Source: tensorflow/serving, model_servers/http_rest_api_util.cc and util/json_tensor.cc (its documentation errs).

mod metadata;
mod path;
mod predict;
mod status;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use self::path::{Action, Asked, Which};
use super::fault::{Fault, ProtocolFault};
use super::{App, answer, body};
use crate::live::Served;

pub(super) async fn no_model() -> ProtocolFault {
    Fault::bad("Missing model name in request.").into()
}

pub(super) async fn get(State(app): State<Arc<App>>, Path(rest): Path<String>) -> Result<Response, ProtocolFault> {
    let asked = Asked::parse(&rest).ok_or_else(|| malformed(&Method::GET, &rest))?;
    match asked.action {
        Action::Status => Ok(status::reply(&app, &asked)?),
        Action::Metadata => Ok(metadata::reply(&app, &asked)?),
        _ => Err(malformed(&Method::GET, &rest).into()),
    }
}

pub(super) async fn post(State(app): State<Arc<App>>, Path(rest): Path<String>, request: Request) -> Response {
    let begun = Instant::now();
    let asked = match Asked::parse(&rest) {
        Some(asked) if asked.action == Action::Predict => asked,
        Some(Asked { action: Action::Classify | Action::Regress, .. }) => {
            let fault = Fault::new(StatusCode::NOT_IMPLEMENTED, "classify and regress are not served: use :predict");
            return ProtocolFault::from(fault).into_response();
        }
        _ => return ProtocolFault::from(malformed(&Method::POST, &rest)).into_response(),
    };
    let result = match body::read(&app, request).await {
        Ok(bytes) => predict::reply(&app, &asked, &bytes),
        Err(fault) => Err(fault),
    };
    let status = result.as_ref().map_or_else(Fault::status, Response::status);
    answer::count(&app, asked.model, begun, status);
    result.unwrap_or_else(|fault| ProtocolFault::from(fault).into_response())
}

fn malformed(method: &Method, rest: &str) -> Fault {
    Fault::bad(format!("Malformed request: {method} /v1/models/{rest}"))
}

/// Whether the version or label asked for is the live one. Version 0 means the live one (an OpenVINO convention).
fn check_version(served: &Served, which: &Which<'_>) -> Result<(), Fault> {
    match *which {
        Which::Live | Which::Version(0) | Which::Label("stable") => Ok(()),
        Which::Version(version) if version == served.model.version => Ok(()),
        Which::Version(version) => {
            let detail = format!("Servable not found for request: Specific({}, {version})", served.name);
            Err(Fault::new(StatusCode::NOT_FOUND, detail))
        }
        Which::Label(label) => Err(Fault::bad(format!("Unrecognized servable version label: {label}"))),
    }
}
