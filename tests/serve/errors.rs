//! Every error: its status, its shape, and what it teaches.

use serde_json::json;

use crate::world::Service;

#[test]
fn tf_serving_errors_are_one_text() {
    let service = Service::usual();
    let client = service.client();
    let good = r#"{"instances":[[1]]}"#;
    let posts = [
        ("/v1/models/air:predict", "{}", 400, "Missing 'inputs' or 'instances' key"),
        ("/v1/models/air:predict", r#"{"instances":[[1]],"inputs":[[1]]}"#, 400, "got both"),
        ("/v1/models/air:predict", "[1]", 400, "the body must be an object, got an array of 1"),
        ("/v1/models/air:predict", "{", 400, "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        ("/v1/models/air:predict", "", 400, "the body is not JSON"),
        (
            "/v1/models/air:predict",
            r#"{"instances":[]}"#,
            400,
            "field instances: expected a non-empty array of rows, got an array of 0",
        ),
        ("/v1/models/air:predict", r#"{"instances":3}"#, 400, "expected a non-empty array of rows, got 3"),
        ("/v1/models/air:predict", r#"{"instances":[[1],7]}"#, 400, "row 1: expected an object or an array, got 7"),
        (
            "/v1/models/air:predict",
            r#"{"instances":[{"t":1},{"t":"warm"}]}"#,
            400,
            r#"row 1: field t: expected a number, got "warm""#,
        ),
        (
            "/v1/models/air:predict",
            r#"{"instances":[["warm"]]}"#,
            400,
            r#"row 0: field t: expected a number, got "warm""#,
        ),
        (
            "/v1/models/air:predict",
            r#"{"instances":[[[1]]]}"#,
            400,
            "row 0: field t: expected a number, a text, a boolean or null, got an array of 1",
        ),
        (
            "/v1/models/air:predict",
            r#"{"instances":[[1,"a",3]]}"#,
            400,
            "row 0: field [2]: expected at most 2 values, in the order of the metadata, got 3",
        ),
        (
            "/v1/models/air:predict",
            r#"{"instances":[{"tt":1}]}"#,
            400,
            "row 0: field tt: expected one of the model's fields (t, where.room), got 1",
        ),
        ("/v1/models/air:predict", r#"{"instances":[{"t":1e999}]}"#, 400, "number out of range"),
        (
            "/v1/models/air:predict",
            r#"{"inputs":{"t":[1,2],"where.room":["a"]}}"#,
            400,
            "field where.room: expected 2 values as in the other columns, got an array of 1",
        ),
        ("/v1/models/air:predict", r#"{"inputs":{"t":3}}"#, 400, "field t: expected an array, one value a row, got 3"),
        (
            "/v1/models/air:predict",
            r#"{"inputs":{"tt":[3]}}"#,
            400,
            "field tt: expected the name of one of the model's fields",
        ),
        (
            "/v1/models/air:predict",
            r#"{"inputs":{"t":["warm"]}}"#,
            400,
            r#"row 0: field t: expected a number, got "warm""#,
        ),
        ("/v1/models/air:predict", r#"{"inputs":{}}"#, 400, "'inputs' holds no row"),
        ("/v1/models/air:predict", r#"{"inputs":[]}"#, 400, "'inputs' holds no row"),
        ("/v1/models/air:predict", r#"{"inputs":[1]}"#, 400, "row 0: field inputs: expected an array of arrays, got 1"),
        (
            "/v1/models/air:predict",
            r#"{"inputs":1}"#,
            400,
            "field inputs: expected an object of columns or an array of rows",
        ),
        (
            "/v1/models/air:predict",
            r#"{"signature_name":3,"instances":[[1]]}"#,
            400,
            "'signature_name' key must be a string value.",
        ),
        ("/v1/models/air:predict", r#"{"signature_name":"x","instances":[[1]]}"#, 400, "\"x\" not found"),
        ("/v1/models/air/versions/1:predict", good, 404, "Servable not found for request: Specific(air, 1)"),
        ("/v1/models/air/labels/canary:predict", good, 400, "Unrecognized servable version label: canary"),
        ("/v1/models/aire:predict", good, 404, r#"unknown model "aire"; did you mean "air"?"#),
        ("/v1/models/weather:predict", good, 404, r#"unknown model "weather""#),
        ("/v1/models/air/version/50:predict", good, 400, "Malformed request: POST /v1/models/air/version/50:predict"),
        ("/v1/models/air/metadata", good, 400, "Malformed request: POST"),
        ("/v1/models/air:classify", good, 501, "use :predict"),
        (
            "/v1/models/fresh:predict",
            good,
            503,
            "model fresh cannot predict yet: waiting for topic fresh-events to exist; no event",
        ),
        ("/v1/models/empty:predict", good, 503, "model empty cannot predict yet: no event has been learned from yet"),
    ];
    for (path, body, status, error) in posts {
        let reply = client.post(path, body);
        assert_eq!((reply.status, &*reply.content_type), (status, "application/json"), "{path} {body}: {}", reply.body);
        let json = reply.json();
        assert_eq!(json.as_object().unwrap().len(), 1);
        let text = json["error"].as_str().unwrap();
        assert!(text.contains(error), "{path} {body}: {text}");
    }
    let gets = [
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/models/air:predict", 400, "Malformed request: GET /v1/models/air:predict"),
        ("/v1/models/air/versions/x", 400, "Malformed request: GET"),
        ("/v1/models/air/versions/9", 404, "Could not find version 9 of model air"),
        ("/v1/models/prize", 404, "Could not find any versions of model prize; did you mean \"price\"?"),
        ("/v1/models/prize/metadata", 404, "unknown model \"prize\"; did you mean \"price\"?"),
        ("/v1/models/fresh/metadata", 503, "cannot predict yet"),
    ];
    for (path, status, error) in gets {
        let reply = client.get(path);
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(reply.json()["error"].as_str().unwrap().contains(error), "{path}: {}", reply.body);
    }
}

#[test]
fn our_errors_are_problems_that_name_the_field() {
    let service = Service::usual();
    let client = service.client();
    let field = [
        (r#"{"features":{"t":"warm"}}"#, "t", "a number", "\"warm\""),
        (r#"{"features":{"tt":1}}"#, "tt", "one of the model's fields (t, where.room)", "1"),
        (r#"{"features":3}"#, "features", "an object of values by field", "3"),
        (r#"{}"#, "features", "an object of values by field", "nothing"),
        (r#"{"features":{},"at":"soon"}"#, "at", "RFC 3339 text or epoch milliseconds", "\"soon\""),
        (r#"{"features":{},"at":true}"#, "at", "RFC 3339 text or epoch milliseconds", "true"),
        (r#"{"features":{},"id":[1]}"#, "id", "a text of 1 to 1024 bytes or a number", "an array of 1"),
        (r#"{"features":{},"entity":true}"#, "entity", "a text or a number", "true"),
        (r#"{"features":{},"feature":1}"#, "feature", "one of id, entity, at, features", "1"),
    ];
    for (body, field, expected, got) in field {
        let reply = client.post("/api/models/air/predict", body);
        assert_eq!((reply.status, &*reply.content_type), (400, "application/problem+json"), "{body}");
        let problem = json!({
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": format!("field {field}: expected {expected}, got {got}"),
            "field": field,
            "expected": expected,
            "got": got,
        });
        assert_eq!(reply.json(), problem, "{body}");
    }
    let others = [
        ("/api/models/air/predict", "[{\"features\":{}},4]", 400, "row 1: expected an object, got 4"),
        (
            "/api/models/air/predict",
            "[{\"features\":{}},{\"features\":{\"t\":\"x\"}}]",
            400,
            "row 1: field t: expected",
        ),
        ("/api/models/air/predict", "7", 400, "expected an object or an array of objects, got 7"),
        ("/api/models/air/predict", "{} x", 400, "the body is not JSON: trailing characters"),
        ("/api/models/air/predict?explain=maybe", "{\"features\":{}}", 400, "field explain: expected true or false"),
        ("/api/models/fresh/predict", "{\"features\":{}}", 503, "waiting for topic fresh-events to exist"),
        ("/api/models/empty/predict", "{\"features\":{}}", 503, "no event has been learned from yet"),
        ("/api/models/prica/predict", "{\"features\":{}}", 404, "did you mean \"price\"?"),
    ];
    for (path, body, status, detail) in others {
        let reply = client.post(path, body);
        assert_eq!((reply.status, &*reply.content_type), (status, "application/problem+json"), "{path} {body}");
        let problem = reply.json();
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{path} {body}: {problem}");
        assert_eq!(problem["status"], json!(status));
    }
    for path in ["/api/models/prica", "/api/models/prica/versions"] {
        let reply = client.get(path);
        assert_eq!(reply.status, 404);
        assert!(reply.json()["detail"].as_str().unwrap().contains("did you mean \"price\"?"));
    }
}

#[test]
fn unknown_paths_and_methods_are_problems_too() {
    let service = Service::usual();
    let client = service.client();
    for path in ["/nothing", "/api", "/v2", "/api/models/air/nothing"] {
        let reply = client.get(path);
        assert_eq!((reply.status, &*reply.content_type), (404, "application/problem+json"), "{path}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(path));
    }
    for path in ["/api/models", "/v1/models/air", "/metrics"] {
        let reply = client.put(path);
        assert_eq!((reply.status, &*reply.content_type), (405, "application/problem+json"), "{path}");
    }
    assert_eq!(client.get("/api/models/air/predict").status, 405);
}
