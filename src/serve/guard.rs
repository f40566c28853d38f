//! Who may change something: where a token is set, only who knows it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::fault::{Fault, Problem};

/// The secret that changes need, as a hash: it is never shown, and comparing takes the same time whatever differs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(blake3::Hash);

impl Token {
    /// The token of this text.
    pub fn new(text: &str) -> Self {
        Self(blake3::hash(text.as_bytes()))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// An endpoint that takes it is reached by those who may change something, only.
pub(super) struct Guard;

/// The request was refused: it says no token, or another.
pub(super) struct Unauthorized(&'static str);

impl FromRequestParts<Arc<App>> for Guard {
    type Rejection = Unauthorized;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Unauthorized> {
        match &app.token {
            Some(token) if bearer(&parts.headers).is_some_and(|given| Token::new(given) == *token) => Ok(Self),
            Some(_) => Err(Unauthorized("this needs Authorization: Bearer and the token of http.token_file")),
            // Without a token only this machine reaches us; a page of another site in its browser may still try.
            None if from_another_site(&parts.headers) => {
                Err(Unauthorized("another site may not change anything here: set http.token_file"))
            }
            None => Ok(Self),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

impl IntoResponse for Unauthorized {
    fn into_response(self) -> Response {
        let mut response = Problem::from(Fault::new(StatusCode::UNAUTHORIZED, self.0)).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        response
    }
}
