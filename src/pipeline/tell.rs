//! What the fold tells of a batch, as the records that predictions and scores topics hear. The same batch makes the same
//! bytes, in whatever life it is folded.

use features::{EventTime, Schema, Target};
use fold::{Answer, Chunk, Said, Scored};
use learners::Report;
use serde::Serialize;
use serde_json::Value;
use streams::Outgoing;

use super::outbox::Outlet;

/// A prediction, by the id of its event.
#[derive(Serialize)]
struct Prediction<'a> {
    id: &'a str,
    version: u64,
    at: EventTime,
    /// A class name, a number; null: nothing could be said yet.
    prediction: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Value>,
    learner: &'a str,
}

/// How the learners do, by version.
#[derive(Serialize)]
struct Scores<'a> {
    version: u64,
    events: u64,
    at: EventTime,
    scores: Vec<Score<'a>>,
}

#[derive(Serialize)]
struct Score<'a> {
    learner: &'a str,
    role: fold::Role,
    since: u64,
    #[serde(flatten)]
    report: &'a Report,
    verdict: learners::Signal,
    drifts: u64,
}

/// The records that tell of a batch.
pub fn records(chunk: &Chunk) -> impl Iterator<Item = (Outlet, Vec<Outgoing>)> {
    let told = chunk.told();
    let said: Vec<_> = match chunk.schema() {
        Some(schema) => told.said.iter().map(|said| prediction(schema, said)).collect(),
        None => Vec::new(),
    };
    let scored: Vec<_> = told.scored.iter().map(scores).collect();
    [(Outlet::Predictions, said), (Outlet::Scores, scored)].into_iter().filter(|(_, records)| !records.is_empty())
}

fn prediction(schema: &Schema, said: &Said) -> Outgoing {
    let class = |class: features::ClassId| schema.classes().name(class.0).map_or(Value::Null, Value::from);
    let (prediction, probability) = match said.answer {
        Some(Answer::Class(Some(most), p)) => (class(most), Some(p)),
        Some(Answer::Value(value)) => (value.into(), None),
        Some(Answer::Class(None, _)) | None => (Value::Null, None),
    };
    let label = said.label.map(|label| match label {
        Target::Class(truth) => class(truth),
        Target::Value(value) => value.into(),
    });
    let Said { id, version, at, learner, .. } = said;
    record(id, &Prediction { id, version: *version, at: *at, prediction, probability, label, learner })
}

fn scores(scored: &Scored) -> Outgoing {
    let Scored { version, events, at, standings } = scored;
    let scores = standings.iter().map(score).collect();
    record(&version.to_string(), &Scores { version: *version, events: *events, at: *at, scores })
}

fn score(standing: &fold::Standing) -> Score<'_> {
    let fold::Standing { learner, role, since, report, verdict, drifts, .. } = standing;
    Score { learner, role: *role, since: *since, report, verdict: *verdict, drifts: *drifts }
}

fn record(key: &str, value: &impl Serialize) -> Outgoing {
    let payload = serde_json::to_vec(value).expect("names and numbers have a JSON form");
    Outgoing { key: Some(key.as_bytes().to_vec()), payload: Some(payload), ..Outgoing::default() }
}
