//! Reads a request's body: bounded in bytes, in time and in nesting, whatever its Content-Type says.

use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use flate2::read::{GzDecoder, ZlibDecoder};
use http_body_util::LengthLimitError;
use serde::Deserialize;
use serde_json::Value;

use super::App;
use super::fault::Fault;

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// The whole body, decompressed.
pub(super) async fn read(app: &App, request: Request) -> Result<Bytes, Fault> {
    let (head, body) = request.into_parts();
    let bytes = match tokio::time::timeout(ARRIVAL, to_bytes(body, app.max_body)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(e)) => {
            let e = e.into_inner();
            let too_large = e.is::<LengthLimitError>();
            return Err(if too_large { too_large_fault(app) } else { unreadable(&e) });
        }
        Err(_) => return Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "the body took more than 30 seconds to arrive")),
    };
    match head.headers.get(header::CONTENT_ENCODING) {
        None => Ok(bytes),
        Some(encoding) => decompress(app, encoding, bytes),
    }
}

fn decompress(app: &App, encoding: &HeaderValue, bytes: Bytes) -> Result<Bytes, Fault> {
    // One byte more than the limit tells that there is more.
    let most = app.max_body as u64 + 1;
    let mut out = Vec::new();
    match encoding.as_bytes() {
        b"identity" => return Ok(bytes),
        b"gzip" => GzDecoder::new(&*bytes).take(most).read_to_end(&mut out),
        b"deflate" => ZlibDecoder::new(&*bytes).take(most).read_to_end(&mut out),
        _ => {
            let detail = format!("Content-Encoding: expected gzip, deflate or identity, got {encoding:?}");
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
    }
    .map_err(|e| unreadable(&e))?;
    if out.len() > app.max_body { Err(too_large_fault(app)) } else { Ok(out.into()) }
}

fn too_large_fault(app: &App) -> Fault {
    let detail = format!("the body is larger than {} bytes (http.max_body)", app.max_body);
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

fn unreadable(e: &impl std::fmt::Display) -> Fault {
    Fault::bad(format!("the body cannot be read: {e}"))
}

/// The JSON value that the body is. The tokens `NaN`, `Infinity` and `-Infinity` are read as null (missing): Python
/// writes them. Nesting is bounded by the parser (128).
pub(super) fn json(body: &[u8]) -> Result<Value, Fault> {
    parse(body, |body| serde_json::from_slice(body))
}

/// The JSON value that the body begins with, as TF Serving reads it; otherwise as [`json`].
pub(super) fn leading_json(body: &[u8]) -> Result<Value, Fault> {
    parse(body, |body| Value::deserialize(&mut serde_json::Deserializer::from_slice(body)))
}

fn parse(body: &[u8], read: impl Fn(&[u8]) -> serde_json::Result<Value>) -> Result<Value, Fault> {
    // Special numbers are rare: nobody looks for them in a body that is JSON without them.
    read(body)
        .or_else(|_| read(&without_special_numbers(body)))
        .map_err(|e| Fault::bad(format!("the body is not JSON: {e}")))
}

fn without_special_numbers(body: &[u8]) -> Cow<'_, [u8]> {
    const TOKENS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    let mut out = Vec::new();
    let (mut kept, mut i, mut in_text) = (0, 0, false);
    while i < body.len() {
        match body[i] {
            b'\\' if in_text => i += 1,
            b'"' => in_text = !in_text,
            b'N' | b'I' | b'-' if !in_text => {
                if let Some(token) = TOKENS.into_iter().find(|token| body[i..].starts_with(token)) {
                    out.extend_from_slice(&body[kept..i]);
                    out.extend_from_slice(b"null");
                    i += token.len();
                    kept = i;
                    continue;
                }
            }
            _ => {}
        }
        i += 1;
    }
    if kept == 0 {
        return Cow::Borrowed(body);
    }
    out.extend_from_slice(&body[kept..]);
    Cow::Owned(out)
}

/// What a JSON value is, for people.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".into(),
        Value::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_numbers_are_null_outside_of_text_only() {
        let read = |text: &str| json(text.as_bytes()).unwrap().to_string();
        assert_eq!(read("[NaN,-Infinity,Infinity,-1]"), "[null,null,null,-1]");
        assert_eq!(
            read(r#"{"NaN":NaN,"t":"a\"NaN","u":"\\","v":NaN}"#),
            r#"{"NaN":null,"t":"a\"NaN","u":"\\","v":null}"#
        );
        assert!(json(b"{} trailing").is_err());
        assert_eq!(leading_json(b"{} trailing").unwrap().to_string(), "{}");
        assert!(json(b"Nan").is_err());
        assert!(json(b"").is_err());
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        assert!(json(&vec![b'['; 1 << 20]).is_err());
    }
}
