//! How well what was *served* did: answers of the requests topic wait for the labels of their ids, and are scored by them.
//!
//! Nothing is learned from them. They wait by the rules of [`crate::waiting`], in smaller bounds, apart from the rows: a
//! request may have the id of an event, and then both get its label. What comes second finds the first: a label before
//! its answer is kept as an early one.

use std::sync::Arc;

use features::{EntityId, EventTime, Row, Schema, Target};
use learners::{Outcome, Prediction, RestoreError, Scores, Section};

use crate::waiting::{Id, Join, Ready, Waiting};
use crate::{FoldConfig, Horizon, LabelCounts, Labels, LateReport, Sections};

/// Answers that wait, and labels and names that are kept, at most.
const ROWS: u64 = 100_000;
/// Bytes of answers that wait.
const BYTES: u64 = 64 << 20;
/// What the names of its sections begin with.
const PREFIX: &str = "served/";
const SCORES: &str = "served";
const SCORES_VERSION: u16 = 2;

/// Answers that wait for labels, and the scores of those that have met theirs.
#[derive(Debug)]
pub struct Served {
    waiting: Waiting,
    scores: Scores,
    ready: Vec<Ready>,
    said: Prediction,
}

impl Served {
    /// No answers yet.
    pub fn new(config: &FoldConfig) -> Self {
        let at_most_ms = config.labels.as_ref().map_or(Labels::default().at_most_ms, |labels| labels.at_most_ms);
        let labels = Labels { topic: "labels".into(), at_most_ms, rows: ROWS, bytes: BYTES };
        let mut by_name = config.clone();
        by_name.wait_for_labels(Horizon::Now, labels);
        Self {
            waiting: Waiting::new(&by_name, 1).expect("labels come later by name"),
            scores: Scores::new(config.event.task),
            ready: Vec::new(),
            said: Prediction::default(),
        }
    }

    /// An answer was served; of two to one id the first counts.
    pub fn answered(&mut self, id: Id, at: EventTime, answer: &Prediction) {
        let row = Row { values: &[], at, entity: EntityId::default() };
        let numbers = answer.probabilities.len().max(1);
        let Some(number) = self.waiting.observe(&row, Some(id), None, numbers, &mut self.ready) else { return };
        self.waiting.attach(number, 0, answer);
        self.score();
    }

    /// An event of this id has this label.
    pub fn label(&mut self, id: Id, target: Target) {
        if let Join::Joined(row) = self.waiting.label(id, target) {
            self.ready.push(Ready { row, target });
            self.score();
        }
    }

    fn score(&mut self) {
        for Ready { row, target } in self.ready.drain(..) {
            if self.waiting.prediction(row, 0, &mut self.said) {
                self.scores.update(&Outcome::of(&self.said, target), target);
            }
            self.waiting.release([row]);
        }
    }

    /// The scores of what was served; `schema` knows what classes are called.
    pub fn report(&self, schema: Option<&Arc<Schema>>) -> LateReport {
        LateReport::of(&self.scores, schema)
    }

    /// What became of answers and labels: a row is an answer here, and most labels are orphans where most events were
    /// never asked about.
    pub fn counts(&self) -> LabelCounts {
        self.waiting.counts()
    }

    /// Appends sections named `served` and `served/…`.
    pub fn save(&self, out: &mut Sections) {
        out.push(Section::of(SCORES, SCORES_VERSION, &self.scores));
        out.behind(PREFIX, |out| self.waiting.save(out));
    }

    /// Takes over what [`Served::save`] wrote under the same configuration.
    ///
    /// # Errors
    /// A section is missing or unreadable.
    pub fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        self.scores = Section::read(sections, SCORES, SCORES_VERSION)?;
        let own = |s: &Section| Some(Section { name: s.name.strip_prefix(PREFIX)?.to_owned(), ..s.clone() });
        self.waiting.restore(&sections.iter().filter_map(own).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use features::Task;
    use learners::{Report, Section};

    use super::*;
    use crate::waiting::tests::config;

    fn said(value: f64) -> Prediction {
        Prediction { value, ..Prediction::default() }
    }

    fn saved(served: &Served) -> Vec<Section> {
        let mut sections = Sections::default();
        served.save(&mut sections);
        sections.whole
    }

    #[test]
    fn an_answer_is_scored_by_the_label_of_its_id_whichever_comes_first() {
        let config = config(Horizon::Now, Labels::default());
        let mut served = Served::new(&config);
        let id = |i: u64| Id::of(&i.to_string());
        assert_eq!(*served.report(None), Report::default());
        served.answered(id(1), EventTime(1), &said(2.0));
        served.answered(id(1), EventTime(2), &said(9.0));
        served.label(id(1), Target::Value(3.0));
        served.label(id(1), Target::Value(5.0));
        assert_eq!(served.report(None).all.mae, Some(1.0), "the first answer, the first label");

        served.label(id(2), Target::Value(0.0));
        served.label(id(3), Target::Value(0.0));
        let sections = saved(&served);
        served = Served::new(&config);
        served.restore(&sections).unwrap();
        assert!(saved(&served) == sections);
        served.answered(id(2), EventTime(3), &said(3.0));
        assert_eq!(served.report(None).all.mae, Some(2.0));
        served.answered(id(4), EventTime(4), &said(3.0));
        let counts = served.counts();
        assert_eq!((counts.joined, counts.waiting, counts.early), (2, 1, 1));
        assert_eq!((counts.repeated, counts.changed), (1, 1));
        assert_eq!(config.event.task, Task::Regression);
    }

    #[test]
    fn labels_that_nobody_asked_about_are_forgotten_in_the_end() {
        let mut served = Served::new(&config(Horizon::Now, Labels::default()));
        for i in 0..ROWS + 10 {
            served.label(Id::of(&i.to_string()), Target::Value(0.0));
        }
        let counts = served.counts();
        assert_eq!((counts.early, counts.orphan), (ROWS, 10));
    }
}
