//! Several members on one stage of inputs, and one answer: what `auto` is for classification. With a single member and
//! no combiner it is that member as a learner of its own.
//!
//! Inputs are computed once an event. A member that does not fit into the budget of bytes or operations any more is left
//! out for good, the last of the list first; one that has nothing to do yet (hashing without categories) waits. The first member is always
//! [`Prior`]: what is said for those that are out.

pub(crate) mod batch;
mod lineup;
#[cfg(test)]
mod tests;

use features::{ClassId, Kind, Row, Rows, Target, Task};
use serde::{Deserialize, Serialize};

use crate::combiners::{Blend, BlendWork};
use crate::explain::{Explanation, Member, Sizes};
use crate::inputs::labels::Known;
use crate::inputs::{Encoded, Inputs, Shape};
use crate::members::{AnyMember, LEAST_WEIGHT, MOST_WEIGHT, Prior, Work};
use crate::{Learner, Outcome, Params, Prediction, RestoreError, Scratch, Section, SpecError};

/// Layouts of the saved sections.
const INPUTS_VERSION: u16 = 1;
const MEMBER_VERSION: u16 = 1;
const BLEND_VERSION: u16 = 3;
/// Without the labels learned.
const FORMER_BLEND_VERSION: u16 = 2;

/// Whether a member takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    /// There is nothing for it to do yet.
    Waiting,
    On,
    /// It does not fit into the budget.
    Out,
}

/// A member and what it is called.
#[derive(Clone, Debug)]
struct Seat {
    name: &'static str,
    state: State,
    member: AnyMember,
}

/// The members and their combiner.
#[derive(Clone, Debug)]
pub struct Committee {
    max_bytes: usize,
    /// Operations an event that members may take.
    operations: f64,
    inputs: Inputs,
    seats: Vec<Seat>,
    /// Without one there are two members: the prior, and the one that answers if it is on.
    blend: Option<Blend>,
    shape: Shape,
    room: Room,
}

/// How a row was predicted that is learned later.
struct Before<'a> {
    /// What the members said, a row of so many classes each.
    said: &'a [f64],
    classes: usize,
    /// Labels that the combiner had learned. Fold version 3 did not keep it: such rows count as if not late.
    learned: Option<u64>,
}

/// Memory used again and again; no part of the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    x: Encoded,
    works: Vec<Work>,
    /// What the members said, a row each.
    said: Vec<f64>,
    blend: BlendWork,
    answer: Prediction,
}

impl Committee {
    /// What each member counts for (nothing for a learner of one member), and by which inputs the linear ones go.
    pub(crate) fn explain(&self) -> Explanation {
        let on = |seat: &Seat| seat.state == State::On;
        let mut members = vec![];
        if let Some(blend) = &self.blend {
            // Those that are out say that all classes are alike: whatever their weight, they have no part.
            let parts: Vec<_> = blend.members(self.inputs.classes()).collect();
            let taken: f64 = self.seats.iter().zip(&parts).filter(|(seat, _)| on(seat)).map(|(_, part)| part.0).sum();
            let shape = self.inputs.shape();
            for (seat, (share, weight, loss)) in self.seats.iter().zip(parts) {
                let cost = || (share / taken, seat.member.bytes(), seat.member.operations(&shape));
                let (share, bytes, operations) = if on(seat) { cost() } else { (0.0, 0, 0) };
                let (name, loss, operations) = (seat.name.into(), loss.filter(|_| on(seat)), Some(operations));
                members.push(Member { name, share, weight, loss, bytes, operations });
            }
        }
        let mut sizes = Sizes::new(self.inputs.columns());
        for (i, seat) in self.seats.iter().enumerate().filter(|(_, seat)| on(seat)) {
            if let AnyMember::Softmax(softmax) = &seat.member {
                sizes.add(softmax.sizes(&self.inputs), members.get(i).map_or(1.0, |member| member.share));
            }
        }
        Explanation { members, columns: sizes.into_shares() }
    }

    /// The learner that the catalog calls `name`.
    pub(crate) fn build(name: &str, params: &Params<'_>) -> Result<Self, SpecError> {
        let (members, budget) = lineup::of(name, params)?;
        let prior = ("prior", AnyMember::Prior(Prior::default()));
        let seats: Vec<_> = std::iter::once(prior)
            .chain(members)
            .map(|(name, member)| Seat { name, state: State::Waiting, member })
            .collect();
        let blend = budget.map(|_| Blend::new(seats.len()));
        let operations = budget.map_or(f64::INFINITY, |budget| budget.operations);
        let (inputs, max_bytes) = (Inputs::new(Task::Classification), params.max_bytes()?);
        Ok(Self { max_bytes, operations, shape: inputs.shape(), inputs, seats, blend, room: Room::default() })
    }

    /// Bytes that the inputs may take.
    fn inputs_budget(&self) -> usize {
        self.max_bytes / 4
    }

    /// Whether another class can be told apart.
    fn admits(&self, class: usize) -> bool {
        class < self.inputs.classes() || (class + 1) * size_of::<f64>() <= self.max_bytes / 16
    }

    /// Members follow the inputs.
    fn fit(&mut self) {
        let shape = self.inputs.shape();
        if shape == self.shape {
            return;
        }
        self.shape = shape;
        let blend = self.blend.as_ref().map_or(0, |_| Blend::bytes_of(self.seats.len()));
        let mut room = self.max_bytes - self.inputs_budget();
        room = room.saturating_sub(size_of::<Self>() + self.seats.len() * size_of::<Seat>() + blend);
        let mut operations =
            self.operations - Inputs::operations(&shape) - Blend::operations(self.seats.len(), shape.classes);
        for seat in &mut self.seats {
            if seat.state == State::Waiting && seat.member.wanted(&shape) {
                seat.state = State::On;
            }
            if seat.state == State::On {
                let work = seat.member.operations(&shape) as f64;
                // The first is what is said for those that are out.
                let fits = work <= operations || matches!(seat.member, AnyMember::Prior(_));
                match fits.then(|| seat.member.fit(&shape, room)).flatten() {
                    Some(bytes) => (room, operations) = (room - bytes, operations - work),
                    None => seat.state = State::Out,
                }
            }
        }
    }

    /// Answers into `room.answer`; `room.x.known` says which labels are known.
    fn answer(&self, row: &Row<'_>, room: &mut Room) {
        self.inputs.encode(row, &mut room.x);
        let classes = self.inputs.classes();
        room.answer.clear();
        if classes == 0 {
            return;
        }
        room.said.clear();
        room.said.resize(self.seats.len() * classes, 1.0 / classes as f64);
        room.works.resize_with(self.seats.len(), Work::default);
        for ((seat, work), said) in self.seats.iter().zip(&mut room.works).zip(room.said.chunks_exact_mut(classes)) {
            if seat.state == State::On {
                seat.member.predict(&room.x, work, said);
            }
        }
        self.combine(classes, room);
    }

    /// Makes one answer of what was said.
    fn combine(&self, classes: usize, room: &mut Room) {
        room.answer.clear();
        room.answer.probabilities.resize(classes, 0.0);
        match &self.blend {
            Some(blend) => blend.combine(&room.said, classes, &mut room.blend, &mut room.answer.probabilities),
            None => {
                let seat = self.seats.iter().rposition(|seat| seat.state == State::On).unwrap_or(0);
                let said = &room.said[seat * classes..(seat + 1) * classes];
                room.answer.probabilities.copy_from_slice(said);
            }
        }
        // Weights that sum to 1 but for rounding may take a sure answer beyond it.
        room.answer.probabilities.iter_mut().for_each(|p| *p = p.min(1.0));
    }

    /// Learns a row that was just answered in `room`; `before` is how it was predicted, if that was earlier.
    fn learn_answered(
        &mut self,
        room: &mut Room,
        row: &Row<'_>,
        target: Target,
        weight: f64,
        before: Option<Before<'_>>,
    ) {
        let Target::Class(ClassId(class)) = target else { return };
        if !self.admits(class as usize) {
            return;
        }
        if class as usize >= self.inputs.classes() {
            self.inputs.admit(class);
            self.fit();
            if before.is_none() {
                self.inputs.known(row, &mut room.x.known);
            }
            self.answer(row, room);
        }
        let (classes, at, weight) = (self.inputs.classes(), class as usize, weight.clamp(LEAST_WEIGHT, MOST_WEIGHT));
        for ((seat, work), said) in self.seats.iter_mut().zip(&mut room.works).zip(room.said.chunks_exact(classes)) {
            if seat.state == State::On {
                seat.member.learn(&room.x, work, said, at, weight);
            }
        }
        if let Some(blend) = &mut self.blend {
            let mut learned = blend.learned();
            let before = before.filter(|before| before.said.len() == before.classes * self.seats.len());
            if let Some(Before { said, classes: known, learned: then }) = before {
                learned = then.unwrap_or(learned);
                // Classes that came since had no probability.
                room.said.fill(0.0);
                for (now, then) in room.said.chunks_exact_mut(classes).zip(said.chunks_exact(known.max(1))) {
                    now[..known].copy_from_slice(then);
                }
                blend.combine(&room.said, classes, &mut room.blend, &mut room.answer.probabilities);
            }
            blend.learn(&mut room.blend, classes, at, weight, learned);
        }
        let space = self.inputs_budget().saturating_sub(self.inputs.bytes());
        self.inputs.learn(row, &room.x.known, target, space);
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
    pub(crate) fn served(&mut self) -> Self {
        let seat = |seat: &mut Seat| Seat { member: seat.member.served(), ..*seat };
        Self {
            seats: self.seats.iter_mut().map(seat).collect(),
            blend: self.blend.as_ref().map(Blend::served),
            inputs: self.inputs.clone(),
            room: Room::default(),
            ..*self
        }
    }
}

impl Learner for Committee {
    fn grow(&mut self, kinds: &[Kind]) {
        let space = self.inputs_budget().saturating_sub(self.inputs.bytes());
        self.inputs.grow(kinds, space);
        let known = &kinds[..kinds.len().min(self.inputs.columns())];
        self.seats.iter_mut().filter(|seat| seat.state != State::Out).for_each(|seat| seat.member.grow(known));
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
        let room = &mut *scratch.committee;
        self.inputs.known(row, &mut room.x.known);
        self.answer(row, room);
        std::mem::swap(&mut room.answer, out);
    }

    fn remember(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction, memory: &mut Vec<f64>) {
        self.predict_into(row, scratch, out);
        let room = &scratch.committee;
        memory.extend([self.inputs.classes() as f64, room.x.known.inputs.len() as f64]);
        room.x.known.write(memory);
        if let Some(blend) = self.blend.as_ref().filter(|_| self.inputs.classes() > 0) {
            memory.extend_from_slice(&room.said);
            memory.push(blend.learned() as f64);
        }
    }

    fn learn_remembered(&mut self, row: &Row<'_>, memory: &[f64], target: Target, weight: f64) {
        let [classes, inputs, rest @ ..] = memory else { return self.learn(row, target, weight) };
        let (known, said) = rest.split_at(Known::length(*inputs as usize).min(rest.len()));
        let mut room = std::mem::take(&mut self.room);
        room.x.known.read(known);
        self.answer(row, &mut room);
        let classes = *classes as usize;
        let (said, learned) = said.split_at((classes * self.seats.len()).min(said.len()));
        let before = Before { said, classes, learned: learned.first().map(|learned| *learned as u64) };
        self.learn_answered(&mut room, row, target, weight, Some(before));
        self.room = room;
    }

    fn memory(&self) -> (usize, usize) {
        let (fixed, per_class) = Known::numbers();
        (fixed + 3, per_class + self.blend.as_ref().map_or(0, |_| self.seats.len()))
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
        let Scratch { threads, committee: room, committee_batch: batch, prediction, .. } = scratch;
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
        let seat = |seat: &Seat| if seat.state == State::On { seat.member.bytes() } else { 0 };
        size_of::<Self>()
            + self.inputs.bytes()
            + self.seats.len() * size_of::<Seat>()
            + self.seats.iter().map(seat).sum::<usize>()
            + self.blend.as_ref().map_or(0, Blend::bytes)
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("inputs", INPUTS_VERSION, &self.inputs));
        for Seat { name, state, member } in &self.seats {
            let member = (*state == State::On).then_some(member);
            out.push(Section::of(&format!("member/{name}"), MEMBER_VERSION, &(*state, member)));
        }
        if let Some(blend) = &self.blend {
            out.push(Section::of("blend", BLEND_VERSION, &(blend, blend.learned())));
        }
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let corrupt = |name: &str, message: &str| RestoreError::Corrupt { name: name.into(), message: message.into() };
        let inputs: Inputs = Section::read(sections, "inputs", INPUTS_VERSION)?;
        if !inputs.is_sound() || !inputs.is_for(Task::Classification) {
            return Err(corrupt("inputs", "its columns do not fit together"));
        }
        let shape = inputs.shape();
        let mut seats = self.seats.clone();
        for seat in &mut seats {
            let name = format!("member/{}", seat.name);
            let (state, member): (State, Option<AnyMember>) = Section::read(sections, &name, MEMBER_VERSION)?;
            if (state == State::On) != member.is_some() {
                return Err(corrupt(&name, "a member that takes part has a state"));
            }
            seat.state = state;
            if let Some(member) = member {
                if !member.is_like(&seat.member) || !member.is_sound(&shape) {
                    return Err(corrupt(&name, "it does not fit columns and classes"));
                }
                seat.member = member;
                seat.member.wake();
            }
        }
        if self.blend.is_some() {
            let (blend, learned): (Blend, u64) = match Section::read(sections, "blend", BLEND_VERSION) {
                Err(RestoreError::Version { got: FORMER_BLEND_VERSION, .. }) => {
                    (Section::read(sections, "blend", FORMER_BLEND_VERSION)?, 0)
                }
                read => read?,
            };
            let blend = blend.having_learned(learned);
            if !blend.is_sound(seats.len()) {
                return Err(corrupt("blend", "it does not fit the members"));
            }
            self.blend = Some(blend);
        }
        (self.inputs, self.shape, self.seats) = (inputs, shape, seats);
        Ok(())
    }
}
