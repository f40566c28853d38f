//! Errors that teach: what was wrong, where, what was expected and what came. One fault, two spellings.

use axum::Json;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use features::RequestError;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// Why a request is not answered.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    status: StatusCode,
    detail: String,
    wrong: Option<RequestError>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), wrong: None }
    }

    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A field is wrong.
    pub(super) fn field(wrong: RequestError) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: wrong.to_string(), wrong: Some(wrong) }
    }

    /// A field is wrong: its name, what would be right, what came.
    pub(super) fn expected(field: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::field(RequestError { field: field.into(), expected: expected.into(), got: got.into() })
    }

    /// Says which of several rows it is about.
    pub(super) fn in_row(mut self, row: usize) -> Self {
        self.detail = format!("row {row}: {}", self.detail);
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

/// A fault on a protocol's route: `{"error":"…"}`.
pub(super) struct ProtocolFault(Fault);

/// A fault under `/api`: RFC 9457.
pub(super) struct Problem(Fault);

impl From<Fault> for ProtocolFault {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for ProtocolFault {
    fn into_response(self) -> Response {
        (self.0.status, Json(json!({ "error": self.0.detail }))).into_response()
    }
}

/// A problem in the manner of RFC 9457.
#[derive(Serialize, ToSchema)]
pub(super) struct ProblemBody {
    /// Always `about:blank`: the status says what kind it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    detail: String,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    /// What came.
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Fault { status, detail, wrong } = self.0;
        let (field, expected, got) = match wrong {
            Some(wrong) => (Some(wrong.field), Some(wrong.expected), Some(wrong.got)),
            None => (None, None, None),
        };
        let title = status.canonical_reason().unwrap_or("Error");
        let body = ProblemBody { r#type: "about:blank", title, status: status.as_u16(), detail, field, expected, got };
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
    }
}

pub(super) async fn no_such_path(uri: Uri) -> Problem {
    Problem(Fault::new(StatusCode::NOT_FOUND, format!("no such path: {}; /openapi.json lists them", uri.path())))
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem(Fault::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not possible on {}", uri.path())))
}
