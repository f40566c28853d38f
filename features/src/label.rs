//! A record of a labels topic: `{"id", "target", "at"?}`, what an event's target came to be.

use std::sync::Arc;

use crate::observe::read_time;
use crate::{EventTime, Observer, Record, Reject, Schema, Target, Value};

/// The field that names the event.
const ID: &str = "id";
/// The field that says what its target is.
const TARGET: &str = "target";
/// The field that says since when that is known.
const AT: &str = "at";

/// What is known of an event later than the event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label<'a> {
    /// The event's id, in its one spelling (`2` and `2.0` are the same id).
    pub id: &'a str,
    /// Its target.
    pub target: Target,
    /// Since when it is known; the record's own time if it does not say.
    pub at: EventTime,
}

impl Schema {
    /// Reads a record of the labels topic; a class seen for the first time grows the schema's classes. A rejected record
    /// leaves the schema as it was. `observer` is best one of its own: labels are shaped alike, and other than events.
    ///
    /// # Errors
    /// Not a JSON object; `id` is missing or too long; `target` is missing, null or of the wrong kind; `at` is no time.
    pub fn observe_label<'a>(
        this: &mut Arc<Self>,
        observer: &'a mut Observer,
        record: &Record,
    ) -> Result<Label<'a>, Reject> {
        observer.parse(record, this.spec.limits)?;
        let (fields, name) = observer.parts();
        let limit = this.spec.limits.text;
        let (mut id, mut target, mut at) = (Value::Null, Value::Null, record.timestamp);
        for (key, value) in fields.iter() {
            match key {
                ID => id = value,
                TARGET => target = value,
                AT if value != Value::Null => at = read_time(key, value)?,
                _ => {}
            }
        }
        if target == Value::Null {
            return Err(Reject::NoTarget(TARGET.into()));
        }
        if id.name(limit, name).is_none_or(str::is_empty) {
            return Err(Reject::BadId { field: ID.into(), limit, got: id.describe() });
        }
        let said = this.read_target(TARGET, target, name)?;
        let id = id.name(limit, name).expect("named above");
        Ok(Label { id, target: Self::learn_class(this, said), at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassId, EventSpec, LabelSource, Limits, Task};

    fn schema(task: Task) -> Arc<Schema> {
        Arc::new(Schema::new(Arc::new(EventSpec {
            task,
            target: "y".into(),
            label: LabelSource::Topic,
            time: None,
            entity: None,
            id: Some("key".into()),
            features: vec![],
            nominal: vec![],
            ignore: vec![],
            limits: Limits { classes: 2, ..Limits::default() },
        })))
    }

    fn read(schema: &mut Arc<Schema>, json: &str) -> Result<(String, Target, i64), Reject> {
        let record = Record { payload: Some(json.to_owned().into()), timestamp: EventTime(7), ..Record::default() };
        let mut observer = Observer::default();
        Schema::observe_label(schema, &mut observer, &record).map(|l| (l.id.to_owned(), l.target, l.at.0))
    }

    #[test]
    fn a_label_is_an_id_a_target_and_a_time() {
        let mut s = schema(Task::Classification);
        assert_eq!(read(&mut s, r#"{"id":2.0,"target":"UP"}"#).unwrap(), ("2".into(), Target::Class(ClassId(0)), 7));
        let seen = read(&mut s, r#"{"at":9,"target":"DOWN","id":"k","more":1}"#).unwrap();
        assert_eq!(seen, ("k".into(), Target::Class(ClassId(1)), 9));
        assert_eq!(s.classes().len(), 2);
        assert!(s.fields().is_empty(), "a label is no event");
        let mut s = schema(Task::Regression);
        assert_eq!(read(&mut s, r#"{"id":"k","target":1.5}"#).unwrap().1, Target::Value(1.5));
    }

    #[test]
    fn a_bad_label_is_refused_by_the_name_of_its_field() {
        let mut s = schema(Task::Classification);
        read(&mut s, r#"{"id":"a","target":"A"}"#).unwrap();
        let long = format!(r#"{{"id":"{}","target":"A"}}"#, "x".repeat(1_025));
        let rejects = [
            ("[1]", "malformed", "not a JSON object"),
            (r#"{"id":"a"}"#, "no_target", "field target"),
            (r#"{"id":"a","target":null}"#, "no_target", "field target"),
            (r#"{"target":"A"}"#, "bad_id", "field id"),
            (r#"{"id":"","target":"A"}"#, "bad_id", "field id"),
            (&long, "bad_id", "field id"),
            (r#"{"id":"a","target":"B","at":"soon"}"#, "bad_time", "field at"),
        ];
        for (json, class, says) in rejects {
            let e = read(&mut s, json).unwrap_err();
            assert_eq!(e.class(), class, "{json}");
            assert!(e.to_string().starts_with(says), "{e}");
        }
        assert_eq!(s.classes().len(), 1, "a rejected label teaches no class");
        read(&mut s, r#"{"id":"a","target":"B"}"#).unwrap();
        assert_eq!(read(&mut s, r#"{"id":"a","target":"C"}"#).unwrap_err().class(), "bad_target");
        let e = read(&mut schema(Task::Regression), r#"{"id":"a","target":"high"}"#).unwrap_err();
        assert_eq!(e.to_string(), "field target: expected a number as target, got \"high\"");
    }
}
