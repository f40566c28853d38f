//! A record of a requests topic: what was answered to a request with an id.

use crate::observe::read_time;
use crate::{EventTime, Observer, Record, Reject, Schema, Task, Value};

/// A prediction as it was served.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedAnswer<'a> {
    /// The request's id, in its one spelling.
    pub id: &'a str,
    /// The time predicted for; the record's own if it does not say.
    pub at: EventTime,
    /// The predicted number (regression).
    pub value: f64,
}

impl Schema {
    /// Reads a record of the requests topic: `{"id", "at"?, "answer": {"prediction", "probabilities"?}}`, the
    /// rest is passed over. `probabilities` becomes one number a class known (classification), in the schema's order;
    /// other classes are passed over: whoever answered knew no more than the schema.
    ///
    /// # Errors
    /// Not a JSON object; `id` is missing or too long; the answer is none of this task; `at` is no time.
    pub fn observe_served<'a>(
        &self,
        observer: &'a mut Observer,
        record: &Record,
        probabilities: &mut Vec<f64>,
    ) -> Result<ServedAnswer<'a>, Reject> {
        observer.parse(record, self.spec.limits)?;
        let (fields, name) = observer.parts();
        let limit = self.spec.limits.text;
        let (mut id, mut at, mut prediction) = (Value::Null, record.timestamp, Value::Null);
        probabilities.clear();
        for (key, value) in fields.iter() {
            match key {
                "id" => id = value,
                "at" if value != Value::Null => at = read_time(key, value)?,
                "answer.prediction" => prediction = value,
                _ => {
                    let class = key.strip_prefix("answer.probabilities.").and_then(|class| self.classes.get(class));
                    if let (Some(class), Value::Number(p)) = (class, value) {
                        probabilities.resize(probabilities.len().max(class as usize + 1), 0.0);
                        probabilities[class as usize] = p;
                    }
                }
            }
        }
        if id.name(limit, name).is_none_or(str::is_empty) {
            return Err(Reject::BadId { field: "id".into(), limit, got: id.describe() });
        }
        let bad = |field: &str, expected: &str| {
            Err(Reject::BadTarget { field: field.into(), expected: expected.into(), got: prediction.describe() })
        };
        let value = match (self.spec.task, prediction) {
            (Task::Regression, Value::Number(x)) => x,
            (Task::Regression, _) => return bad("answer.prediction", "a number"),
            (Task::Classification, _) if probabilities.is_empty() => {
                return bad("answer.probabilities", "the probability of a known class");
            }
            (Task::Classification, _) => 0.0,
        };
        let id = id.name(limit, name).expect("named above");
        Ok(ServedAnswer { id, at, value })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{EventSpec, LabelSource, Limits};

    fn schema(task: Task) -> Schema {
        let mut schema = Schema::new(Arc::new(EventSpec {
            task,
            target: "y".into(),
            label: LabelSource::Topic,
            time: None,
            entity: None,
            id: None,
            features: vec![],
            nominal: vec![],
            ignore: vec![],
            limits: Limits::default(),
        }));
        for class in ["UP", "v1.2", "DOWN"] {
            schema.classes.insert(class);
        }
        schema
    }

    fn read(task: Task, json: &str) -> Result<(String, i64, f64, Vec<f64>), Reject> {
        let record = Record { payload: Some(json.to_owned().into()), timestamp: EventTime(7), ..Record::default() };
        let (mut observer, mut p) = (Observer::default(), vec![9.0]);
        let schema = schema(task);
        let seen = schema.observe_served(&mut observer, &record, &mut p)?;
        Ok((seen.id.to_owned(), seen.at.0, seen.value, p.clone()))
    }

    #[test]
    fn an_answer_is_read_as_it_was_given() {
        let json =
            r#"{"id":2,"at":9,"features":{"id":5},"answer":{"prediction":1.5,"version":4711,"learner":"linear"}}"#;
        assert_eq!(read(Task::Regression, json).unwrap(), ("2".into(), 9, 1.5, vec![]));
        let json = r#"{"id":"r","answer":{"prediction":"v1.2","probabilities":{"UP":0.25,"v1.2":0.75,"LEFT":0}}}"#;
        assert_eq!(read(Task::Classification, json).unwrap(), ("r".into(), 7, 0.0, vec![0.25, 0.75]));
    }

    #[test]
    fn what_is_no_answer_is_refused_by_the_name_of_its_field() {
        let cases = [
            (Task::Regression, "3", "not a JSON object"),
            (Task::Regression, r#"{"answer":{"prediction":1}}"#, "field id"),
            (Task::Regression, r#"{"id":1}"#, "field answer.prediction"),
            (Task::Regression, r#"{"id":1,"answer":{"prediction":"UP"}}"#, "field answer.prediction"),
            (Task::Regression, r#"{"id":1,"at":"soon","answer":{"prediction":1}}"#, "field at"),
            (Task::Classification, r#"{"id":1,"answer":{"prediction":"UP"}}"#, "field answer.probabilities"),
        ];
        for (task, json, says) in cases {
            let e = read(task, json).unwrap_err().to_string();
            assert!(e.starts_with(says), "{json}: {e}");
        }
    }
}
