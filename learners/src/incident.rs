//! An incident: one change for the worse, from its alarm to its end.

use serde::{Deserialize, Serialize};

/// One change of a learner's loss for the worse. Counts of losses begin with the learner's first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// 1 for the learner's first incident.
    pub number: u64,
    /// Losses observed when it was raised.
    pub at: u64,
    /// Losses observed before the change, as far as the detector can tell; at most `at`.
    pub onset: u64,
    /// Mean loss before the change, 0..=1: the error rate, or the mean of `l / (l + m)` (m: the median of the first
    /// errors).
    pub before: f64,
    /// The same after it.
    pub after: f64,
    /// How often the loss rose further while the incident was open.
    pub escalations: u32,
    /// Losses observed when it ended, and how; `None` while it is open.
    pub end: Option<(u64, IncidentEnd)>,
}

/// How an incident ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentEnd {
    /// The loss fell back.
    Over,
    /// The loss stayed where it was for so long that it counts as normal now.
    Rebaselined,
    /// The learner was deployed.
    Deployed,
}

/// A change as a detector sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Losses since the change.
    pub newer: u64,
    /// Mean loss before it.
    pub before: f64,
    /// Mean loss since.
    pub after: f64,
}

/// What a loss changed in the life of an incident.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// An incident begins.
    Raised(Change),
    /// It gets worse.
    Escalated(Change),
    /// It is over.
    Over,
    /// It ends with the loss at a new level.
    Rebaselined(f64),
}

/// The incidents of a learner: how many, and the latest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Incidents {
    pub(crate) count: u64,
    pub(crate) latest: Option<Incident>,
}

impl Incidents {
    pub(crate) fn is_open(&self) -> bool {
        self.latest.as_ref().is_some_and(|incident| incident.end.is_none())
    }

    /// Takes in a turn after `at` losses.
    pub(crate) fn turn(&mut self, turn: Turn, at: u64) {
        match turn {
            Turn::Raised(Change { newer, before, after }) => {
                self.count += 1;
                let (number, onset) = (self.count, at.saturating_sub(newer));
                self.latest = Some(Incident { number, at, onset, before, after, escalations: 0, end: None });
            }
            Turn::Escalated(change) => {
                if let Some(incident) = &mut self.latest {
                    incident.escalations += 1;
                    incident.after = change.after;
                }
            }
            Turn::Over => self.end(at, IncidentEnd::Over),
            Turn::Rebaselined(level) => {
                if let Some(incident) = &mut self.latest {
                    incident.after = level;
                }
                self.end(at, IncidentEnd::Rebaselined);
            }
        }
    }

    /// Ends the open incident, if there is one.
    pub(crate) fn end(&mut self, at: u64, end: IncidentEnd) {
        if let Some(incident) = self.latest.as_mut().filter(|incident| incident.end.is_none()) {
            incident.end = Some((at, end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_goes_from_its_alarm_over_escalations_to_its_end() {
        let mut incidents = Incidents::default();
        let change = |after| Change { newer: 40, before: 0.1, after };
        incidents.turn(Turn::Raised(change(0.2)), 1_000);
        incidents.turn(Turn::Escalated(change(0.4)), 2_000);
        assert!(incidents.is_open());
        incidents.turn(Turn::Rebaselined(0.3), 6_000);
        incidents.end(7_000, IncidentEnd::Deployed);
        let end = Some((6_000, IncidentEnd::Rebaselined));
        let first = Incident { number: 1, at: 1_000, onset: 960, before: 0.1, after: 0.3, escalations: 1, end };
        assert_eq!((incidents.latest.as_ref(), incidents.is_open()), (Some(&first), false));
        incidents.turn(Turn::Raised(change(0.2)), 8_000);
        incidents.turn(Turn::Over, 9_000);
        let second = incidents.latest.expect("there was one");
        assert_eq!((incidents.count, second.number, second.end), (2, 2, Some((9_000, IncidentEnd::Over))));
    }
}
