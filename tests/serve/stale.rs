//! While what was learned is caught up with, or once a model is stopped, the last good model answers and says so everywhere.

use perennial::status::Phase;
use serde_json::json;

use super::world::{Service, Teacher, add};
use features::Task;
use perennial::registry::Registry;

#[test]
fn a_stale_model_answers_and_every_response_says_that_it_is() {
    let registry = Registry::default();
    let mut teacher = Teacher::new("air", Task::Regression, "mean");
    teacher.learn(r#"{"t":20.5,"y":1.5}"#);
    let replaying = Phase::Replaying { version: 1, until: 9 };
    let (_publisher, status) = add(&registry, "air", Some(teacher.served()), replaying.clone());
    let service = Service::start(registry);
    let client = service.client();
    let stopped = Phase::Stopped { reason: "a test".into() };
    for (phase, is_stale) in [(replaying, true), (Phase::Live, false), (stopped, true)] {
        status.set_phase(phase);
        let asked = [
            client.post("/api/models/air/predict", r#"{"features":{"t":1}}"#),
            client.post("/v1/models/air:predict", r#"{"instances":[{"t":1}]}"#),
            client.get("/v1/models/air/metadata"),
        ];
        for reply in &asked {
            assert_eq!(reply.status, 200, "{reply:?}");
            let told = reply.headers.get("perennial-stale").map(|told| told.to_str().unwrap());
            assert_eq!(told, is_stale.then_some("true"), "{reply:?}");
        }
        assert_eq!(asked[0].json().get("stale"), is_stale.then_some(&json!(true)));
        let array = client.post("/api/models/air/predict", r#"[{"features":{"t":1}}]"#).json();
        assert_eq!(array[0].get("stale"), is_stale.then_some(&json!(true)));
        assert_eq!(client.get("/readyz").json()["models"]["air"]["stale"], is_stale);
        assert_eq!(client.get("/api/models/air").json()["stale"], is_stale);
    }
}
