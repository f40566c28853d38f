//! Alerts, as a webhook gets them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use fold::{Happening, What};
use learners::{Incident, IncidentEnd};
use perennial::alerts::{self, Retry};
use perennial::live::Served;
use serde_json::Value;

use crate::world::{air, app, happening, recorder};

const RETRY: Retry = Retry { first: Duration::from_millis(5), tries: 4 };

/// A request that a webhook got: its key and its body.
type Got = (String, Value);

/// A webhook that answers with these statuses one after the other, then with 200.
fn webhook(mut statuses: Vec<u16>) -> (String, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, got) = channel();
    statuses.reverse();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let head: Vec<_> = connection.by_ref().lines().map(Result::unwrap).take_while(|l| !l.is_empty()).collect();
            assert!(head[0].starts_with("POST /hook "), "{head:?}");
            let field = |name: &str| {
                let line = head.iter().find(|line| line.to_lowercase().starts_with(&format!("{name}: "))).unwrap();
                line.split_once(": ").unwrap().1.to_owned()
            };
            let mut body = vec![0; field("content-length").parse().unwrap()];
            connection.read_exact(&mut body).unwrap();
            assert_eq!(field("content-type"), "application/json");
            let got = (field("idempotency-key"), serde_json::from_slice(&body).unwrap());
            let status = statuses.pop().unwrap_or(200);
            let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            connection.get_mut().write_all(reply.as_bytes()).unwrap();
            if tell.send(got).is_err() {
                return;
            }
        }
    });
    (url, got)
}

fn drift(number: u64) -> Happening {
    let incident = Incident { number, at: 90, onset: 80, before: 0.1, after: 0.3, escalations: 0, end: None };
    happening(number, What::Drift { learner: "mean".into(), incident })
}

fn over(number: u64) -> Happening {
    happening(number, What::DriftOver { learner: "mean".into(), end: IncidentEnd::Over, lasted: 100 })
}

/// What the webhook gets while a model goes through these happenings, seen one after the other; the first are old when
/// the process starts.
fn told(statuses: Vec<u16>, old: &[Happening], new: &[Happening]) -> Vec<(String, String)> {
    let (url, got) = webhook(statuses);
    let (alerts, thread) = alerts::start(url, "https://models.example/live", RETRY).unwrap();
    let (registry, mut teacher, mut publisher) = air();
    let folder = tempfile::tempdir().unwrap();
    let app = app(registry);
    let mut recorder = recorder(&app, folder.path(), Some(alerts), 0);
    for until in old.len()..=old.len() + new.len() {
        let mut snapshot = teacher.snapshot();
        snapshot.happenings = old.iter().chain(new).take(until).cloned().collect();
        publisher.publish(Served::following("air", snapshot, 1_000));
        recorder.look(1_000 * until as i64);
        recorder.look(1_000 * until as i64 + 250);
        // As nothing is stopped before everything was sent, every retry is made.
        thread::sleep(Duration::from_millis(1));
    }
    let wanted = got.recv_timeout(Duration::from_millis(if new.is_empty() { 1 } else { 20_000 }));
    let mut all: Vec<Got> = wanted.into_iter().collect();
    while let Ok(more) = got.recv_timeout(Duration::from_millis(300)) {
        all.push(more);
    }
    drop(recorder);
    thread.join().unwrap();
    for (_, body) in &all {
        assert_eq!(body["externalURL"], "https://models.example/live/");
        let link = body["alerts"][0]["generatorURL"].as_str().unwrap();
        assert!(link.starts_with("https://models.example/live/#model=air&at="), "{link}");
    }
    all.into_iter().map(|(key, body)| (key, body["status"].as_str().unwrap().to_owned())).collect()
}

fn owned(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, status)| ((*key).to_owned(), (*status).to_owned())).collect()
}

#[test]
fn a_change_is_one_incident_that_opens_and_is_resolved() {
    let new = [drift(1), happening(2, What::Challenger { learner: "mean#2".into() }), over(3), drift(4)];
    let expected = [("air/100", "firing"), ("air/300", "resolved"), ("air/400", "firing")];
    assert_eq!(told(vec![], &[], &new), owned(&expected));
}

#[test]
fn it_is_tried_again_with_the_same_key_where_that_may_help() {
    let expected = [("air/100", "firing"), ("air/100", "firing"), ("air/100", "firing"), ("air/200", "resolved")];
    assert_eq!(told(vec![500, 429], &[], &[drift(1), over(2)]), owned(&expected));
    let expected = [("air/100", "firing"), ("air/200", "resolved")];
    assert_eq!(told(vec![404], &[], &[drift(1), over(2)]), owned(&expected), "it would be refused each time");
    let four = [("air/100", "firing"); 4];
    assert_eq!(told(vec![500; 4], &[], &[drift(1)]), owned(&four), "not for ever");
}

#[test]
fn what_is_old_is_no_news_but_its_end_is() {
    assert_eq!(told(vec![], &[drift(1)], &[]), []);
    assert_eq!(told(vec![], &[drift(1)], &[over(2)]), owned(&[("air/200", "resolved")]));
}

#[test]
fn the_end_of_the_service_does_not_wait_for_a_broken_webhook() {
    // Bound and closed again: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let retry = Retry { first: Duration::from_secs(1_000), tries: 10 };
    let (alerts, thread) = alerts::start(format!("http://{nobody}/"), "http://127.0.0.1:8501", retry).unwrap();
    let seen = |happening| perennial::history::HappeningSeen { happening, seen_ms: 1 };
    (1..5).for_each(|number| alerts.tell("air", &[seen(drift(number))]));
    drop(alerts);
    thread.join().unwrap();
}
