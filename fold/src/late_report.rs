//! Scores that are counted when somebody first looks. Those of classes go over all events of the window, which would
//! cost the fold more than the copy does that is counted from; most snapshots nobody asks for their scores.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use features::Schema;
use learners::{Report, Scores};
use serde::{Serialize, Serializer};

type Counted = LazyLock<Report, Box<dyn FnOnce() -> Report + Send>>;

/// A [`Report`], the same whenever it is counted. Copies share it.
#[derive(Clone)]
pub struct LateReport(Arc<Counted>);

impl LateReport {
    /// Of scores as they are now; `schema` knows what classes are called.
    pub(crate) fn of(scores: &Scores, schema: Option<&Arc<Schema>>) -> Self {
        if scores.report_is_cheap() {
            return scores.report().into();
        }
        let (scores, schema) = (scores.clone(), schema.cloned());
        Self(Arc::new(LazyLock::new(Box::new(move || {
            let mut report = scores.report();
            report.name_classes(|class| schema.as_ref()?.classes().name(class));
            report
        }))))
    }
}

impl From<Report> for LateReport {
    fn from(report: Report) -> Self {
        let counted: Counted = LazyLock::new(Box::new(|| report));
        LazyLock::force(&counted);
        Self(Arc::new(counted))
    }
}

impl Deref for LateReport {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

impl fmt::Debug for LateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for LateReport {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Serialize for LateReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use features::{ClassId, EventSpec, Observer, Record, Target, Task};
    use learners::{Outcome, Prediction};

    use super::*;

    #[test]
    fn it_says_what_was_so_when_it_was_made() {
        let mut schema = Arc::new(Schema::new(Arc::new(EventSpec::new(Task::Classification, "y"))));
        let event = Record { payload: Some(r#"{"x":1,"y":"up"}"#.to_owned().into()), ..Record::default() };
        Schema::observe(&mut schema, &mut Observer::default(), &event, &mut vec![]).expect("it is an event");
        let mut scores = Scores::new(Task::Classification);
        let said = Prediction { probabilities: vec![0.75, 0.25], value: 0.0 };
        let learn = |scores: &mut Scores, class| {
            let truth = Target::Class(ClassId(class));
            scores.update(&Outcome::of(&said, truth), truth);
        };
        (0..5).for_each(|_| learn(&mut scores, 0));
        let late = LateReport::of(&scores, Some(&schema));
        let mut then = scores.report();
        then.classes[0].class = "up".into();
        (0..5).for_each(|_| learn(&mut scores, 1));
        assert_eq!((&*late, late.all.accuracy), (&then, Some(1.0)));
        assert_ne!(*late, scores.report());
    }
}
