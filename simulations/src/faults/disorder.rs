//! Late events and duplicates: a share of the events comes again, or only, after some of the following ones.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Delivery, Fault};
use crate::event::Event;
use crate::random::Random;

/// A share (0 to 1) of the events is delayed by 1 to `by` events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delays {
    pub(crate) share: f64,
    pub(crate) by: u32,
}

/// A stream out of order. Holds at most as many events as the two delays together say.
pub(crate) struct Disorder<I> {
    events: I,
    late: Option<Delays>,
    duplicates: Option<Delays>,
    random: Random,
    /// Events taken so far.
    taken: u64,
    /// What waits, by the number of events that must have been taken, and that of its own event.
    held: BTreeMap<(u64, u64, Fault), Event>,
    over: bool,
}

impl<I: Iterator<Item = Event>> Disorder<I> {
    pub(crate) fn new(events: I, late: Option<Delays>, duplicates: Option<Delays>, seed: u64) -> Self {
        let random = Random::new(seed ^ 0x5851_f42d_4c95_7f2d);
        Self { events, late, duplicates, random, taken: 0, held: BTreeMap::new(), over: false }
    }

    /// By how many events this one is delayed, if it is.
    fn delay(random: &mut Random, delays: Option<&Delays>) -> Option<u64> {
        let delays = delays?;
        random.chance(delays.share).then(|| 1 + random.below(delays.by as usize) as u64)
    }
}

impl<I: Iterator<Item = Event>> Iterator for Disorder<I> {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        loop {
            let due = self.held.first_key_value().is_some_and(|((due, ..), _)| self.over || *due <= self.taken);
            if due && let Some(((_, _, fault), event)) = self.held.pop_first() {
                return Some(Delivery { event, label: false, fault: Some(fault) });
            }
            if self.over {
                return None;
            }
            let Some(event) = self.events.next() else {
                self.over = true;
                continue;
            };
            self.taken += 1;
            if let Some(delay) = Self::delay(&mut self.random, self.duplicates.as_ref()) {
                self.held.insert((self.taken + delay, self.taken, Fault::Duplicate), event.clone());
            }
            match Self::delay(&mut self.random, self.late.as_ref()) {
                Some(delay) => self.held.insert((self.taken + delay, self.taken, Fault::Late), event),
                None => return Some(Delivery { event, label: false, fault: None }),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Line;

    #[test]
    fn a_share_is_late_another_comes_twice_and_none_is_lost() {
        let events = (0..20_000).map(|id| Line::new(id, id as i64).end(""));
        let late = Some(Delays { share: 0.02, by: 50 });
        let twice = Some(Delays { share: 0.01, by: 30 });
        let (mut seen, mut faults) = (vec![0_u32; 20_000], BTreeMap::new());
        let mut newest = 0;
        for d in Disorder::new(events, late, twice, 1) {
            seen[d.event.id as usize] += 1;
            *faults.entry(d.fault).or_insert(0) += 1;
            match d.fault {
                None => newest = d.event.id,
                Some(Fault::Late) => assert!(newest.saturating_sub(d.event.id) <= 50),
                // The duplicate of a late event may come before it.
                Some(_) => assert!(newest.saturating_sub(d.event.id) <= 30),
            }
        }
        let twice = seen.iter().filter(|n| **n == 2).count();
        assert_eq!(seen.iter().filter(|n| **n == 1).count() + twice, 20_000);
        assert_eq!(faults[&Some(Fault::Duplicate)], twice);
        assert!((160..240).contains(&twice), "{twice}");
        assert!((340..460).contains(&faults[&Some(Fault::Late)]), "{faults:?}");
    }
}
