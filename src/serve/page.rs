//! `GET /`: the dashboard to browsers, a sign of life to everybody else. The page is part of the program.

use std::io::Write;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::health::{Alive, alive};

/// Only what comes from here is loaded, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
struct File {
    content_type: &'static str,
    plain: &'static [u8],
    zipped: Vec<u8>,
    tag: String,
}

impl File {
    fn new(content_type: &'static str, plain: &'static [u8]) -> Self {
        let mut zip = GzEncoder::new(Vec::new(), Compression::best());
        zip.write_all(plain).expect("a Vec grows");
        let zipped = zip.finish().expect("a Vec grows");
        Self { content_type, plain, zipped, tag: format!("\"{}\"", &blake3::hash(plain).to_hex()[..16]) }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        // No name has a hash in it: a browser asks each time, and is told that nothing has changed.
        let cached = says(asked, header::IF_NONE_MATCH, &self.tag);
        let zipped = says(asked, header::ACCEPT_ENCODING, "gzip");
        let mut response = match (cached, zipped) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, true) => ([(header::CONTENT_ENCODING, "gzip")], self.zipped.clone()).into_response(),
            (false, false) => self.plain.into_response(),
        };
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &str| {
            headers.insert(name, HeaderValue::from_str(value).expect("it is ASCII"));
        };
        set(header::CONTENT_TYPE, self.content_type);
        set(header::ETAG, &self.tag);
        set(header::CACHE_CONTROL, "no-cache");
        set(header::VARY, "Accept, Accept-Encoding");
        set(header::CONTENT_SECURITY_POLICY, POLICY);
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::REFERRER_POLICY, "no-referrer");
        response
    }
}

static INDEX: LazyLock<File> =
    LazyLock::new(|| File::new("text/html; charset=utf-8", include_bytes!("../../dashboard/dist/index.html")));
static SCRIPT: LazyLock<File> =
    LazyLock::new(|| File::new("text/javascript; charset=utf-8", include_bytes!("../../dashboard/dist/assets/app.js")));
static STYLE: LazyLock<File> =
    LazyLock::new(|| File::new("text/css; charset=utf-8", include_bytes!("../../dashboard/dist/assets/app.css")));

/// The dashboard, to who accepts `text/html`; otherwise says that the process answers.
#[utoipa::path(get, path = "/", tag = "health", responses((status = OK, body = Alive)))]
pub(super) async fn root(asked: HeaderMap) -> Response {
    if says(&asked, header::ACCEPT, "text/html") { INDEX.answer(&asked) } else { alive().into_response() }
}

pub(super) async fn script(asked: HeaderMap) -> Response {
    SCRIPT.answer(&asked)
}

pub(super) async fn style(asked: HeaderMap) -> Response {
    STYLE.answer(&asked)
}

/// Whether one of a header's comma-separated values is `word`, whatever stands behind a semicolon.
fn says(asked: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let values = asked.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.split(';').next().is_some_and(|item| item.trim() == word))
}
