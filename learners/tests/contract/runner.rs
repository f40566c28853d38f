//! Takes a learner through a stream and keeps what it said.

use features::{Kind, Row, Target};
use learners::{AnyLearner, Learner, Outcome, Prediction, Scratch, Section};

use crate::cases::Case;
use crate::streams::{Event, probes};

/// A learner on its way through a stream.
pub struct Runner {
    pub learner: AnyLearner,
    pub kinds: Vec<Kind>,
    pub outcomes: Vec<Outcome>,
    /// Hash of the bits of all predictions.
    said: blake3::Hasher,
    scratch: Scratch,
    prediction: Prediction,
}

impl Runner {
    pub fn new(case: &Case) -> Self {
        Self {
            learner: case.build(),
            kinds: vec![],
            outcomes: vec![],
            said: blake3::Hasher::new(),
            scratch: Scratch::default(),
            prediction: Prediction::default(),
        }
    }

    /// Through all events, one by one.
    pub fn through(case: &Case, events: &[Event]) -> Self {
        let mut runner = Self::new(case);
        events.iter().for_each(|event| runner.step(event));
        runner
    }

    pub fn grow(&mut self, event: &Event) {
        if let Some(kinds) = &event.grow {
            self.kinds.clone_from(kinds);
            self.learner.grow(kinds);
        }
    }

    /// Predicts, notes, learns.
    pub fn step(&mut self, event: &Event) {
        self.grow(event);
        let row = row(event);
        self.learner.predict_into(&row, &mut self.scratch, &mut self.prediction);
        self.said.update(&bits(&self.prediction));
        self.outcomes.push(Outcome::of(&self.prediction, event.target));
        self.learner.learn(&row, event.target, event.weight);
    }

    /// What it says about rows whatever they hold.
    pub fn answers(&self) -> Vec<Vec<u8>> {
        let (mut scratch, mut prediction) = (Scratch::default(), Prediction::default());
        let mut ask = |values: Vec<f64>| {
            self.learner.predict_into(&bare(&values), &mut scratch, &mut prediction);
            bits(&prediction)
        };
        probes(&self.kinds).into_iter().map(&mut ask).collect()
    }

    /// Everything saved and everything said.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = self.said.clone();
        for section in saved(&self.learner) {
            hasher.update(section.name.as_bytes());
            hasher.update(&section.version.to_le_bytes());
            hasher.update(&(section.bytes.len() as u64).to_le_bytes());
            hasher.update(&section.bytes);
        }
        hasher.finalize()
    }
}

pub fn row(event: &Event) -> Row<'_> {
    Row { values: &event.values, at: event.at, entity: event.entity }
}

/// A row of nobody.
pub fn bare(values: &[f64]) -> Row<'_> {
    Row { values, at: features::EventTime(0), entity: features::EntityId(0) }
}

pub fn saved(learner: &AnyLearner) -> Vec<Section> {
    let mut sections = vec![];
    learner.save(&mut sections);
    sections
}

pub fn bits(prediction: &Prediction) -> Vec<u8> {
    let numbers = prediction.probabilities.iter().chain([&prediction.value]);
    numbers.flat_map(|x| x.to_bits().to_le_bytes()).collect()
}

/// What any prediction must be, after `classes` classes were learned.
pub fn assert_possible(prediction: &Prediction, target: Target, classes: usize) {
    let Prediction { probabilities, value } = prediction;
    assert!(value.is_finite(), "the value is {value}");
    match target {
        Target::Value(_) => assert!(probabilities.is_empty(), "regression with probabilities"),
        Target::Class(_) => {
            assert!(probabilities.len() <= classes, "{} probabilities of {classes} classes", probabilities.len());
            assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "not probabilities: {probabilities:?}");
            let sum: f64 = probabilities.iter().sum();
            assert!(probabilities.is_empty() || (sum - 1.0).abs() <= 1e-9, "the probabilities sum to {sum}");
        }
    }
}
