//! The hot swap: while a model is published after every event, many clients predict. Every answer must be, bit for bit,
//! what the snapshot of the version it names says; none may fail. It fails if version and prediction come from two loads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use features::{EntityId, Fields, Row, Task};
use fold::ModelSnapshot;
use learners::{Prediction, Scratch, catalog};
use perennial::live::Publisher;
use perennial::registry::Registry;
use perennial::status::Phase;
use serde_json::Value;

use crate::world::{Client, Service, Teacher, add};

const CLIENTS: usize = 4;
const REQUESTS: usize = 100;
/// How many versions the publisher may be ahead of the requests, and never behind: both make way for each other, so
/// that however threads are scheduled, every answer's version is near its place in time and many versions answer.
const AHEAD: usize = 32;

/// One row as it was asked and answered.
struct Answered {
    version: u64,
    row: Value,
    label: Option<String>,
    numbers: Vec<f64>,
}

/// How far clients and publisher have come.
#[derive(Default)]
struct Progress {
    asked: AtomicUsize,
    published: AtomicUsize,
    finished: AtomicUsize,
}

/// Counts a client as finished, also one that panicked: then nobody waits for it.
struct Finished<'a>(&'a AtomicUsize);

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn load(count: &AtomicUsize) -> usize {
    count.load(Ordering::Relaxed)
}

#[test]
fn every_answer_is_that_of_the_version_it_names() {
    for entry in catalog::ENTRIES {
        for &task in entry.tasks {
            // A re-fit learns in the background; what it serves is swapped like any other snapshot.
            if entry.name != "refit" {
                hammer(entry.name, task);
            }
        }
    }
}

fn hammer(learner: &str, task: Task) {
    let mut teacher = Teacher::new("m", task, learner);
    teacher.learn(&event(0, task));
    let registry = Registry::default();
    let (publisher, _status) = add(&registry, "m", Some(teacher.served()), Phase::Live);
    let service = Service::start(registry);

    let progress = Progress::default();
    let answers = Mutex::new(Vec::new());
    let mut kept = BTreeMap::from([(1, teacher.snapshot())]);
    std::thread::scope(|scope| {
        for n in 0..CLIENTS {
            let (client, progress, answers) = (service.client(), &progress, &answers);
            scope.spawn(move || {
                let _finished = Finished(&progress.finished);
                let mut mine = Vec::new();
                for i in 0..REQUESTS {
                    while load(&progress.published) < load(&progress.asked) {
                        std::thread::yield_now();
                    }
                    ask(&client, n * REQUESTS + i, task, &mut mine);
                    progress.asked.fetch_add(1, Ordering::Relaxed);
                }
                assert!(
                    mine.is_sorted_by_key(|answer: &Answered| answer.version),
                    "a later answer has an older version"
                );
                answers.lock().unwrap().append(&mut mine);
            });
        }
        publish_while_asked(&mut teacher, publisher, &progress, &mut kept, task);
    });

    let answers = answers.into_inner().unwrap();
    let versions: BTreeSet<_> = answers.iter().map(|answer| answer.version).collect();
    let least = CLIENTS * REQUESTS / (AHEAD + CLIENTS + 2);
    assert!(versions.len() >= least, "{learner}: only {} versions answered", versions.len());
    for answer in &answers {
        check(answer, &kept[&answer.version], learner);
    }
}

fn publish_while_asked(
    teacher: &mut Teacher,
    mut publisher: Publisher,
    progress: &Progress,
    kept: &mut BTreeMap<u64, ModelSnapshot>,
    task: Task,
) {
    let mut count = 0;
    while load(&progress.finished) < CLIENTS {
        if count > load(&progress.asked) + AHEAD {
            std::thread::yield_now();
            continue;
        }
        count += 1;
        teacher.learn(&event(count, task));
        let served = teacher.served();
        kept.insert(served.model.version, ModelSnapshot::clone(&served.model));
        publisher.publish(served);
        progress.published.store(count, Ordering::Relaxed);
    }
}

fn event(i: usize, task: Task) -> String {
    // The label moves, so that every version predicts something else.
    let (a, b) = ((i % 17) as f64 / 3.0, if i.is_multiple_of(3) { "x" } else { "y" });
    match task {
        Task::Regression => format!(r#"{{"a":{a},"b":"{b}","y":{}}}"#, a * 2.0 + i as f64),
        Task::Classification => format!(r#"{{"a":{a},"b":"{b}","y":"{}"}}"#, ["p", "q", "r"][(i * i + i / 7) % 3]),
    }
}

/// Asks in one of four ways and notes what was answered.
fn ask(client: &Client, i: usize, task: Task, answers: &mut Vec<Answered>) {
    let row = |k: usize| serde_json::json!({ "a": ((i + k) % 19) as f64 / 7.0, "b": if k == 0 { "x" } else { "y" } });
    let rows: Vec<Value> = (0..1 + i % 2 * 2).map(row).collect();
    if i % 4 < 2 {
        let body = serde_json::json!({ "instances": rows }).to_string();
        let reply = client.post("/v1/models/m:predict", body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        let json = reply.json();
        let predictions = json["predictions"].as_array().unwrap();
        assert_eq!(predictions.len(), rows.len());
        for (row, prediction) in rows.into_iter().zip(predictions) {
            let (label, numbers) = match task {
                Task::Regression => (None, vec![number(prediction)]),
                Task::Classification => {
                    let p = prediction["probabilities"].as_array().unwrap().iter().map(number).collect();
                    (Some(prediction["label"].as_str().unwrap().to_owned()), p)
                }
            };
            answers.push(Answered { version: reply.version.unwrap(), row, label, numbers });
        }
    } else {
        let requests: Vec<Value> = rows.iter().map(|row| serde_json::json!({ "features": row })).collect();
        let reply = client.post("/api/models/m/predict", Value::from(requests).to_string());
        assert_eq!(reply.status, 200, "{}", reply.body);
        let json = reply.json();
        let predictions = json.as_array().unwrap();
        assert_eq!(predictions.len(), rows.len());
        for (row, prediction) in rows.into_iter().zip(predictions) {
            let version = prediction["version"].as_u64().unwrap();
            assert_eq!(Some(version), reply.version, "one request, two versions");
            let (label, numbers) = match task {
                Task::Regression => (None, vec![number(&prediction["prediction"])]),
                Task::Classification => {
                    let by_class = prediction["probabilities"].as_object().unwrap();
                    // Classes in order of first sight, as the schema has them.
                    let order = ["p", "q", "r"].into_iter().filter_map(|class| by_class.get(class));
                    (Some(prediction["prediction"].as_str().unwrap().to_owned()), order.map(number).collect())
                }
            };
            answers.push(Answered { version, row, label, numbers });
        }
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn check(answer: &Answered, snapshot: &ModelSnapshot, learner: &str) {
    let mut fields = Fields::default();
    fields.read_value(&answer.row).unwrap();
    let mut values = Vec::new();
    snapshot.schema.encode_fields(&fields, &mut values).unwrap();
    let row = Row { values: &values, at: snapshot.last_event, entity: EntityId::default() };
    let mut prediction = Prediction::default();
    snapshot.predict_into(&row, &mut Scratch::default(), &mut prediction);

    let classes = snapshot.schema.classes();
    let (label, mut numbers) = match snapshot.schema.spec().task {
        Task::Regression => (None, vec![prediction.value]),
        Task::Classification => {
            let label = prediction.class().and_then(|class| classes.name(class.0)).map(str::to_owned);
            (label, prediction.probabilities)
        }
    };
    if label.is_some() {
        numbers.resize(classes.len(), 0.0);
    }
    let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(answer.label, label, "{learner} at version {}", answer.version);
    assert_eq!(bits(&answer.numbers), bits(&numbers), "{learner} at version {}", answer.version);
}
