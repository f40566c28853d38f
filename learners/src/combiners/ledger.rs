//! What each member's own answers have cost lately: fading log loss, for people; nothing is decided by it.

use serde::{Deserialize, Serialize};

use crate::maths;

/// What an event counts of the next.
const KEEP: f64 = 0.999;

/// Fading sums.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ledger {
    events: f64,
    losses: Vec<f64>,
}

impl Ledger {
    pub(crate) fn new(members: usize) -> Self {
        Self { events: 0.0, losses: vec![0.0; members] }
    }

    /// Notes what the members (a row of positive probabilities each) had said of the label.
    pub(crate) fn note(&mut self, said: &[f64], classes: usize, class: usize) {
        self.events = KEEP * self.events + 1.0;
        for (loss, said) in self.losses.iter_mut().zip(said.chunks_exact(classes)) {
            *loss = KEEP * *loss - maths::ln(said[class]);
        }
    }

    /// Each member's mean loss; `None` before the first label.
    pub(crate) fn losses(&self) -> impl Iterator<Item = Option<f64>> {
        self.losses.iter().map(|loss| (self.events > 0.0).then(|| loss / self.events))
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.losses)
    }

    pub(crate) fn is_sound(&self, members: usize) -> bool {
        self.losses.len() == members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_means_that_fade() {
        let mut ledger = Ledger::new(2);
        assert_eq!(ledger.losses().collect::<Vec<_>>(), [None, None]);
        (0..3_000).for_each(|_| ledger.note(&[0.9, 0.1, 0.5, 0.5], 2, 0));
        (0..9_000).for_each(|_| ledger.note(&[0.9, 0.1, 0.5, 0.5], 2, 1));
        let losses: Vec<_> = ledger.losses().flatten().collect();
        assert!((losses[0] + libm::log(0.1)).abs() < 1e-3 && (losses[1] + libm::log(0.5)).abs() < 1e-9, "{losses:?}");
    }
}
