//! A record becomes a row: the event is read, what is new in it grows the schema.

use std::sync::Arc;

use crate::schema::{Encoded, Slot};
use crate::{
    ClassId, EntityId, EventTime, Fields, Kind, LabelSource, Limits, Record, Reject, Schema, Target, Task, Value,
};

/// What was read beside the row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// The event's time.
    pub at: EventTime,
    /// Whose event it is.
    pub entity: EntityId,
    /// The value of its target field: always there with [`LabelSource::Event`], never with [`LabelSource::Topic`].
    pub target: Option<Target>,
    /// Whether the event gave the schema a field or a field its kind.
    pub grown: bool,
    /// Values that count as missing: of another kind than their field's, or beyond a limit.
    pub unusable: u32,
}

/// Scratch memory of [`Schema::observe`], kept from event to event by one reader of one model's events.
#[derive(Debug, Default)]
pub struct Observer {
    fields: Fields,
    /// The slots of the last event's names, by place: producers keep the order of their fields.
    slots: Vec<Option<Slot>>,
    /// The places of what is more than a feature, and of all that may be one.
    roles: Vec<usize>,
    features: Vec<usize>,
    /// What the names were, once all of them have a slot.
    naming: Option<u64>,
    /// Which scalar of the last record is its id.
    id: Option<usize>,
    name: String,
    /// Bytes of a name in it.
    text: usize,
}

impl Observer {
    /// Reads a record's scalars.
    pub(crate) fn parse(&mut self, record: &Record, limits: Limits) -> Result<(), Reject> {
        let payload = record.payload.as_deref().unwrap_or_default();
        (self.id, self.text) = (None, limits.text);
        self.fields.bound(limits.depth);
        if payload.len() > limits.record {
            return Err(Reject::TooLarge { got: payload.len(), limit: limits.record });
        }
        Ok(self.fields.parse(payload)?)
    }

    /// Finds what the schema knows of the names. Those it does not know yet are looked for again in the next event.
    fn find_slots(&mut self, schema: &Schema) {
        let Self { fields, slots, .. } = self;
        slots.clear();
        slots.extend(fields.iter().map(|(name, _)| schema.slots.get(name).copied()));
        let is_role = |slot: &Option<Slot>| slot.is_some_and(|s| s.target || s.id || s.time || s.entity);
        let may_be_feature = |slot: &Option<Slot>| slot.is_none_or(|slot| slot.feature.is_some());
        self.roles.clear();
        self.roles.extend((0..slots.len()).filter(|i| is_role(&slots[*i])));
        self.features.clear();
        self.features.extend((0..slots.len()).filter(|i| may_be_feature(&slots[*i])));
        self.naming = slots.iter().all(Option::is_some).then(|| fields.naming());
    }

    pub(crate) fn parts(&mut self) -> (&Fields, &mut String) {
        (&self.fields, &mut self.name)
    }

    /// The id of the record last observed, in its one spelling (`2` and `2.0` are the same id); `None` if it has none.
    pub fn id(&mut self) -> Option<&str> {
        self.fields.value(self.id?).name(self.text, &mut self.name)
    }
}

impl Schema {
    /// Reads a record's event: writes its numbers into `row` and grows the schema by what is new in it. A rejected
    /// record leaves the schema as it was. `this` is copied first if somebody else holds it and it must grow.
    pub fn observe(
        this: &mut Arc<Self>,
        observer: &mut Observer,
        record: &Record,
        row: &mut Vec<f64>,
    ) -> Result<Observed, Reject> {
        let limits = this.spec.limits;
        observer.parse(record, limits)?;
        if observer.naming != Some(observer.fields.naming()) {
            observer.find_slots(this);
        }
        let Observer { fields, slots, roles, features, id, name, .. } = observer;

        let (mut at, mut entity, mut target) = (record.timestamp, EntityId::default(), None);
        for &i in &*roles {
            let (Some(slot), value) = (slots[i], fields.value(i)) else { continue };
            if slot.target {
                target = Some(value);
            }
            if slot.id {
                *id = Some(i);
            }
            if slot.time && value != Value::Null {
                at = read_time(fields.get(i).0, value)?;
            }
            if slot.entity {
                entity = value.name(limits.text, name).map_or(EntityId::default(), entity_id);
            }
        }
        let said = match target.filter(|value| *value != Value::Null) {
            Some(value) => Some(this.read_target(&this.spec.target, value, name)?),
            None if this.spec.label == LabelSource::Event => return Err(Reject::NoTarget(this.spec.target.clone())),
            None => None,
        };

        let mut grown = false;
        let mut unusable = 0;
        let target = said.map(|said| Self::learn_class(this, said));
        row.clear();
        row.resize(this.fields.len(), f64::NAN);
        for &i in &*features {
            let value = fields.value(i);
            if value == Value::Null {
                continue;
            }
            let known = slots[i].and_then(|slot| slot.feature);
            // Most values are numbers of fields that hold numbers.
            if let (Some(place), Value::Number(x)) = (known, value)
                && this.fields[place as usize].kind == Kind::Number
            {
                row[place as usize] = x;
                continue;
            }
            let key = fields.get(i).0;
            let place = match known {
                Some(place) => place,
                None if !this.spec.features.is_empty() => continue,
                // The same new name may stand twice in one event.
                None => match this.slots.get(key).and_then(|slot| slot.feature) {
                    Some(place) => place,
                    None if this.fields.len() >= limits.features || key.len() > limits.text => {
                        unusable += 1;
                        continue;
                    }
                    None => {
                        grown = true;
                        row.push(f64::NAN);
                        Arc::make_mut(this).append(key, Kind::Unknown)
                    }
                },
            };
            let field = &this.fields[place as usize];
            if field.kind == Kind::Unknown {
                let kind = if matches!(value, Value::Text(_)) { Kind::Nominal } else { Kind::Number };
                Arc::make_mut(this).fields[place as usize].kind = kind;
                grown = true;
            }
            match this.encode(place, value, name) {
                Encoded::Number(x) => row[place as usize] = x,
                Encoded::NewCategory if this.fields[place as usize].categories.len() < limits.categories => {
                    let category = value.name(limits.text, name).expect("checked by encode");
                    let number = Arc::make_mut(this).fields[place as usize].categories.insert(category);
                    row[place as usize] = f64::from(number);
                }
                Encoded::NewCategory | Encoded::OtherKind => unusable += 1,
            }
        }
        Ok(Observed { at, entity, target, grown, unusable })
    }

    /// Reads a value that is not null as what the task predicts.
    pub(crate) fn read_target(&self, field: &str, value: Value<'_>, name: &mut String) -> Result<Said, Reject> {
        let bad = |expected: &str| {
            let (field, expected) = (field.to_owned(), expected.to_owned());
            Reject::BadTarget { field, expected, got: value.describe() }
        };
        let most = self.spec.limits.text;
        match (self.spec.task, value) {
            (Task::Regression, Value::Number(x)) => Ok(Said::Value(x)),
            (Task::Regression, Value::Bool(flag)) => Ok(Said::Value(f64::from(u8::from(flag)))),
            (Task::Regression, _) => Err(bad("a number")),
            (Task::Classification, _) => {
                let class =
                    value.name(most, name).ok_or_else(|| bad(&format!("a class name of at most {most} bytes")))?;
                match self.classes.get(class) {
                    Some(class) => Ok(Said::Known(ClassId(class))),
                    None if self.classes.len() >= self.spec.limits.classes => {
                        Err(bad("one of the known classes (limits.classes is reached)"))
                    }
                    None => Ok(Said::New(class.to_owned())),
                }
            }
        }
    }

    pub(crate) fn learn_class(this: &mut Arc<Self>, said: Said) -> Target {
        match said {
            Said::Value(x) => Target::Value(x),
            Said::Known(class) => Target::Class(class),
            Said::New(class) => Target::Class(ClassId(Arc::make_mut(this).classes.insert(&class))),
        }
    }
}

/// What a target says, before the schema knows it.
pub(crate) enum Said {
    Value(f64),
    Known(ClassId),
    New(String),
}

pub(crate) fn read_time(field: &str, value: Value<'_>) -> Result<EventTime, Reject> {
    let bad = || Reject::BadTime { field: field.to_owned(), got: value.describe() };
    match value {
        Value::Number(ms) if ms.abs() < 9e15 => Ok(EventTime(ms as i64)),
        Value::Text(text) => text.parse::<jiff::Timestamp>().map(|t| EventTime(t.as_millisecond())).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// FNV-1a of the name, never 0.
fn entity_id(name: &str) -> EntityId {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    EntityId(hash.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventSpec;

    fn spec(task: Task) -> EventSpec {
        EventSpec {
            task,
            target: "y".into(),
            label: LabelSource::Event,
            time: Some("at".into()),
            entity: Some("who".into()),
            id: Some("id".into()),
            features: vec![],
            nominal: vec!["day".into()],
            ignore: vec!["skip".into()],
            limits: Limits { features: 4, categories: 2, classes: 2, ..Limits::default() },
        }
    }

    struct World {
        schema: Arc<Schema>,
        observer: Observer,
        row: Vec<f64>,
    }

    impl World {
        fn new(spec: EventSpec) -> Self {
            Self { schema: Arc::new(Schema::new(Arc::new(spec))), observer: Observer::default(), row: vec![] }
        }

        fn see(&mut self, json: &str) -> Result<Observed, Reject> {
            let record = Record { payload: Some(json.to_owned().into()), timestamp: EventTime(7), ..Record::default() };
            Schema::observe(&mut self.schema, &mut self.observer, &record, &mut self.row)
        }

        fn names(&self) -> Vec<&str> {
            self.schema.fields().iter().map(|f| &*f.name).collect()
        }
    }

    #[test]
    fn the_first_value_fixes_the_kind_and_another_kind_counts_as_missing() {
        let mut w = World::new(spec(Task::Regression));
        assert!(w.see(r#"{"a":1,"b":"x","c":null,"y":2,"id":9,"skip":1}"#).unwrap().grown);
        assert_eq!(w.names(), ["day", "a", "b"]);
        let seen = w.see(r#"{"a":"text","b":3,"y":2}"#).unwrap();
        assert_eq!((seen.unusable, seen.grown), (2, false));
        assert!(w.row.iter().all(|x| x.is_nan()));
        assert!(w.see(r#"{"c":true,"y":2}"#).unwrap().grown);
        assert_eq!(w.names(), ["day", "a", "b", "c"]);
        assert_eq!(w.row[3], 1.0);
    }

    #[test]
    fn configured_nominal_numbers_are_names_with_one_spelling() {
        let mut w = World::new(spec(Task::Regression));
        w.see(r#"{"day":2,"y":1}"#).unwrap();
        w.see(r#"{"day":2.0,"y":1}"#).unwrap();
        assert_eq!(w.row[0], 0.0);
        w.see(r#"{"day":"3","y":1}"#).unwrap();
        assert_eq!(w.row[0], 1.0);
        assert_eq!(w.see(r#"{"day":4,"y":1}"#).unwrap().unusable, 1, "limits.categories is 2");
    }

    #[test]
    fn time_entity_and_target_are_read_and_never_features() {
        let mut w = World::new(spec(Task::Classification));
        let seen = w.see(r#"{"at":"1970-01-01T00:00:01.5Z","who":"s1","y":"UP"}"#).unwrap();
        assert_eq!((seen.at, seen.target), (EventTime(1500), Some(Target::Class(ClassId(0)))));
        assert_ne!(seen.entity, EntityId::default());
        assert_eq!(w.see(r#"{"at":42,"y":"DOWN"}"#).unwrap().at, EventTime(42));
        assert_eq!(w.see(r#"{"y":"UP"}"#).unwrap().at, EventTime(7), "the record's own time");
        assert_eq!(w.names(), ["day"]);
    }

    #[test]
    fn a_label_that_comes_later_leaves_the_target_a_column_of_its_own() {
        let later = EventSpec { label: LabelSource::Later, ..spec(Task::Classification) };
        let mut w = World::new(later.clone());
        assert_eq!(w.names(), ["day", "y"]);
        assert_eq!(w.see(r#"{"a":1}"#).unwrap().target, None, "a row all the same");
        assert_eq!(w.see(r#"{"a":1,"y":null}"#).unwrap().target, None);
        let seen = w.see(r#"{"a":1,"y":"UP"}"#).unwrap();
        assert_eq!((seen.target, seen.grown), (Some(Target::Class(ClassId(0))), true));
        w.see(r#"{"a":2,"y":"DOWN"}"#).unwrap();
        assert_eq!(w.row[1..], [1.0, 2.0]);
        let restored = Schema::restore(Arc::new(later.clone()), &w.schema.save()).unwrap();
        assert_eq!(restored.fields(), w.schema.fields());
        w.schema = Arc::new(restored);
        w.see(r#"{"y":"UP"}"#).unwrap();
        assert_eq!(w.row[1], 0.0);
        let mut w = World::new(EventSpec { task: Task::Regression, ..later.clone() });
        assert_eq!(w.see(r#"{"y":"high"}"#).unwrap_err().class(), "bad_target");
        assert_eq!(World::new(EventSpec { ignore: vec!["y".into()], ..later.clone() }).names(), ["day"]);
        assert_eq!(World::new(EventSpec { features: vec!["a".into()], ..later.clone() }).names(), ["a"]);
        assert_eq!(World::new(EventSpec { nominal: vec!["y".into()], ..later }).names(), ["y"]);
    }

    #[test]
    fn with_a_topic_of_labels_the_events_own_target_is_nothing() {
        let mut w = World::new(EventSpec { label: LabelSource::Topic, ..spec(Task::Regression) });
        assert_eq!(w.see(r#"{"a":1,"y":"any"}"#).unwrap().target, None);
        assert_eq!(w.names(), ["day", "a"]);
    }

    #[test]
    fn an_id_is_that_of_the_last_record() {
        let mut w = World::new(spec(Task::Regression));
        for (json, id) in [
            (r#"{"id":"k1","y":1}"#, Some("k1")),
            (r#"{"id":2.0,"y":1}"#, Some("2")),
            (r#"{"id":null,"y":1}"#, None),
            (r#"{"y":1}"#, None),
        ] {
            w.see(json).unwrap();
            assert_eq!(w.observer.id(), id, "{json}");
        }
        w.see(r#"{"id":1,"y":1}"#).unwrap();
        w.see("garbage").unwrap_err();
        assert_eq!(w.observer.id(), None);
    }

    #[test]
    fn a_rejected_record_leaves_the_schema_as_it_was() {
        let mut w = World::new(spec(Task::Classification));
        let rejects = [
            (r#"{"new":1}"#, "no_target"),
            (r#"{"new":1,"y":null}"#, "no_target"),
            (r#"{"new":1,"at":"soon","y":"UP"}"#, "bad_time"),
            (r#"{"new":1e999,"y":"UP"}"#, "impossible_number"),
            (r#"{"new":1"#, "malformed"),
            ("", "malformed"),
        ];
        for (json, class) in rejects {
            assert_eq!(w.see(json).unwrap_err().class(), class, "{json}");
        }
        assert_eq!(w.names(), ["day"]);
        assert!(w.schema.classes().is_empty());
        w.see(r#"{"y":"A"}"#).unwrap();
        w.see(r#"{"y":"B"}"#).unwrap();
        assert_eq!(w.see(r#"{"y":"C"}"#).unwrap_err().class(), "bad_target", "limits.classes is 2");
        let mut w = World::new(spec(Task::Regression));
        assert_eq!(w.see(r#"{"y":"text"}"#).unwrap_err().class(), "bad_target");
    }

    #[test]
    fn bytes_names_and_depth_are_bounded_where_the_limits_say() {
        let limits = Limits { record: 24, text: 3, depth: 2, ..Limits::default() };
        let mut w = World::new(EventSpec { limits, ..spec(Task::Regression) });
        assert_eq!(w.see(r#"{"y":1,"abc":1}"#).unwrap().unusable, 0);
        assert_eq!(w.see(r#"{"y":1,"abcd":1}"#).unwrap().unusable, 1, "limits.text is 3");
        assert_eq!(w.names(), ["day", "abc"]);
        assert!(w.see(r#"{"y":1,"a":{"b":1}}"#).is_ok());
        let told = w.see(r#"{"y":1,"a":{"b":{}}}"#).unwrap_err();
        assert!(told.class() == "malformed" && told.to_string().contains("deeper than 2"), "{}: {told}", told.class());
        assert!(w.see(&format!("{:24}", r#"{"y":1}"#)).is_ok());
        let told = w.see(&format!("{:25}", r#"{"y":1}"#)).unwrap_err();
        assert_eq!(told, Reject::TooLarge { got: 25, limit: 24 });
    }

    #[test]
    fn fields_beyond_the_limit_are_counted_and_left_out() {
        let mut w = World::new(spec(Task::Regression));
        assert_eq!(w.see(r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"y":1}"#).unwrap().unusable, 2);
        assert_eq!(w.names().len(), 4);
    }

    #[test]
    fn listed_features_are_the_only_ones() {
        let listed = EventSpec { features: vec!["b".into(), "day".into()], ..spec(Task::Regression) };
        let mut w = World::new(listed);
        w.see(r#"{"a":1,"day":5,"b":7,"y":1}"#).unwrap();
        assert_eq!(w.names(), ["b", "day"]);
        assert_eq!(w.row, [7.0, 0.0]);
    }

    #[test]
    fn a_request_is_encoded_as_an_event_was_and_its_errors_name_the_field() {
        let mut w = World::new(spec(Task::Classification));
        w.see(r#"{"t":20.5,"day":1,"where":{"room":"attic"},"y":"UP"}"#).unwrap();
        let mut fields = Fields::default();
        let mut row = vec![];
        fields.parse(br#"{"where":{"room":"attic"},"day":"1","t":20.5,"y":"UP"}"#).unwrap();
        w.schema.encode_fields(&fields, &mut row).unwrap();
        assert_eq!(row, w.row);
        fields.parse(br#"{"where.room":"cellar"}"#).unwrap();
        w.schema.encode_fields(&fields, &mut row).unwrap();
        assert!(row.iter().all(|x| x.is_nan()), "an unseen category is missing");
        fields.parse(br#"{"t":"warm"}"#).unwrap();
        let e = w.schema.encode_fields(&fields, &mut row).unwrap_err();
        assert_eq!(e.to_string(), "field t: expected a number, got \"warm\"");
        fields.parse(br#"{"tt":1}"#).unwrap();
        let e = w.schema.encode_fields(&fields, &mut row).unwrap_err();
        assert_eq!(e.to_string(), "field tt: expected one of the model's fields (day, t, where.room), got 1");
    }

    #[test]
    fn saved_and_restored_is_the_same() {
        let mut w = World::new(spec(Task::Classification));
        w.see(r#"{"t":20.5,"day":1,"k":"v","y":"UP"}"#).unwrap();
        let bytes = w.schema.save();
        let spec = Arc::new(w.schema.spec().clone());
        w.schema = Arc::new(Schema::restore(spec, &bytes).unwrap());
        w.see(r#"{"t":1,"day":2,"k":"v","y":"DOWN"}"#).unwrap();
        assert_eq!(w.row, [1.0, 1.0, 0.0]);
        assert_eq!(w.schema.classes().names().len(), 2);
    }
}
