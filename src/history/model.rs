//! One model's history.

use std::ops::Range;

use fold::Happening;
use serde::{Deserialize, Serialize};

use super::tiers::Tiers;

/// Happenings kept: the latest.
const HAPPENINGS: usize = 1_024;
/// Known changes of a simulated world kept: the latest.
const TRUTHS: usize = 256;

/// Something that happened, and when this process first saw it published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HappeningSeen {
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening,
    /// When it was seen, in milliseconds since the Unix epoch.
    pub seen_ms: i64,
}

/// A change of a simulated world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Truth {
    /// Events of the world before it.
    pub at_event: u64,
    /// When it was sent, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// `abrupt`, `gradual`, ….
    pub kind: String,
}

/// What was seen of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ModelHistory {
    pub tiers: Tiers,
    pub happenings: Vec<HappeningSeen>,
    pub truth: Vec<Truth>,
}

impl ModelHistory {
    /// Adds those of the latest happenings (the oldest first) that are newer than all kept; gives their places.
    pub fn see(&mut self, latest: &[Happening], now_ms: i64) -> Range<usize> {
        if self.is_of_another_life(latest) {
            self.happenings.clear();
        }
        let seen = self.happenings.last().map_or(0, |last| last.happening.number);
        let new = latest.partition_point(|happening| happening.number <= seen);
        let too_many = (self.happenings.len() + latest.len() - new).saturating_sub(HAPPENINGS);
        self.happenings.drain(..too_many.min(self.happenings.len()));
        let before = self.happenings.len();
        let seen = |happening: &Happening| HappeningSeen { happening: happening.clone(), seen_ms: now_ms };
        self.happenings.extend(latest[new..].iter().map(seen));
        before..self.happenings.len()
    }

    /// Whether the model has begun anew since: it says something else under a number that is known.
    fn is_of_another_life(&self, latest: &[Happening]) -> bool {
        let Some(last) = latest.last() else { return false };
        let known = self.happenings.binary_search_by_key(&last.number, |seen| seen.happening.number);
        known.is_ok_and(|i| self.happenings[i].happening.version != last.version)
    }

    pub fn add_truth(&mut self, truth: Truth) {
        if self.truth.len() == TRUTHS {
            self.truth.remove(0);
        }
        self.truth.push(truth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fold::What;

    fn happening(number: u64, version: u64) -> Happening {
        let at = features::EventTime(5);
        Happening { number, version, events: version, at, what: What::Warning { learner: "a".into() } }
    }

    fn numbers(history: &ModelHistory) -> Vec<(u64, i64)> {
        history.happenings.iter().map(|seen| (seen.happening.number, seen.seen_ms)).collect()
    }

    #[test]
    fn each_is_seen_once() {
        let mut history = ModelHistory::default();
        assert_eq!(history.see(&[happening(1, 10)], 100), 0..1);
        assert_eq!(history.see(&[happening(1, 10)], 200), 1..1);
        assert_eq!(history.see(&[happening(1, 10), happening(2, 20), happening(3, 30)], 300), 1..3);
        assert_eq!(history.see(&[happening(1, 10), happening(2, 20)], 400), 3..3, "an older snapshot, while replaying");
        assert_eq!(history.see(&[], 400), 3..3);
        assert_eq!(numbers(&history), [(1, 100), (2, 300), (3, 300)]);
    }

    #[test]
    fn a_model_that_began_anew_is_seen_anew() {
        let mut history = ModelHistory::default();
        history.see(&[happening(1, 10), happening(2, 20)], 100);
        assert_eq!(history.see(&[happening(1, 12)], 200), 0..1);
        assert_eq!(numbers(&history), [(1, 200)]);
    }

    #[test]
    fn only_the_latest_are_kept() {
        let mut history = ModelHistory::default();
        let all: Vec<_> = (1..=3_000).map(|n| happening(n, n)).collect();
        for latest in all.chunks(256) {
            history.see(latest, 1);
        }
        assert_eq!(history.happenings.len(), HAPPENINGS);
        assert_eq!(numbers(&history).last(), Some(&(3_000, 1)));
        assert_eq!(history.see(&all, 2), HAPPENINGS..HAPPENINGS);
    }

    #[test]
    fn they_read_back_as_they_were_written() {
        let seen = HappeningSeen { happening: happening(1, 10), seen_ms: 7 };
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(
            text,
            r#"{"number":1,"version":10,"events":10,"at":5,"what":{"warning":{"learner":"a"}},"seen_ms":7}"#
        );
        assert_eq!(serde_json::from_str::<HappeningSeen>(&text).unwrap(), seen);
        let followed = HappeningSeen { happening: Happening { what: What::Followed, ..seen.happening }, seen_ms: 7 };
        let text = serde_json::to_string(&followed).unwrap();
        assert!(text.contains(r#""what":"followed""#), "{text}");
        assert_eq!(serde_json::from_str::<HappeningSeen>(&text).unwrap(), followed);
    }
}
