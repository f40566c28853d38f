//! A model's state is changed while it runs: another model goes on in its place, or it begins anew. The log has the last
//! word, and the endpoint never falls silent for long.

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use streams::MockBroker;

use crate::later::{Place, SENSORS, folded};
use crate::send::send;
use crate::support::service::{self, Service};
use crate::worlds::{Dice, sensors};

fn told(output: &Output) -> (Option<i32>, String) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), format!("{out}{err}"))
}

/// Whether no checkpoint of the model above a version is older than a moment.
fn is_all_since(service: &Service, above: u64, moment: Timestamp) -> bool {
    let kept = service.get("/api/models/sensors/versions").unwrap();
    let mut kept = kept["versions"].as_array().unwrap().iter().filter(|kept| kept["version"].as_u64() > Some(above));
    kept.all(|kept| kept["at"].as_str().unwrap().parse::<Timestamp>().unwrap() >= moment)
}

#[test]
fn state_is_imported_and_reset_while_the_model_runs() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("sensors", 1)]).unwrap();
    let lines = sensors(&mut Dice(7), 3_000).lines;
    let place = Place::new(&dir.path().join("one"), &broker.bootstrap, SENSORS);
    let state = |command: &str, more: &[&str]| {
        told(&service::run(&[&["state", command, "--config", place.file.to_str().unwrap()], more].concat()))
    };
    let file = |model: &str| dir.path().join(format!("{model}.model")).to_str().unwrap().to_owned();

    send(&broker.bootstrap, &lines[..1_000]);
    let mut service = place.start();
    for model in ["sensors", "sum"] {
        folded(&mut service, model, "sensors", 1_000);
    }
    service.stop();
    let mut service = place.start();
    for model in ["sensors", "sum"] {
        let (code, said) = state("export", &["--model", model, "--out", &file(model)]);
        assert_eq!(code, Some(0), "{said}");
    }
    send(&broker.bootstrap, &lines[1_000..2_000]);
    let before = folded(&mut service, "sensors", "sensors", 2_000);
    let sum = folded(&mut service, "sum", "sensors", 2_000);

    for (model, of, why) in [("sensors", "sensors", "--replace"), ("sensors", "sum", "features can only be appended")] {
        let more: &[&str] = if of == model { &[] } else { &["--replace"] };
        let (code, said) = state("import", &[&[&file(of), "--model", model][..], more].concat());
        assert!(code == Some(69) && said.contains(why), "{code:?} {said}");
    }
    assert_eq!(folded(&mut service, "sensors", "sensors", 2_000)["version"], before["version"], "it runs as before");

    assert!(!is_all_since(&service, 0, Timestamp::now()), "something is kept");
    let (done, url) = (AtomicBool::new(false), format!("{}/api/models/sensors/predict", service.url()));
    let row = json!({"features": {"station": "s1", "at": 1, "temp": 20.5}});
    let answers = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = Vec::new();
            while !done.load(Ordering::Acquire) {
                answers.push(service::post(&url, &row));
                thread::sleep(Duration::from_millis(2));
            }
            answers
        });
        let began = Timestamp::now();
        let (code, said) = state("import", &[&file("sensors"), "--replace"]);
        assert!(code == Some(0) && said.contains("goes on from version"), "{code:?} {said}");
        let after = folded(&mut service, "sensors", "sensors", 2_000);
        done.store(true, Ordering::Release);
        let imported = said.split("version ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        assert!(is_all_since(&service, imported, began), "what came after what was imported has gone");
        for known in ["version", "events", "position", "labels", "scores"] {
            assert_eq!(after[known], before[known], "{known}: learned again, and it comes to the same");
        }
        asking.join().unwrap()
    });
    for answer in &answers {
        assert!(matches!(answer, Some((200, _))), "asked {} times while it was replaced: {answer:?}", answers.len());
    }

    let began = Timestamp::now();
    let (code, said) = state("reset", &["--model", "sensors", "--yes"]);
    assert_eq!((code, said.as_str()), (Some(0), "sensors: begins anew\n"));
    folded(&mut service, "sensors", "sensors", 2_000);
    assert!(is_all_since(&service, 0, began), "nothing was left of before");
    let (code, said) = state("reset", &["--model", "nobody", "--yes"]);
    assert!(code == Some(64) && said.contains("sensors, sum"), "{code:?} {said}");
    assert_eq!(folded(&mut service, "sum", "sensors", 2_000)["version"], sum["version"], "nobody asked about it");
    service.kill9();

    send(&broker.bootstrap, &lines[2_000..]);
    let twin = Place::new(&dir.path().join("two"), &broker.bootstrap, SENSORS);
    for place in [&place, &twin] {
        let mut service = place.start();
        for model in ["sensors", "sum"] {
            folded(&mut service, model, "sensors", lines.len());
        }
        service.stop();
    }
    for model in ["sensors", "sum"] {
        assert_eq!(place.hashes(model), twin.hashes(model), "{model}");
        assert_eq!(place.state("verify", model)["from"], "genesis");
    }
}
