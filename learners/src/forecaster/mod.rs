//! Several regression models on one stage of inputs, and one number: what `auto` is for regression. With a single model
//! and no combiner it is that model as a learner of its own.
//!
//! What a member says is held within the targets seen and 10 % beyond; what is no number counts as the last value known.
//! A member that does not fit into the budget of bytes or operations any more is left out for good, the last of the list first.

pub(crate) mod batch;
mod lineup;

use features::{Kind, Row, Rows, Target, Task};

use crate::combiners::{Council, CouncilWork};
use crate::explain::{Explanation, Member, Sizes};
use crate::forecasts::{AnyForecast, LARGEST, Previous, RunningMean};
use crate::inputs::labels::Known;
use crate::inputs::{Encoded, Inputs, Shape, targets};
use crate::members::{LEAST_WEIGHT, MOST_WEIGHT, Work};
use crate::{Learner, Outcome, Params, Prediction, RestoreError, Scratch, Section, SpecError};

/// Layouts of the saved sections.
const INPUTS_VERSION: u16 = 1;
const MEMBER_VERSION: u16 = 1;
const COUNCIL_VERSION: u16 = 1;
/// How far beyond the range of targets seen a member may go.
const BEYOND: f64 = 0.1;

/// A member and what it is called.
#[derive(Clone, Debug)]
struct Seat {
    name: &'static str,
    on: bool,
    member: AnyForecast,
}

/// The members and their combiner.
#[derive(Clone, Debug)]
pub struct Forecaster {
    max_bytes: usize,
    /// Operations an event that members may take.
    operations: f64,
    inputs: Inputs,
    /// The first two are the running mean and the last value.
    seats: Vec<Seat>,
    /// The range of targets is kept here even if a single member answers.
    council: Council,
    single: bool,
    shape: Shape,
    room: Room,
}

/// Memory used again and again; no part of the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    x: Encoded,
    works: Vec<Work>,
    said: Vec<f64>,
    council: CouncilWork,
    answer: Prediction,
}

impl Forecaster {
    /// The learner that the catalog calls `name`.
    pub(crate) fn build(name: &str, params: &Params<'_>) -> Result<Self, SpecError> {
        let (members, budget) = lineup::of(name, params)?;
        let always =
            [("mean", AnyForecast::Mean(RunningMean::default())), ("previous", AnyForecast::Previous(Previous))];
        let seat = |(name, member)| Seat { name, on: true, member };
        let seats: Vec<_> = always.into_iter().chain(members).map(seat).collect();
        let inputs = Inputs::new(Task::Regression);
        let mut forecaster = Self {
            max_bytes: params.max_bytes()?,
            operations: budget.map_or(f64::INFINITY, |budget| budget.operations),
            inputs,
            council: Council::new(seats.len()),
            seats,
            single: budget.is_none(),
            shape: Shape::default(),
            room: Room::default(),
        };
        forecaster.fit();
        Ok(forecaster)
    }

    /// What each member counts for (nothing for a learner of one member), and by which inputs the linear ones go.
    pub(crate) fn explain(&self) -> Explanation {
        let mut members = vec![];
        if !self.single {
            let shape = self.inputs.shape();
            for (seat, (share, weight, loss)) in self.seats.iter().zip(self.council.members()) {
                // One that is out says the last value again.
                let (bytes, operations) =
                    if seat.on { (seat.member.bytes(), seat.member.operations(&shape)) } else { (0, 0) };
                let (name, loss, operations) = (seat.name.into(), loss.filter(|_| seat.on), Some(operations));
                members.push(Member { name, share, weight, loss, bytes, operations });
            }
        }
        let mut sizes = Sizes::new(self.inputs.columns());
        for (i, seat) in self.seats.iter().enumerate().filter(|(_, seat)| seat.on) {
            if let AnyForecast::LeastSquares(model) = &seat.member {
                sizes.add(model.sizes(&self.inputs), members.get(i).map_or(1.0, |member| member.share));
            }
        }
        Explanation { members, columns: sizes.into_shares() }
    }

    /// Bytes that the inputs may take.
    fn inputs_budget(&self) -> usize {
        self.max_bytes / 4
    }

    /// Members follow the inputs.
    fn fit(&mut self) {
        let shape = self.inputs.shape();
        if shape == self.shape {
            return;
        }
        self.shape = shape;
        let fixed = size_of::<Self>() + self.seats.len() * size_of::<Seat>() + self.council.bytes();
        let mut room = (self.max_bytes - self.inputs_budget()).saturating_sub(fixed);
        let mut operations = self.operations - Inputs::operations(&shape) - Council::operations(self.seats.len());
        for seat in self.seats.iter_mut().filter(|seat| seat.on) {
            let work = seat.member.operations(&shape) as f64;
            // Mean and last value are what is said for those that are out.
            let fits = work <= operations || matches!(seat.member, AnyForecast::Mean(_) | AnyForecast::Previous(_));
            match fits.then(|| seat.member.fit(&shape, room)).flatten() {
                Some(bytes) => (room, operations) = (room - bytes, operations - work),
                None => seat.on = false,
            }
        }
    }

    /// Answers into `room.answer`; `room.x.known` says which targets are known.
    fn answer(&self, row: &Row<'_>, room: &mut Room) {
        self.inputs.encode(row, &mut room.x);
        room.said.clear();
        room.works.resize_with(self.seats.len(), Work::default);
        for (seat, work) in self.seats.iter().zip(&mut room.works) {
            room.said.push(if seat.on { seat.member.predict(&room.x, work) } else { f64::NAN });
        }
        self.combine(room.x.known.value, room);
    }

    /// Makes one answer into `room.answer` of what the members said; `last` is the last target known.
    fn combine(&self, last: Option<f64>, room: &mut Room) {
        let last = last.unwrap_or(0.0);
        room.said.iter_mut().for_each(|said| *said = self.council.within(*said, BEYOND).unwrap_or(last));
        room.answer.clear();
        room.answer.value = if self.single {
            let seat = self.seats.iter().rposition(|seat| seat.on).unwrap_or(0);
            room.said[seat]
        } else {
            self.council.combine(&room.said, &mut room.council)
        };
    }

    /// Learns a row that was just answered in `room`; `before` is what the members had said when it was predicted, if
    /// that was earlier.
    fn learn_answered(&mut self, room: &mut Room, row: &Row<'_>, target: Target, weight: f64, before: Option<&[f64]>) {
        let Target::Value(y) = target else { return };
        let (y, weight) = (y.clamp(-LARGEST, LARGEST), weight.clamp(LEAST_WEIGHT, MOST_WEIGHT));
        for (seat, work) in self.seats.iter_mut().zip(&mut room.works).filter(|(seat, _)| seat.on) {
            seat.member.learn(&room.x, work, y, weight);
        }
        if self.single {
            self.council.see(y);
        } else {
            if let Some(before) = before.filter(|before| before.len() == self.seats.len()) {
                room.said.copy_from_slice(before);
                self.council.combine(&room.said, &mut room.council);
            }
            self.council.learn(&room.said, &mut room.council, y);
        }
        let space = self.inputs_budget().saturating_sub(self.inputs.bytes());
        self.inputs.learn(row, &room.x.known, Target::Value(y), space);
        self.fit();
    }

    fn answer_then_learn(&mut self, row: &Row<'_>, target: Target, weight: f64, out: &mut Prediction) {
        let mut room = std::mem::take(&mut self.room);
        self.inputs.known(row, &mut room.x.known);
        self.answer(row, &mut room);
        out.copy(&room.answer);
        self.learn_answered(&mut room, row, target, weight, None);
        self.room = room;
    }

    /// A copy that predicts the same and cannot learn.
    pub(crate) fn served(&self) -> Self {
        let seat = |seat: &Seat| Seat { member: seat.member.served(), ..*seat };
        Self {
            seats: self.seats.iter().map(seat).collect(),
            council: self.council.served(),
            inputs: self.inputs.clone(),
            room: Room::default(),
            ..*self
        }
    }
}

impl Learner for Forecaster {
    fn grow(&mut self, kinds: &[Kind]) {
        let space = self.inputs_budget().saturating_sub(self.inputs.bytes());
        self.inputs.grow(kinds, space);
        self.fit();
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        let mut room = std::mem::take(&mut self.room);
        self.inputs.known(row, &mut room.x.known);
        self.answer(row, &mut room);
        self.learn_answered(&mut room, row, target, weight, None);
        self.room = room;
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        let room = &mut *scratch.forecaster;
        self.inputs.known(row, &mut room.x.known);
        self.answer(row, room);
        std::mem::swap(&mut room.answer, out);
    }

    fn remember(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction, memory: &mut Vec<f64>) {
        self.predict_into(row, scratch, out);
        let room = &scratch.forecaster;
        room.x.known.write(memory);
        memory.extend_from_slice(&room.said);
    }

    fn learn_remembered(&mut self, row: &Row<'_>, memory: &[f64], target: Target, weight: f64) {
        let (known, said) = memory.split_at(Known::length(targets::INPUTS).min(memory.len()));
        let mut room = std::mem::take(&mut self.room);
        room.x.known.read(known);
        self.answer(row, &mut room);
        self.learn_answered(&mut room, row, target, weight, Some(said));
        self.room = room;
    }

    fn memory(&self) -> (usize, usize) {
        (Known::numbers().0 + self.seats.len(), 0)
    }

    fn predict_then_learn(
        &mut self,
        row: &Row<'_>,
        target: Target,
        weight: f64,
        _scratch: &mut Scratch,
        out: &mut Prediction,
    ) {
        self.answer_then_learn(row, target, weight, out);
    }

    fn test_then_train(&mut self, rows: &Rows, scratch: &mut Scratch, outcomes: &mut Vec<Outcome>) {
        let Scratch { threads, forecaster: room, forecaster_batch: batch, prediction, .. } = scratch;
        let mut at = 0;
        while at < rows.len() {
            let studied = self.study_some(rows, at, *threads, (room, batch), outcomes);
            if studied == 0 {
                let (row, target) = rows.get(at);
                self.answer_then_learn(&row, target, 1.0, prediction);
                outcomes.push(Outcome::of(prediction, target));
            }
            at += studied.max(1);
        }
    }

    fn bytes(&self) -> usize {
        let seat = |seat: &Seat| if seat.on { seat.member.bytes() } else { 0 };
        size_of::<Self>()
            + self.inputs.bytes()
            + self.seats.len() * size_of::<Seat>()
            + self.seats.iter().map(seat).sum::<usize>()
            + self.council.bytes()
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("inputs", INPUTS_VERSION, &self.inputs));
        for Seat { name, on, member } in &self.seats {
            out.push(Section::of(&format!("member/{name}"), MEMBER_VERSION, &on.then_some(member)));
        }
        out.push(Section::of("council", COUNCIL_VERSION, &self.council));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let corrupt = |name: &str, message: &str| RestoreError::Corrupt { name: name.into(), message: message.into() };
        let inputs: Inputs = Section::read(sections, "inputs", INPUTS_VERSION)?;
        if !inputs.is_sound() || !inputs.is_for(Task::Regression) {
            return Err(corrupt("inputs", "its columns do not fit together"));
        }
        let shape = inputs.shape();
        let mut seats = self.seats.clone();
        for seat in &mut seats {
            let name = format!("member/{}", seat.name);
            let member: Option<AnyForecast> = Section::read(sections, &name, MEMBER_VERSION)?;
            seat.on = member.is_some();
            if let Some(member) = member {
                if !member.is_like(&seat.member) || !member.is_sound(&shape) {
                    return Err(corrupt(&name, "it does not fit the columns"));
                }
                seat.member = member;
            }
        }
        let council: Council = Section::read(sections, "council", COUNCIL_VERSION)?;
        if !council.is_sound(seats.len()) {
            return Err(corrupt("council", "it does not fit the members"));
        }
        (self.inputs, self.shape, self.seats, self.council) = (inputs, shape, seats, council);
        Ok(())
    }
}
