//! Rows that wait for their labels.
//!
//! An event that passes is predicted and its row waits here, with what each learner said about it. Its label comes later:
//! with an event of the same entity ([`Horizon`]), or on a topic, by the event's id. Then the row is scored and learned
//! from as it was. The rules, in the order in which an event ([`Waiting::observe`]) goes through them:
//!
//! 1. *The clock* is the newest event time seen; labels do not move it. A row counts from the clock at its arrival.
//! 2. *Expired*: rows for which the clock has moved by more than `at_most_ms` leave without a label.
//! 3. *Due*: with a horizon, the event's target labels the rows of its entity that it has brought due. With `Ms(h)` that
//!    is the first event in the log that is `h` later and has a target; with `Events(n)` it is the n-th, and if that one
//!    has no target its row expires.
//! 4. Its own row waits. An event whose id was seen before does not: it is counted `repeated`.
//! 5. A label that came *early* labels it at once.
//! 6. *No room*: the oldest rows leave, counted as expired, until `rows` and `bytes` hold.
//!
//! A label on the topic ([`Waiting::label`]) joins the row that waits under its id. If there is none: *late* if the row
//! expired; *duplicate* or *changed* if a label was there before it, which stays; otherwise *early*, until its event
//! passes or it is an *orphan*, after as long or as many as rows wait. Names of rows that left are kept as long, and as
//! many; a label that comes later still is taken for an early one.
//!
//! Nothing here depends on how the log is cut into batches, nor on when the state is saved.

mod blocks;
mod due;
mod id;
mod names;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

use features::{EventTime, Row, Target, Task};
use learners::{Prediction, RestoreError, Section};
use serde::{Deserialize, Serialize};

use self::blocks::{BLOCK, Blocks};
use self::due::Due;
pub use self::id::Id;
use self::names::{Known, Names};
use self::rows::{Head, Rows};
use crate::{FoldConfig, Horizon, LabelCounts, Labels, Sections};

/// A row that has its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ready {
    /// Its number.
    pub row: u64,
    /// Its label.
    pub target: Target,
}

/// What became of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// It is this row's.
    Joined(u64),
    /// Its event has not passed: it waits.
    Early,
    /// Its row had expired.
    Late,
    /// It repeats the row's label.
    Duplicate,
    /// It contradicts the row's label, which stays.
    Changed,
}

/// Bytes that a row counts for beside its values and predictions: its head, its place among those that are due, its name.
const ROW_BYTES: u64 = 192;

/// The rows that wait. They are numbered from 0 as their events pass.
#[derive(Debug)]
pub struct Waiting {
    task: Task,
    labels: Labels,
    learners: u64,
    /// Numbers that the learners keep with a row: so many, and so many more a class.
    memory: (u64, u64),
    rows: Blocks<Rows>,
    due: Due,
    names: Option<Names>,
    clock: Clock,
    numbers: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Clock {
    /// The newest event's time, and the first one's.
    newest: EventTime,
    first: EventTime,
    /// Bytes that count: those of the rows that wait, and of those whose block is full and waits for others.
    bytes: u64,
    counts: LabelCounts,
}

const CLOCK: &str = "waiting";
/// Set in the number under which a learner's memory is kept beside its answers.
const MEMORY: u32 = 1 << 31;

impl Waiting {
    /// No rows yet. `None` if every event has its label and is learned at once. `learners` is how many predictions a row
    /// is charged for.
    pub fn new(config: &FoldConfig, learners: usize) -> Option<Self> {
        let labels = config.labels.clone().unwrap_or_default();
        let by_name = !labels.topic.is_empty();
        if config.horizon == Horizon::Now && !by_name {
            return None;
        }
        let counts = LabelCounts::default();
        Some(Self {
            task: config.event.task,
            learners: learners as u64,
            memory: (0, 0),
            rows: Blocks::new("waiting/rows"),
            due: Due::new(config.horizon),
            names: by_name.then(Names::new),
            clock: Clock { newest: EventTime(i64::MIN), first: EventTime(i64::MIN), bytes: 0, counts },
            numbers: Vec::new(),
            labels,
        })
    }

    /// Other bounds hold from the next row on.
    pub(crate) fn reconfigure(&mut self, like: &Self) {
        (self.labels, self.learners, self.memory) = (like.labels.clone(), like.learners, like.memory);
    }

    /// Rows are charged for what the learners keep with them, too: so many numbers, and so many more a class.
    pub fn with_memory(self, (fixed, per_class): (usize, usize)) -> Self {
        Self { memory: (fixed as u64, per_class as u64), ..self }
    }

    /// An event passes: appends to `ready` the rows that it labels and that leave with that, its own among them if its
    /// label was there first. `id` joins labels of a topic; `target` is the event's own; `answer` is how many numbers a
    /// prediction has at most (the classes known so far, or 1). Returns the number of its row, which is to be predicted
    /// before any of `ready` is learned; `None` if the event is a repetition.
    pub fn observe(
        &mut self,
        row: &Row<'_>,
        id: Option<Id>,
        target: Option<Target>,
        answer: usize,
        ready: &mut Vec<Ready>,
    ) -> Option<u64> {
        self.tick(row.at);
        self.pass(row, target, ready);
        if let (Some(names), Some(id)) = (&self.names, id)
            && matches!(names.known(id), Known::Waiting(_) | Known::Past(_))
        {
            self.clock.counts.repeated += 1;
            return None;
        }
        let number = self.add(row, id, target, answer);
        if matches!(self.due, Due::Delay { .. }) {
            self.pass(row, target, ready);
        }
        if let Some(target) = self.names.as_mut().zip(id).and_then(|(names, id)| names.take_early(id)) {
            self.join(number, target);
            ready.push(Ready { row: number, target });
        }
        while self.rows.len() > self.labels.rows || self.clock.bytes > self.labels.bytes {
            let Some(oldest) = self.rows.first() else { break };
            self.expire(oldest);
        }
        Some(number)
    }

    /// A label of the topic comes. The row it joins leaves with that.
    pub fn label(&mut self, id: Id, target: Target) -> Join {
        let Some(names) = &mut self.names else { return Join::Late };
        let counts = &mut self.clock.counts;
        let join = match names.known(id) {
            Known::Waiting(number) => {
                self.join(number, target);
                Join::Joined(number)
            }
            Known::Past(None) => {
                counts.late += 1;
                Join::Late
            }
            Known::Past(Some(before)) | Known::Early(before) if before == target => {
                counts.duplicate += 1;
                Join::Duplicate
            }
            Known::Past(_) | Known::Early(_) => {
                counts.changed += 1;
                Join::Changed
            }
            Known::No => {
                names.early(id, target, self.clock.newest);
                Join::Early
            }
        };
        self.forget(EventTime(i64::MIN));
        join
    }

    /// Keeps what a learner said about a row. To be called for every row in ascending order, in the batch in which its
    /// event passed, whether or not the row still waits. A learner's number never comes to mean another one.
    pub fn attach(&mut self, row: u64, learner: u32, prediction: &Prediction) {
        let value = [prediction.value];
        let numbers = if self.task == Task::Regression { &value } else { &*prediction.probabilities };
        if let Some((rows, i)) = self.rows.get_mut(row) {
            rows.answer(i, learner, numbers);
        }
    }

    /// Keeps with a row what a learner wants to be reminded of when it learns it.
    pub fn attach_memory(&mut self, row: u64, learner: u32, memory: &[f64]) {
        if let Some((rows, i)) = self.rows.get_mut(row) {
            rows.answer(i, learner | MEMORY, memory);
        }
    }

    /// What [`Waiting::attach_memory`] kept.
    pub fn memory(&self, row: u64, learner: u32) -> Option<&[f64]> {
        self.rows.get(row).and_then(|(rows, i)| rows.answered(i, learner | MEMORY))
    }

    /// What a learner said about a row that waits, or is ready and not released: `false` if it was not asked.
    pub fn prediction(&self, row: u64, learner: u32, out: &mut Prediction) -> bool {
        out.clear();
        let Some(numbers) = self.rows.get(row).and_then(|(rows, i)| rows.answered(i, learner)) else { return false };
        match self.task {
            Task::Regression => out.value = numbers.first().copied().unwrap_or_default(),
            Task::Classification => out.probabilities.extend_from_slice(numbers),
        }
        true
    }

    /// A row that waits, or is ready and not released, as its event passed.
    pub fn row(&self, row: u64) -> Option<Row<'_>> {
        self.rows.get(row).map(|(rows, i)| rows.row(i))
    }

    /// The rows that were ready have been learned from. To be called once for each of them, before the state is saved.
    pub fn release(&mut self, ready: impl IntoIterator<Item = u64>) {
        ready.into_iter().for_each(|row| self.rows.let_go(row));
    }

    /// What became of labels and rows so far.
    pub fn counts(&self) -> LabelCounts {
        let early = self.names.as_ref().map_or(0, Names::waiting_labels);
        LabelCounts { waiting: self.rows.len(), early, ..self.clock.counts }
    }

    /// Bytes that count for the bound.
    pub fn bytes(&self) -> u64 {
        self.clock.bytes
    }

    /// Appends sections named `waiting` and `waiting/…`. Those of full blocks never change.
    pub fn save(&self, out: &mut Sections) {
        out.push(Section::of(CLOCK, 1, &self.clock));
        self.rows.save(out);
        if let Some(names) = &self.names {
            names.save(out);
        }
    }

    /// Takes over what [`Waiting::save`] wrote under the same configuration.
    ///
    /// # Errors
    /// A section is missing or unreadable.
    pub fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        self.clock = Section::read(sections, CLOCK, 1)?;
        self.rows.restore(sections)?;
        if let Some(names) = &mut self.names {
            names.restore(sections)?;
        }
        for (number, rows, i) in self.rows.iter() {
            let head = rows.head(i);
            self.due.add(number, head.at, head.entity);
            if let Some((names, id)) = self.names.as_mut().zip(head.id) {
                names.add(id, number);
            }
        }
        Ok(())
    }

    /// Time passes.
    fn tick(&mut self, at: EventTime) {
        let clock = &mut self.clock;
        if clock.first == EventTime(i64::MIN) {
            clock.first = at;
        }
        clock.newest = clock.newest.max(at);
        let wait = i64::try_from(self.labels.at_most_ms).unwrap_or(i64::MAX);
        let oldest = EventTime(clock.newest.0.saturating_sub(wait));
        while let Some(first) = self.rows.first()
            && self.rows.get(first).is_some_and(|(rows, i)| rows.head(i).since < oldest)
        {
            self.expire(first);
        }
        self.forget(oldest);
    }

    /// Names and labels beyond the bounds are forgotten.
    fn forget(&mut self, oldest: EventTime) {
        if let Some(names) = &mut self.names {
            self.clock.counts.orphan += names.forget(self.labels.rows, oldest, self.clock.first);
        }
    }

    /// The rows that an event brings due leave.
    fn pass(&mut self, row: &Row<'_>, target: Option<Target>, ready: &mut Vec<Ready>) {
        let mut numbers = std::mem::take(&mut self.numbers);
        self.due.pass(row.at, row.entity, target.is_some(), &mut numbers);
        for number in numbers.drain(..) {
            let own = self.rows.get(number).and_then(|(rows, i)| rows.head(i).own);
            if let Some(target) = own.or(target) {
                self.join(number, target);
                ready.push(Ready { row: number, target });
            } else {
                self.clock.counts.expired += 1;
                self.remove(number, None, false);
            }
        }
        self.numbers = numbers;
    }

    fn add(&mut self, row: &Row<'_>, id: Option<Id>, target: Option<Target>, answer: usize) -> u64 {
        let memory = self.memory.0 + self.memory.1 * answer as u64;
        let answers = self.learners * (8 * answer as u64 + 8) + 8 * memory;
        let bytes = ROW_BYTES + 8 * row.values.len() as u64 + answers;
        let own = target.filter(|_| matches!(self.due, Due::Delay { .. }));
        let id = id.filter(|_| self.names.is_some());
        let head = Head::new(row, self.clock.newest, id, own, u32::try_from(bytes).unwrap_or(u32::MAX));
        let number = self.rows.push(|rows| rows.push(row.values, head));
        self.clock.bytes += u64::from(head.bytes);
        if number % BLOCK == BLOCK - 1 {
            // From now on the block stays or goes as one.
            self.clock.bytes += self.bytes_of_gone(number);
        }
        self.due.add(number, row.at, row.entity);
        if let Some((names, id)) = self.names.as_mut().zip(id) {
            names.add(id, number);
        }
        number
    }

    fn join(&mut self, number: u64, target: Target) {
        self.clock.counts.joined += 1;
        self.remove(number, Some(target), true);
    }

    /// The oldest row leaves without a label.
    fn expire(&mut self, number: u64) {
        if let Some((rows, i)) = self.rows.get(number) {
            let head = rows.head(i);
            self.due.drop_oldest(number, head.at, head.entity);
        }
        self.clock.counts.expired += 1;
        self.remove(number, None, false);
    }

    /// A row that is due no longer leaves.
    fn remove(&mut self, number: u64, said: Option<Target>, held: bool) {
        let Some((rows, i)) = self.rows.get(number) else { return };
        let Head { id, bytes, .. } = *rows.head(i);
        if let Some((names, id)) = self.names.as_mut().zip(id) {
            names.leave(id, said, self.clock.newest);
        }
        self.clock.bytes -= self.bytes_freed(number, u64::from(bytes));
        self.rows.remove(number, held);
    }

    /// What the bound is given back when this row leaves: an unfull block counts by row, a full one as a whole.
    fn bytes_freed(&self, number: u64, own: u64) -> u64 {
        match self.rows.block(number) {
            Some((_, left, true)) if left.count() == 1 => self.bytes_of_gone(number) + own,
            Some((_, _, true)) => 0,
            _ => own,
        }
    }

    /// Bytes of the rows of a full block that have left.
    fn bytes_of_gone(&self, number: u64) -> u64 {
        let Some((rows, left, _)) = self.rows.block(number) else { return 0 };
        let some = (0..BLOCK as usize).filter(|i| !left.get(*i));
        some.map(|i| u64::from(rows.head(i).bytes)).sum()
    }
}
