//! What a person decides: who may, what is asked of the trainer, what its answers come to.

use std::sync::Arc;
use std::thread;

use fold::{Live, What};
use perennial::control::{Answer, Command, Done, Refused, Request, control};
use perennial::live::{Answering, Served};
use perennial::registry::Registry;
use perennial::serve::Token;
use serde_json::json;

use crate::world::{Service, air, app, happening, usual_registry};

const TOKEN: (&str, &str) = ("Authorization", "Bearer open sesame");

/// A registry whose model `air` has a trainer that answers with `answer` and tells what it was asked.
fn with_trainer(answer: fn(&Request) -> Answer) -> (Registry, thread::JoinHandle<Vec<(Command, String)>>) {
    let registry = usual_registry();
    let air = registry.get("air").unwrap();
    let (control, requests) = control();
    registry.insert("air", air.live.clone(), Arc::clone(&air.status), control);
    let trainer = thread::spawn(move || {
        let mut asked = Vec::new();
        for request in requests {
            asked.push((request.command.clone(), request.actor.clone()));
            let answer = answer(&request);
            request.reply.send(answer).unwrap();
        }
        asked
    });
    (registry, trainer)
}

#[test]
fn the_trainer_is_asked_and_its_answer_comes_back() {
    let (registry, trainer) = with_trainer(|request| match &request.command {
        Command::Promote { learner } => Ok(Done { version: 7, live: Answering::Follow(learner.clone()) }),
        Command::Rollback { version } => Ok(Done { version: 8, live: Answering::Pinned(*version) }),
        Command::Follow => Ok(Done { version: 9, live: Answering::Follow("mean".into()) }),
    });
    let service = Service::start(registry);
    let client = service.client();
    let reply = client.post("/api/models/air/promote", r#"{"learner":"linear#2"}"#);
    assert_eq!((reply.status, reply.json()), (200, json!({ "version": 7, "live": { "follow": "linear#2" } })));
    let reply = client.post("/api/models/air/rollback", r#"{"version":5}"#);
    assert_eq!((reply.status, reply.json()), (200, json!({ "version": 8, "live": { "pinned": 5 } })));
    let reply = client.post("/api/models/air/follow", "");
    assert_eq!((reply.status, reply.json()), (200, json!({ "version": 9, "live": { "follow": "mean" } })));
    drop(service);
    let asked = trainer.join().unwrap();
    let commands = [Command::Promote { learner: "linear#2".into() }, Command::Rollback { version: 5 }, Command::Follow];
    assert_eq!(asked, commands.map(|command| (command, "http".to_owned())));
}

#[test]
fn refusals_say_why() {
    let (registry, _) = with_trainer(|request| {
        Err(match &request.command {
            Command::Promote { .. } => Refused::UnknownLearner { known: vec!["mean".into(), "linear".into()] },
            Command::Rollback { version: 1 } => Refused::NotYet,
            Command::Rollback { .. } => Refused::UnknownVersion,
            Command::Follow => Refused::NothingToChange,
        })
    });
    let service = Service::start(registry);
    let client = service.client();
    let cases = [
        ("air/promote", r#"{"learner":"x"}"#, 404, "learner x: no such learner; there are mean, linear"),
        ("air/rollback", r#"{"version":5}"#, 404, "version 5: no checkpoint of this version is kept"),
        ("air/rollback", r#"{"version":1}"#, 503, "version 1: not possible now"),
        ("air/follow", "", 409, "it is so already: nothing would change"),
        ("air/promote", "{}", 400, "field learner: expected a learner's name, got nothing"),
        ("air/rollback", r#"{"version":-1}"#, 400, "field version: expected a kept version's number, got -1"),
        ("air/rollback", "[]", 400, "expected an object, got an array of 0"),
        ("arr/follow", "", 404, r#"unknown model "arr"; did you mean "air"?"#),
        ("price/follow", "", 503, "the model's trainer has stopped"),
    ];
    for (path, body, status, detail) in cases {
        let reply = client.post(&format!("/api/models/{path}"), body);
        assert_eq!((reply.status, reply.json()["detail"].as_str()), (status, Some(detail)), "{path} {body}");
        assert_eq!(reply.content_type, "application/problem+json");
    }
}

#[test]
fn changes_need_the_token_where_one_is_set() {
    let (registry, trainer) = with_trainer(|_| Ok(Done { version: 9, live: Answering::Follow("mean".into()) }));
    let service = Service::serving(perennial::serve::App { token: Some(Token::new("open sesame")), ..app(registry) });
    let client = service.client();
    for path in ["promote", "rollback", "follow"] {
        for wrong in [None, Some("Bearer open"), Some("Bearer"), Some("Basic open sesame"), Some("open sesame")] {
            let headers: Vec<_> = wrong.map(|value| ("Authorization", value)).into_iter().collect();
            let reply =
                client.post_with(&format!("/api/models/air/{path}"), &headers, r#"{"learner":"x","version":1}"#);
            assert_eq!((reply.status, &*reply.content_type), (401, "application/problem+json"), "{path} {wrong:?}");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
    }
    assert_eq!(client.post_with("/api/models/air/follow", &[TOKEN], "").status, 200);
    assert_eq!(client.get("/api/models/air").status, 200, "reading needs none");
    drop(service);
    assert_eq!(trainer.join().unwrap().len(), 1, "the trainer hears of nothing that was refused");
}

#[test]
fn without_a_token_no_other_site_may_change_anything() {
    let (registry, _) = with_trainer(|_| Ok(Done { version: 9, live: Answering::Follow("mean".into()) }));
    let service = Service::start(registry);
    let client = service.client();
    for (site, status) in [("cross-site", 401), ("same-site", 401), ("same-origin", 200), ("none", 200)] {
        let reply = client.post_with("/api/models/air/follow", &[("Sec-Fetch-Site", site)], "");
        assert_eq!(reply.status, status, "{site}");
    }
}

#[test]
fn a_pinned_version_answers_while_the_newest_is_shown() {
    let (registry, mut teacher, mut publisher) = air();
    let pinned = teacher.snapshot();
    teacher.learn(r#"{"t":20.5,"y":3.5}"#);
    let mut newest = teacher.snapshot();
    newest.live = Live::Pinned(1);
    newest.happenings = [happening(1, What::Pinned { version: 1 })].into();
    newest.labels.waiting = 4;
    let shown = Served::following("air", newest, 1_000);
    publisher.publish(Served { model: pinned.into(), ..shown });
    let service = Service::start(registry);
    let client = service.client();
    let model = client.get("/api/models/air").json();
    assert_eq!((&model["version"], &model["served_version"]), (&json!(2), &json!(1)));
    assert_eq!(model["live"], json!({ "pinned": 1 }));
    let happening =
        json!({ "number": 1, "version": 100, "events": 99, "at": 5, "what": { "pinned": { "version": 1 } } });
    assert_eq!(model["happenings"], json!([happening]));
    assert_eq!(model["labels"]["waiting"], json!(4));
    let score = &model["scores"][0];
    assert_eq!((&score["role"], &score["since"], &score["evidence"]), (&json!("champion"), &json!(0), &json!(null)));
    let answer = client.post("/api/models/air/predict", r#"{"features":{}}"#).json();
    assert_eq!((&answer["prediction"], &answer["version"]), (&json!(1.5), &json!(1)));
}
