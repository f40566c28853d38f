//! The half of the fold that reads: records become rows. It knows no learner, so that a batch may be read while the one
//! before it is learned.

use std::borrow::Cow;
use std::sync::Arc;

use features::{EventTime, LabelSource, NextOffset, Record, Reject, Row, Schema, TopicId};
use learners::Prediction;

use crate::chunk::Step;
use crate::told::Asked;
use crate::waiting::{Id, Join, Ready, Waiting};
use crate::{Chunk, Counts, FoldConfig, Position, Rejected, Served, Tell};

/// Memory used again and again; not part of the state.
#[derive(Debug, Default)]
struct Workspace {
    observer: features::Observer,
    labels: features::Observer,
    requests: features::Observer,
    said: Prediction,
    row: Vec<f64>,
    ready: Vec<Ready>,
}

/// How far the log was read, and what was understood of it.
#[derive(Debug)]
pub struct Reading {
    pub(crate) config: Arc<FoldConfig>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) position: Position,
    pub(crate) version: u64,
    pub(crate) counts: Counts,
    pub(crate) last_event: EventTime,
    /// Only where what was served is scored.
    pub(crate) served: Option<Served>,
    labels_topic: Option<TopicId>,
    requests_topic: Option<TopicId>,
    /// What is told of every batch; not part of the state.
    pub(crate) tell: Tell,
    workspace: Workspace,
}

impl Reading {
    /// Before the first record.
    pub(crate) fn new(config: &Arc<FoldConfig>, start: Position) -> Self {
        Self {
            schema: Arc::new(Schema::new(Arc::new(config.event.clone()))),
            position: start,
            version: 0,
            counts: Counts::default(),
            last_event: EventTime(i64::MIN),
            served: config.requests.is_some().then(|| Served::new(config)),
            labels_topic: config.labels_topic(),
            requests_topic: config.requests_topic(),
            tell: Tell::default(),
            workspace: Workspace::default(),
            config: Arc::clone(config),
        }
    }

    /// Records and decisions read.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How far each partition has been read.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// As [`crate::Fold::decode`], where no label comes later.
    pub fn decode(&mut self, records: &[Record], chunk: &mut Chunk) {
        self.decode_beside(records, chunk, &mut None);
    }

    pub(crate) fn decode_beside(&mut self, records: &[Record], chunk: &mut Chunk, waiting: &mut Option<Waiting>) {
        chunk.clear();
        chunk.began = (self.version, self.counts.events);
        for (index, record) in records.iter().enumerate() {
            self.version += 1;
            self.position.insert(record.from, NextOffset(record.offset + 1));
            if record.payload.is_none() {
                self.counts.tombstones += 1;
                continue;
            }
            let topic = Some(record.from.topic);
            let read = if self.labels_topic == topic {
                self.decode_label(record, index, chunk, waiting)
            } else if self.requests_topic == topic {
                self.decode_served(record)
            } else {
                self.decode_event(record, index, chunk, waiting)
            };
            if let Err(reason) = read {
                self.counts.rejected += 1;
                chunk.rejected.push(Rejected { index, reason });
            }
        }
        chunk.schema = self.tell.is_anything().then(|| Arc::clone(&self.schema));
    }

    fn decode_event(
        &mut self,
        record: &Record,
        index: usize,
        chunk: &mut Chunk,
        waiting: &mut Option<Waiting>,
    ) -> Result<(), Reject> {
        let Workspace { observer, row, ready, .. } = &mut self.workspace;
        let seen = Schema::observe(&mut self.schema, observer, record, row)?;
        self.counts.unusable_values += u64::from(seen.unusable);
        self.last_event = self.last_event.max(seen.at);
        let grown = seen.grown.then(|| self.schema.kinds());
        let topics = &self.config.topics;
        if let (Some(served), Some(target), LabelSource::Event) =
            (&mut self.served, seen.target, self.config.event.label)
        {
            served.label(Id::of(&name(observer, record, topics)), target);
        }
        let label = seen.target.filter(|_| self.config.event.label == LabelSource::Event);
        let asked = |id: Cow<'_, str>| Asked { index, id: id.into_owned(), at: seen.at, label };
        match (waiting, seen.target) {
            (None, Some(target)) => {
                chunk.asked.extend(self.tell.predictions.then(|| asked(name(observer, record, topics))));
                self.counts.events += 1;
                chunk.rows(row.len(), grown).push(row, seen.at, seen.entity, target);
                chunk.learned.push(index);
            }
            (None, None) => unreachable!("an event whose label never comes is rejected"),
            (Some(waiting), target) => {
                let id = self.labels_topic.is_some().then(|| Id::of(&name(observer, record, topics)));
                let row = Row { values: row, at: seen.at, entity: seen.entity };
                let answer = self.schema.classes().len().max(1);
                chunk.steps.extend(grown.map(Step::Grow));
                let number = waiting.observe(&row, id, target, answer, ready);
                chunk.steps.extend(number.map(Step::Predict));
                chunk
                    .asked
                    .extend(number.filter(|_| self.tell.predictions).map(|_| asked(name(observer, record, topics))));
                self.counts.events += ready.len() as u64;
                chunk.learned.extend(ready.iter().map(|_| index));
                chunk.steps.extend(ready.drain(..).map(Step::Learn));
            }
        }
        Ok(())
    }

    fn decode_label(
        &mut self,
        record: &Record,
        index: usize,
        chunk: &mut Chunk,
        waiting: &mut Option<Waiting>,
    ) -> Result<(), Reject> {
        let label = Schema::observe_label(&mut self.schema, &mut self.workspace.labels, record)?;
        let (id, target) = (Id::of(label.id), label.target);
        if let Some(served) = &mut self.served {
            served.label(id, target);
        }
        if let Some(Join::Joined(row)) = waiting.as_mut().map(|waiting| waiting.label(id, target)) {
            self.counts.events += 1;
            chunk.learned.push(index);
            chunk.steps.push(Step::Learn(Ready { row, target }));
        }
        Ok(())
    }

    fn decode_served(&mut self, record: &Record) -> Result<(), Reject> {
        let Workspace { requests, said, .. } = &mut self.workspace;
        let seen = self.schema.observe_served(requests, record, &mut said.probabilities)?;
        let (id, at) = (Id::of(seen.id), seen.at);
        said.value = seen.value;
        if let Some(served) = &mut self.served {
            served.answered(id, at, said);
        }
        Ok(())
    }
}

/// What an event is called: its id, or else its place in the log.
fn name<'a>(observer: &'a mut features::Observer, record: &Record, topics: &[String]) -> Cow<'a, str> {
    observer.id().map_or_else(
        || {
            let topic = &topics[usize::from(record.from.topic.0)];
            Cow::Owned(format!("{topic}/{}/{}", record.from.partition, record.offset))
        },
        Cow::Borrowed,
    )
}
