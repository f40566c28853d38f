//! Learners of one's own choice and one answer: `ensemble:members=linear+knn(window=500)+hoeffding_tree`.
//!
//! The rules are those of `auto`: for classes stacking of log-odds beside a Bayes mixture with fixed share, for numbers
//! four rules and Bernstein aggregation over them (see `combiners`). The labels' shares, or the mean and the last value,
//! always have a voice, so that noise is predicted no worse than by them. Each member gets an equal part of `max_bytes`
//! and a seed of its own. What is missing, the members handle as each of them does.
//!
//! Cost: the members', and M² operations an event for M of them.

mod batch;

use std::sync::Arc;

use features::{ClassId, Kind, Row, Rows, Target, Task};

use crate::combiners::{Blend, BlendWork, Council, CouncilWork};
use crate::explain::{Explanation, Member};
use crate::forecasts::LARGEST;
use crate::members::{LEAST_WEIGHT, MOST_WEIGHT};
use crate::{
    AnyLearner, Learner, LearnerSpec, Majority, Mean, NoChange, Outcome, Params, Prediction, RestoreError, Scratch,
    Section, SpecError, spec,
};

/// Layouts of the saved combiner: of classes, the same before labels learned were counted, and of numbers.
const COMBINER_VERSION: u16 = 2;
const FORMER_COMBINER_VERSION: u16 = 1;
const COUNCIL_VERSION: u16 = 1;
/// Members of the default.
const USUAL: &str = "linear+knn+hoeffding_tree";
const MOST_MEMBERS: usize = 32;
/// How far beyond the range of targets seen a member may go.
const BEYOND: f64 = 0.1;

/// The rule that makes one answer of many.
#[derive(Clone, Debug)]
enum Combiner {
    Blend(Box<Blend>),
    Council(Box<Council>),
}

/// Learners and their combiner.
#[derive(Clone, Debug)]
pub struct Ensemble {
    max_bytes: usize,
    /// First the baselines: the labels' shares, or the mean and the last value.
    learners: Vec<AnyLearner>,
    /// What each is called: its specification.
    names: Arc<[String]>,
    combiner: Combiner,
    classes: usize,
    room: Room,
}

/// Memory used again and again; no part of the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    scratches: Vec<Scratch>,
    part: Prediction,
    /// What the learners said: a row of probabilities each, or a number each.
    said: Vec<f64>,
    blend: BlendWork,
    council: CouncilWork,
    answer: Prediction,
    /// What is remembered where nobody asks for it.
    memory: Vec<f64>,
}

impl Ensemble {
    /// Reads `members`.
    pub(crate) fn build(params: &Params<'_>, task: Task) -> Result<Self, SpecError> {
        let specs = members(params)?;
        let (seed, max_bytes) = (params.seed()?, params.max_bytes()?);
        let (mut learners, baselines): (_, &[&str]) = match task {
            Task::Classification => (vec![AnyLearner::Majority(Majority::default())], &["majority"]),
            Task::Regression => {
                let both = vec![AnyLearner::Mean(Mean::default()), AnyLearner::NoChange(NoChange::default())];
                (both, &["mean", "no_change"])
            }
        };
        let names = baselines.iter().map(ToString::to_string).chain(specs.iter().map(ToString::to_string)).collect();
        let count = learners.len() + specs.len();
        let combiner = match task {
            Task::Classification => Combiner::Blend(Box::new(Blend::new(count))),
            Task::Regression => Combiner::Council(Box::new(Council::new(count))),
        };
        let fixed = size_of::<Self>() + count * AnyLearner::BYTES + combiner.bytes() + max_bytes / 16;
        let each = max_bytes.saturating_sub(fixed) / specs.len();
        for (i, spec) in specs.iter().enumerate() {
            learners.push(AnyLearner::build(spec, task, seed.wrapping_add(i as u64), each)?);
        }
        Ok(Self { max_bytes, learners, names, combiner, classes: 0, room: Room::default() })
    }

    /// What each member counts for.
    pub(crate) fn explain(&self) -> Explanation {
        let parts: Vec<_> = match &self.combiner {
            Combiner::Blend(blend) => blend.members(self.classes).collect(),
            Combiner::Council(council) => council.members().collect(),
        };
        let member = |((name, learner), (share, weight, loss)): ((&String, &AnyLearner), _)| {
            let (name, bytes) = (name.clone(), learner.bytes());
            Member { name, share, weight, loss, bytes, operations: None }
        };
        let members = self.names.iter().zip(&self.learners).zip(parts).map(member).collect();
        Explanation { members, columns: vec![] }
    }

    /// Whether another class can be told apart.
    fn admits(&self, class: usize) -> bool {
        class < self.classes || (class + 1) * size_of::<f64>() <= self.max_bytes / 16
    }

    /// Room for what all of them say, each with a memory of its own.
    fn begin(&self, room: &mut Room) {
        room.scratches.resize_with(self.learners.len(), Scratch::default);
        room.said.clear();
    }

    /// Notes what a learner said of `classes` classes.
    fn hear(&self, classes: usize, part: &Prediction, said: &mut Vec<f64>) {
        let from = said.len();
        match self.combiner {
            Combiner::Council(_) => said.push(part.value),
            Combiner::Blend(_) => {
                said.resize(from + classes, 0.0);
                hear(part, &mut said[from..]);
            }
        }
    }

    /// Makes one answer of what was said.
    fn combine(&self, classes: usize, room: &mut Room) {
        room.answer.clear();
        match &self.combiner {
            Combiner::Blend(blend) if classes > 0 => {
                room.answer.probabilities.resize(classes, 0.0);
                blend.combine(&room.said, classes, &mut room.blend, &mut room.answer.probabilities);
                // Weights that sum to 1 but for rounding may take a sure answer beyond it.
                room.answer.probabilities.iter_mut().for_each(|p| *p = p.min(1.0));
            }
            Combiner::Blend(_) => {}
            Combiner::Council(council) => {
                let last = council.within(room.said[1], BEYOND).unwrap_or(0.0);
                room.said.iter_mut().for_each(|said| *said = council.within(*said, BEYOND).unwrap_or(last));
                room.answer.value = council.combine(&room.said, &mut room.council);
            }
        }
    }

    /// The combiner learns what was just combined in `room`.
    fn weigh(&mut self, classes: usize, room: &mut Room, target: Target, weight: f64, learned: u64) {
        match (&mut self.combiner, target) {
            (Combiner::Blend(blend), Target::Class(ClassId(class))) => {
                let weight = weight.clamp(LEAST_WEIGHT, MOST_WEIGHT);
                blend.learn(&mut room.blend, classes, class as usize, weight, learned);
            }
            (Combiner::Council(council), Target::Value(y)) => {
                council.learn(&room.said, &mut room.council, y.clamp(-LARGEST, LARGEST));
            }
            _ => {}
        }
    }

    /// The classes that are told apart once this target is known; `None` if it is none of them.
    fn classes_with(&self, target: Target) -> Option<usize> {
        match target {
            Target::Class(ClassId(class)) => self.admits(class as usize).then(|| self.classes.max(class as usize + 1)),
            Target::Value(_) => Some(0),
        }
    }

    /// A copy that predicts the same and cannot learn.
    pub(crate) fn served(&mut self) -> Self {
        Self {
            learners: self.learners.iter_mut().map(AnyLearner::served).collect(),
            names: Arc::clone(&self.names),
            combiner: self.combiner.served(),
            room: Room::default(),
            ..*self
        }
    }
}

/// Notes what a learner said of each class.
fn hear(part: &Prediction, said: &mut [f64]) {
    let known = part.probabilities.len().min(said.len());
    said.fill(if known == 0 { 1.0 / said.len() as f64 } else { 0.0 });
    said[..known].copy_from_slice(&part.probabilities[..known]);
}

/// The members that are asked for.
fn members(params: &Params<'_>) -> Result<Vec<LearnerSpec>, SpecError> {
    let text = params.text("members", USUAL);
    let bad = || params.bad("members", format!("1 to {MOST_MEMBERS} learners like {USUAL}, none an ensemble"), text);
    let parts = spec::split(text, '+').ok_or_else(bad)?;
    let read = |part: &str| -> Result<LearnerSpec, SpecError> {
        let spec: LearnerSpec = match part.split_once('(') {
            Some((name, rest)) => format!("{name}:{}", rest.strip_suffix(')').ok_or_else(bad)?).parse()?,
            None if part.contains(':') => return Err(bad()),
            None => part.parse()?,
        };
        if spec.name == "ensemble" {
            return Err(bad());
        }
        match spec.params.get("max_bytes") {
            Some(bytes) => Err(params.bad("members", "without max_bytes, which the ensemble shares out".into(), bytes)),
            None => Ok(spec),
        }
    };
    if parts.len() > MOST_MEMBERS {
        return Err(bad());
    }
    parts.into_iter().map(read).collect()
}

impl Combiner {
    /// Labels learned, where that matters.
    fn learned(&self) -> u64 {
        match self {
            Self::Blend(blend) => blend.learned(),
            Self::Council(_) => 0,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Blend(blend) => size_of::<Blend>() + blend.bytes(),
            Self::Council(council) => size_of::<Council>() + council.bytes(),
        }
    }

    fn served(&mut self) -> Self {
        match self {
            Self::Blend(blend) => Self::Blend(Box::new(blend.served())),
            Self::Council(council) => Self::Council(Box::new(council.served())),
        }
    }
}

impl Learner for Ensemble {
    fn grow(&mut self, kinds: &[Kind]) {
        self.learners.iter_mut().for_each(|learner| learner.grow(kinds));
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        let mut room = std::mem::take(&mut self.room);
        let Some(classes) = self.classes_with(target) else { return self.room = room };
        self.begin(&mut room);
        for i in 0..self.learners.len() {
            let scratch = &mut room.scratches[i];
            self.learners[i].predict_then_learn(row, target, weight, scratch, &mut room.part);
            self.hear(classes, &room.part, &mut room.said);
        }
        self.classes = classes;
        self.combine(classes, &mut room);
        self.weigh(classes, &mut room, target, weight, self.combiner.learned());
        self.room = room;
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        let mut memory = std::mem::take(&mut scratch.ensemble.memory);
        memory.clear();
        self.remember(row, scratch, out, &mut memory);
        scratch.ensemble.memory = memory;
    }

    fn remember(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction, memory: &mut Vec<f64>) {
        let mut room = std::mem::take(&mut scratch.ensemble);
        self.begin(&mut room);
        memory.push(self.classes as f64);
        for (learner, scratch) in self.learners.iter().zip(&mut room.scratches) {
            let at = memory.len();
            memory.push(0.0);
            learner.remember(row, scratch, &mut room.part, memory);
            memory[at] = (memory.len() - at - 1) as f64;
            self.hear(self.classes, &room.part, &mut room.said);
        }
        self.combine(self.classes, &mut room);
        memory.extend_from_slice(&room.said);
        memory.push(self.combiner.learned() as f64);
        out.copy(&room.answer);
        scratch.ensemble = room;
    }

    fn learn_remembered(&mut self, row: &Row<'_>, memory: &[f64], target: Target, weight: f64) {
        let Some(classes) = self.classes_with(target) else { return };
        let [known, rest @ ..] = memory else { return self.learn(row, target, weight) };
        let mut rest = rest;
        for learner in &mut self.learners {
            let [length, more @ ..] = rest else { return };
            let (own, more) = more.split_at((*length as usize).min(more.len()));
            learner.learn_remembered(row, own, target, weight);
            rest = more;
        }
        let known = *known as usize;
        let each = if matches!(self.combiner, Combiner::Council(_)) { 1 } else { known };
        let (said, learned) = rest.split_at((self.learners.len() * each).min(rest.len()));
        // Fold version 3 did not keep it: such rows count as if not late.
        let learned = learned.first().map_or(self.combiner.learned(), |learned| *learned as u64);
        let mut room = std::mem::take(&mut self.room);
        room.said.clear();
        self.classes = classes;
        match &self.combiner {
            Combiner::Council(_) => room.said.extend_from_slice(said),
            // Classes that came since had no probability.
            Combiner::Blend(_) => said.chunks_exact(known.max(1)).for_each(|said| {
                let from = room.said.len();
                room.said.extend_from_slice(said);
                room.said.resize(from + classes, 0.0);
            }),
        }
        if room.said.len() == self.learners.len() * classes.max(1) {
            self.combine(classes, &mut room);
            self.weigh(classes, &mut room, target, weight, learned);
        }
        self.room = room;
    }

    fn memory(&self) -> (usize, usize) {
        let start = match self.combiner {
            Combiner::Blend(_) => (2 + self.learners.len(), self.learners.len()),
            Combiner::Council(_) => (2 + 2 * self.learners.len(), 0),
        };
        let both = |(fixed, class): (usize, usize), l: &AnyLearner| (fixed + l.memory().0, class + l.memory().1);
        self.learners.iter().fold(start, both)
    }

    fn predict_then_learn(
        &mut self,
        row: &Row<'_>,
        target: Target,
        weight: f64,
        scratch: &mut Scratch,
        out: &mut Prediction,
    ) {
        // A class that is new to the answer has a row in what is learned, but none in what is answered.
        if self.classes_with(target) != Some(self.classes) {
            self.predict_into(row, scratch, out);
            return self.learn(row, target, weight);
        }
        self.learn(row, target, weight);
        out.copy(&self.room.answer);
    }

    fn test_then_train(&mut self, rows: &Rows, scratch: &mut Scratch, outcomes: &mut Vec<Outcome>) {
        let (mut room, mut batch) = (std::mem::take(&mut self.room), std::mem::take(&mut scratch.numbers));
        let mut prediction = std::mem::take(&mut scratch.prediction);
        let mut at = 0;
        while at < rows.len() {
            let studied = self.study_some(rows, at, scratch.threads, (&mut room, &mut batch), outcomes);
            if studied == 0 {
                let (row, target) = rows.get(at);
                self.predict_then_learn(&row, target, 1.0, scratch, &mut prediction);
                outcomes.push(Outcome::of(&prediction, target));
            }
            at += studied.max(1);
        }
        (self.room, scratch.numbers, scratch.prediction) = (room, batch, prediction);
    }

    fn bytes(&self) -> usize {
        let learners: usize = self.learners.iter().map(|learner| size_of::<AnyLearner>() + learner.bytes()).sum();
        size_of::<Self>() + self.combiner.bytes() + learners
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(match &self.combiner {
            Combiner::Blend(blend) => {
                Section::of("combiner", COMBINER_VERSION, &(self.classes, blend, blend.learned()))
            }
            Combiner::Council(council) => Section::of("combiner", COUNCIL_VERSION, council),
        });
        for (i, learner) in self.learners.iter().enumerate() {
            Section::nest(&format!("{i}/"), learner, out);
        }
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let mut learners = self.learners.clone();
        for (i, learner) in learners.iter_mut().enumerate() {
            Section::unnest(&format!("{i}/"), learner, sections)?;
        }
        let (classes, combiner, is_sound) = match &self.combiner {
            Combiner::Blend(_) => {
                let read = Section::read(sections, "combiner", COMBINER_VERSION);
                let (classes, blend, learned): (usize, Box<Blend>, u64) = match read {
                    Err(RestoreError::Version { got: FORMER_COMBINER_VERSION, .. }) => {
                        let (classes, blend) = Section::read(sections, "combiner", FORMER_COMBINER_VERSION)?;
                        (classes, blend, 0)
                    }
                    read => read?,
                };
                let blend = Box::new(blend.having_learned(learned));
                let is_sound = blend.is_sound(learners.len());
                (classes, Combiner::Blend(blend), is_sound && (classes == 0 || self.admits(classes - 1)))
            }
            Combiner::Council(_) => {
                let council: Box<Council> = Section::read(sections, "combiner", COUNCIL_VERSION)?;
                let is_sound = council.is_sound(learners.len());
                (0, Combiner::Council(council), is_sound)
            }
        };
        if !is_sound {
            let message = "it does not fit the members".into();
            return Err(RestoreError::Corrupt { name: "combiner".into(), message });
        }
        (self.learners, self.combiner, self.classes) = (learners, combiner, classes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use features::{EntityId, EventTime};

    use super::*;
    use crate::inputs::mix;

    fn build(spec: &str, task: Task) -> Result<AnyLearner, SpecError> {
        AnyLearner::build(&spec.parse()?, task, 1, 64 << 20)
    }

    fn unit(i: u64) -> f64 {
        (mix(i) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean loss over the second half: share of errors, or absolute error.
    fn loss(spec: &str, task: Task, truth: fn(&[f64]) -> f64) -> f64 {
        let mut learner = build(spec, task).unwrap();
        learner.grow(&[Kind::Number; 2]);
        let (mut scratch, mut out, mut sum) = (Scratch::default(), Prediction::default(), 0.0);
        for i in 0..4_000 {
            let values = [unit(2 * i), unit(2 * i + 1)];
            let y = truth(&values);
            let row = Row { values: &values, at: EventTime(0), entity: EntityId(0) };
            let target = match task {
                Task::Classification => Target::Class(ClassId(y as u32)),
                Task::Regression => Target::Value(y),
            };
            learner.predict_then_learn(&row, target, 1.0, &mut scratch, &mut out);
            if i >= 2_000 {
                sum += match task {
                    Task::Classification => f64::from(u8::from(out.class() != Some(ClassId(y as u32)))),
                    Task::Regression => (out.value - y).abs(),
                } / 2_000.0;
            }
        }
        sum
    }

    #[test]
    fn it_is_about_as_good_as_the_best_member_wherever_that_is() {
        type World = (Task, fn(&[f64]) -> f64);
        let worlds: [World; 4] = [
            (Task::Classification, |x| f64::from(u8::from(x[0] + x[1] > 1.0))),
            (Task::Classification, |x| f64::from(u8::from((x[0] > 0.5) != (x[1] > 0.5)))),
            (Task::Regression, |x| 3.0 * x[0] - x[1]),
            (Task::Regression, |x| if x[0] > 0.3 { 5.0 } else { x[1] }),
        ];
        for (task, truth) in worlds {
            let [linear, near] = ["linear", "knn(window=500)"].map(|member| {
                (
                    loss(&format!("ensemble:members={member}"), task, truth),
                    loss(&member.replace('(', ":").replace(')', ""), task, truth),
                )
            });
            let both = loss("ensemble:members=linear+knn(window=500)", task, truth);
            let best = linear.1.min(near.1);
            assert!(both < 1.2 * best + 0.01, "{task:?}: {both}, alone {linear:?} {near:?}");
            assert!(best < 0.7 * linear.1.max(near.1), "{task:?}: {linear:?} {near:?}: the world tells them apart");
        }
    }

    #[test]
    fn members_are_read_with_their_parameters() {
        let spec = "ensemble:members=linear(rate=0.1,memory=500)+knn(window=500),seed=3";
        let parsed: LearnerSpec = spec.parse().unwrap();
        assert_eq!(parsed.to_string(), spec);
        assert_eq!(parsed.params["seed"], "3");
        assert!(build(spec, Task::Regression).is_ok());
        for (wrong, says) in [
            ("ensemble:members=linear(rate=0.1", "expected name:key=value"),
            ("ensemble:members=linear)+(knn", "expected name:key=value"),
            ("ensemble:members=linear+", "expected name:key=value"),
            ("ensemble:members=linear(rate=0.1)x", "1 to 32 learners"),
            ("ensemble:members=linear+ensemble", "none an ensemble"),
            ("ensemble:members=linear+knm", "did you mean \"knn\""),
            ("ensemble:members=linear(rate=0)", "linear: rate must be"),
            ("ensemble:members=knn(max_bytes=1MiB)", "shares out"),
            ("ensemble:members=linear+rls", "rls does not do classification"),
        ] {
            let error = build(wrong, Task::Classification).map(drop).unwrap_err().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
