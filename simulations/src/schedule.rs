//! Which parameters hold at which event.
//!
//! Gradual as in MOA's `ConceptDriftStream`, but the share of the new world grows in a straight line; incremental by
//! moving every parameter in a straight line from its old to its new value.

use crate::drift::{Drift, DriftKind};
use crate::random::Random;

/// A change of parameters.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The first event of it, and the first one after it: the same when it takes no time.
    pub(crate) at: u64,
    pub(crate) until: u64,
    pub(crate) kind: DriftKind,
    /// All parameters after it.
    pub(crate) values: Vec<f64>,
    /// What holds after it.
    pub(crate) name: String,
}

/// The changes of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// The parameters at first, and what they are called.
    pub(crate) start: Vec<f64>,
    pub(crate) name: String,
    /// In order; none overlaps the next.
    pub(crate) changes: Vec<Change>,
    /// After so many events the schedule begins again.
    pub(crate) round: Option<u64>,
}

impl Schedule {
    /// The schedule of `events` events, shrunk to `total` where that is less.
    pub(crate) fn shrunk(&self, events: u64, total: u64) -> Self {
        if total >= events {
            return self.clone();
        }
        let scale = |at: u64| (u128::from(at) * u128::from(total) / u128::from(events)) as u64;
        let mut changes: Vec<Change> = Vec::new();
        for change in &self.changes {
            let at = scale(change.at).max(1);
            let until = scale(change.until).max(at + u64::from(change.until > change.at));
            // Where hardly any event is left between two changes, the later one is what one sees.
            changes.retain(|earlier| earlier.at < at);
            if let Some(last) = changes.last_mut() {
                last.until = last.until.min(at);
            }
            changes.push(Change { at, until, ..change.clone() });
        }
        Self { changes, round: self.round.map(|_| total), ..self.clone() }
    }

    /// The parameters of event `id`.
    pub(crate) fn values(&self, id: u64, random: &mut Random, out: &mut Vec<f64>) {
        let id = self.round.map_or(id, |round| id % round);
        let passed = self.changes.partition_point(|change| change.at <= id);
        let before = |n: usize| n.checked_sub(1).map_or(&self.start, |last| &self.changes[last].values);
        out.clear();
        out.extend(before(passed));
        let Some(change) = passed.checked_sub(1).map(|last| &self.changes[last]).filter(|c| id < c.until) else {
            return;
        };
        let share = (id - change.at) as f64 / (change.until - change.at) as f64;
        let old = before(passed - 1);
        if change.kind == DriftKind::Incremental {
            out.iter_mut().zip(old).for_each(|(new, old)| *new = old + share * (*new - old));
        } else if !random.chance(share) {
            out.clone_from(old);
        }
    }

    /// The changes within `total` events.
    pub(crate) fn drifts(&self, total: u64) -> Vec<Drift> {
        let mut drifts = Vec::new();
        let mut begin = 0;
        while begin < total {
            let last = self.changes.last().map_or(&self.start, |change| &change.values);
            if begin > 0 && *last != self.start {
                let (kind, concept) = (DriftKind::Recurring, self.name.clone());
                drifts.push(Drift { at_event: begin, ends_at: None, kind, concept });
            }
            for change in &self.changes {
                let ends_at = (change.until > change.at).then_some(begin + change.until);
                let (at_event, concept) = (begin + change.at, change.name.clone());
                // The second time round there is nothing new.
                let again = begin > 0 && change.kind == DriftKind::Abrupt;
                let kind = if again { DriftKind::Recurring } else { change.kind };
                drifts.push(Drift { at_event, ends_at, kind, concept });
            }
            let Some(round) = self.round else { break };
            begin += round;
        }
        drifts.retain(|drift| drift.at_event < total);
        drifts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(round: Option<u64>) -> Schedule {
        let change = |at, until, kind, value| Change { at, until, kind, values: vec![value], name: format!("{value}") };
        let changes = vec![
            change(10, 20, DriftKind::Incremental, 1.0),
            change(20, 20, DriftKind::Abrupt, 5.0),
            change(100, 1_100, DriftKind::Gradual, 7.0),
        ];
        Schedule { start: vec![0.0], name: "start".into(), changes, round }
    }

    fn value(schedule: &Schedule, id: u64) -> f64 {
        let mut out = Vec::new();
        schedule.values(id, &mut Random::new(id), &mut out);
        out[0]
    }

    #[test]
    fn parameters_jump_move_or_mix() {
        let schedule = schedule(Some(2_000));
        let now: Vec<f64> =
            [0, 9, 10, 15, 19, 20, 99, 1_100, 1_999, 2_000, 2_015].map(|id| value(&schedule, id)).into();
        assert_eq!(now, [0.0, 0.0, 0.0, 0.5, 0.9, 5.0, 5.0, 7.0, 7.0, 0.0, 0.5]);
        for (from, share) in [(100, 0.1), (500, 0.5), (900, 0.9)] {
            let new = (from..from + 200).filter(|id| value(&schedule, *id) == 7.0).count() as f64 / 200.0;
            assert!((new - share).abs() < 0.12, "{new} from {from} on");
        }
    }

    #[test]
    fn the_truth_says_when() {
        let at = |round, total| -> Vec<_> {
            schedule(round).drifts(total).into_iter().map(|d| (d.at_event, d.ends_at, d.kind)).collect()
        };
        use DriftKind::*;
        let once = [(10, Some(20), Incremental), (20, None, Abrupt), (100, Some(1_100), Gradual)];
        assert_eq!(at(None, 5_000), once);
        let again = [(2_000, None, Recurring), (2_010, Some(2_020), Incremental), (2_020, None, Recurring)];
        assert_eq!(at(Some(2_000), 2_021)[3..], again);
        assert_eq!(at(None, 20), once[..1]);
    }

    #[test]
    fn a_short_stream_has_all_changes_in_the_same_order() {
        let short = schedule(Some(2_000)).shrunk(2_000, 200);
        let at: Vec<_> = short.changes.iter().map(|c| (c.at, c.until)).collect();
        assert_eq!(at, [(1, 2), (2, 2), (10, 110)]);
        assert_eq!(schedule(None).shrunk(2_000, 2_000).changes[2].until, 1_100);
        let shorter = schedule(None).shrunk(2_000, 20);
        let at: Vec<_> = shorter.changes.iter().map(|c| (c.at, c.until, c.kind)).collect();
        assert_eq!(at, [(1, 11, DriftKind::Gradual)]);
    }
}
