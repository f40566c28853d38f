//! Bodies: compressed, too large, too deep, of any Content-Type.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::world::{MAX_BODY, Service};

const PATH: &str = "/v1/models/air:predict";
const GOOD: &str = r#"{"instances":[[1]]}"#;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(body).unwrap();
    out.finish().unwrap()
}

#[test]
fn compressed_bodies_are_read_and_unknown_encodings_named() {
    let service = Service::usual();
    let client = service.client();
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(GOOD.as_bytes()).unwrap();
    let deflated = deflated.finish().unwrap();
    for (encoding, body) in [("gzip", gzip(GOOD.as_bytes())), ("deflate", deflated), ("identity", GOOD.into())] {
        let reply = client.post_with(PATH, &[("Content-Encoding", encoding)], &body);
        assert_eq!((reply.status, &*reply.body), (200, r#"{"predictions":[2.0]}"#), "{encoding}");
    }
    let reply = client.post_with(PATH, &[("Content-Encoding", "br")], GOOD);
    assert_eq!(reply.status, 415);
    assert!(reply.json()["error"].as_str().unwrap().contains("expected gzip, deflate or identity"));
    let reply = client.post_with(PATH, &[("Content-Encoding", "gzip")], GOOD);
    assert_eq!(reply.status, 400, "not gzip although it says so: {}", reply.body);
}

#[test]
fn content_type_does_not_matter() {
    let service = Service::usual();
    let client = service.client();
    for kind in ["text/plain", "application/octet-stream", "nonsense"] {
        assert_eq!(client.post_with(PATH, &[("Content-Type", kind)], GOOD).status, 200);
    }
}

#[test]
fn a_body_may_be_as_large_as_the_limit_and_not_larger() {
    let service = Service::usual();
    let client = service.client();
    let padded = |size: usize| format!("{GOOD}{}", " ".repeat(size - GOOD.len()));
    assert_eq!(client.post(PATH, padded(MAX_BODY)).status, 200);
    let reply = client.post(PATH, padded(MAX_BODY + 1));
    assert_eq!(reply.status, 413);
    assert_eq!(reply.json()["error"], "the body is larger than 4096 bytes (http.max_body)");
    let reply = client.post("/api/models/air/predict", padded(MAX_BODY + 1));
    assert_eq!((reply.status, &*reply.content_type), (413, "application/problem+json"));

    let bomb = gzip(padded(1 << 20).as_bytes());
    assert!(bomb.len() < MAX_BODY);
    assert_eq!(client.post_with(PATH, &[("Content-Encoding", "gzip")], bomb).status, 413);
}

#[test]
fn nesting_is_bounded() {
    let service = Service::usual();
    let client = service.client();
    let reply = client.post(PATH, "[".repeat(MAX_BODY));
    assert_eq!(reply.status, 400, "{}", reply.body);
    let deep = format!("{{\"features\":{}1{}}}", "{\"a\":".repeat(50), "}".repeat(50));
    let reply = client.post("/api/models/air/predict", deep);
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("nested deeper than 16"), "{}", reply.body);
}
