//! What a model had said about a row, held against its label.

use features::{ClassId, Target};

use crate::Prediction;

/// Classes, the first ones, whose probabilities are ranked.
pub const RANKED: usize = 8;
/// Ranks that there are.
pub(crate) const RANKS: usize = 256;

/// A prediction made before its label was seen, reduced to what scoring needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Classification.
    Class {
        /// The predicted class, if any was known.
        predicted: Option<ClassId>,
        /// Its probability.
        confidence: f64,
        /// The probability given to the true class.
        p_true: f64,
        /// Squared distance of the probabilities from the truth, 0..=2.
        brier: f64,
        /// Where the probability of each of the first classes lies among all there could be, 0..=255.
        ranks: [u8; RANKED],
    },
    /// Regression: the predicted number.
    Value(f64),
}

impl Outcome {
    /// Holds `prediction` against `target`.
    pub fn of(prediction: &Prediction, target: Target) -> Self {
        match target {
            Target::Value(_) => Self::Value(prediction.value),
            Target::Class(truth) => {
                let probabilities = &*prediction.probabilities;
                let p = |class: ClassId| probabilities.get(class.0 as usize).copied().unwrap_or(0.0);
                let predicted = prediction.class();
                let p_true = p(truth);
                let squares: f64 = probabilities.iter().map(|p| p * p).sum();
                let mut ranks = [0; RANKED];
                ranks.iter_mut().zip(probabilities).for_each(|(place, p)| *place = rank(*p));
                let brier = squares - 2.0 * p_true + 1.0;
                Self::Class { predicted, confidence: predicted.map_or(0.0, p), p_true, brier, ranks }
            }
        }
    }
}

/// The rank of a probability, finest near 0 and 1: √p cut into equal parts below 1/2, mirrored above.
fn rank(p: f64) -> u8 {
    const PARTS: f64 = 128.0 * std::f64::consts::SQRT_2;
    let part = |p: f64| ((p.sqrt() * PARTS) as u8).min(127);
    if p <= 0.5 { part(p) } else { u8::MAX - part(1.0 - p) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_ascend_and_are_finest_at_the_ends() {
        let ranks: Vec<u8> = (0..=100_000).map(|i| rank(f64::from(i) / 1e5)).collect();
        assert!(ranks.is_sorted());
        assert_eq!((ranks[0], ranks[100_000]), (0, 255));
        let mut seen = ranks.clone();
        seen.dedup();
        assert_eq!(seen.len(), RANKS);
        assert!(ranks[100] >= 5 && ranks[99_900] <= 250, "a thousandth is told from nothing");
        assert_eq!((rank(-1e-17), rank(1.0 + 1e-15), rank(f64::NAN)), (0, 255, 255));
    }

    #[test]
    fn an_outcome_is_what_was_said_of_the_truth() {
        let prediction = Prediction { probabilities: vec![0.1, 0.7, 0.2], value: 0.0 };
        let Outcome::Class { predicted, confidence, p_true, brier, ranks } =
            Outcome::of(&prediction, Target::Class(ClassId(2)))
        else {
            panic!("a class was the target");
        };
        assert_eq!((predicted, confidence, p_true), (Some(ClassId(1)), 0.7, 0.2));
        assert!((brier - (0.01 + 0.49 + 0.64)).abs() < 1e-15);
        assert!(ranks[0] < ranks[2] && ranks[2] < ranks[1] && ranks[3..] == [0; 5], "{ranks:?}");
        let unknown = Outcome::of(&prediction, Target::Class(ClassId(7)));
        assert!(matches!(unknown, Outcome::Class { p_true: 0.0, brier, .. } if (brier - 1.54).abs() < 1e-15));
    }
}
