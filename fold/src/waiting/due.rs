//! Which rows an event labels: those of its entity that its horizon has brought it to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use features::{EntityId, EventTime};

use crate::Horizon;

/// Rows by when they are due. Follows from the rows that wait, so it is not saved.
#[derive(Debug)]
pub(super) enum Due {
    /// Labels come on a topic.
    ByName,
    /// At the entity's first event at or after a time.
    Ms { later: i64, rows: BTreeSet<(EntityId, EventTime, u64)> },
    /// At the entity's event so many after the row's.
    Events { later: usize, rows: BTreeMap<EntityId, VecDeque<u64>> },
    /// So many events of whatever entity after the row's; the row has its label with it.
    Delay { later: usize, rows: VecDeque<u64> },
}

impl Due {
    pub(super) fn new(horizon: Horizon) -> Self {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        match horizon {
            Horizon::Now => Self::ByName,
            Horizon::Ms(ms) => Self::Ms { later: i64::try_from(ms).unwrap_or(i64::MAX), rows: BTreeSet::new() },
            Horizon::Events(n) => Self::Events { later: size(n), rows: BTreeMap::new() },
            Horizon::Delay(n) => Self::Delay { later: size(n), rows: VecDeque::new() },
        }
    }

    /// A row waits.
    pub(super) fn add(&mut self, number: u64, at: EventTime, entity: EntityId) {
        match self {
            Self::ByName => {}
            Self::Ms { later, rows } => {
                rows.insert((entity, EventTime(at.0.saturating_add(*later)), number));
            }
            Self::Events { rows, .. } => rows.entry(entity).or_default().push_back(number),
            Self::Delay { rows, .. } => rows.push_back(number),
        }
    }

    /// The oldest row of its entity waits no longer.
    pub(super) fn drop_oldest(&mut self, number: u64, at: EventTime, entity: EntityId) {
        match self {
            Self::ByName => {}
            Self::Ms { later, rows } => {
                rows.remove(&(entity, EventTime(at.0.saturating_add(*later)), number));
            }
            Self::Events { rows, .. } => {
                let queue = rows.get_mut(&entity).expect("a row that waits is in its entity's queue");
                debug_assert_eq!(queue.front(), Some(&number), "the oldest of all is the oldest of its entity");
                queue.pop_front();
                if queue.is_empty() {
                    rows.remove(&entity);
                }
            }
            Self::Delay { rows, .. } => {
                debug_assert_eq!(rows.front(), Some(&number), "the oldest of all");
                rows.pop_front();
            }
        }
    }

    /// The rows that an event brings due, before its own row waits; they wait no longer. `labels`: whether it has a
    /// value to label them with; without one, rows that are due at a time wait on.
    pub(super) fn pass(&mut self, at: EventTime, entity: EntityId, labels: bool, out: &mut Vec<u64>) {
        match self {
            Self::ByName => {}
            Self::Ms { rows, .. } if labels => {
                let due = (entity, EventTime(i64::MIN), 0)..=(entity, at, u64::MAX);
                let from = out.len();
                out.extend(rows.range(due.clone()).map(|(_, _, number)| *number));
                for _ in from..out.len() {
                    let first = *rows.range(due.clone()).next().expect("counted");
                    rows.remove(&first);
                }
            }
            Self::Ms { .. } => {}
            // Rows of one entity are consecutive events of it: the n-th after the oldest comes when n wait.
            Self::Events { later, rows } => {
                if let Some(queue) = rows.get_mut(&entity)
                    && queue.len() >= *later
                {
                    out.extend(queue.pop_front());
                }
            }
            Self::Delay { later, rows } => {
                if rows.len() > *later {
                    out.extend(rows.pop_front());
                }
            }
        }
    }
}
