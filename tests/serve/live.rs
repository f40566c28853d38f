//! What a person decides: who may, what is asked of the trainer, what its answers come to.

use std::thread;

use perennial::control::{Answer, Command, Done, Refused, Request, control};
use perennial::live::Answering;
use perennial::registry::Registry;
use perennial::serve::Token;
use serde_json::json;

use crate::world::{Service, app, usual_registry};

const TOKEN: (&str, &str) = ("Authorization", "Bearer open sesame");

/// A registry whose model `air` has a trainer that answers with `answer` and tells what it was asked.
fn with_trainer(answer: fn(&Request) -> Answer) -> (Registry, thread::JoinHandle<Vec<(Command, String)>>) {
    let mut registry = usual_registry();
    let air = registry.get("air").unwrap().clone();
    let (control, requests) = control();
    registry.insert("air", air.live, air.status, control);
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
