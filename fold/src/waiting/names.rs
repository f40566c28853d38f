//! Labels of a topic find their events by name: those that wait, those that are past, and labels that came too early.

use std::collections::BTreeMap;

use features::{EventTime, Target};
use learners::{RestoreError, Section};
use serde::{Deserialize, Serialize};

use super::Id;
use super::blocks::Blocks;
use crate::Sections;

/// An event that waits no longer.
#[derive(Debug, Serialize, Deserialize)]
struct Past {
    id: Id,
    /// Its label; `None`: it expired.
    said: Option<Target>,
    since: EventTime,
}

/// A label whose event has not passed.
#[derive(Debug, Serialize, Deserialize)]
struct Early {
    id: Id,
    target: Target,
    since: EventTime,
}

/// What is known of a name.
pub(super) enum Known {
    /// Nothing.
    No,
    /// Its row waits.
    Waiting(u64),
    /// Its row has left: with this label, or expired.
    Past(Option<Target>),
    /// Its label waits.
    Early(Target),
}

/// The names. What waits is indexed by the rows themselves, the rest is saved.
#[derive(Debug)]
pub(super) struct Names {
    waiting: BTreeMap<Id, u64>,
    past: BTreeMap<Id, u64>,
    early: BTreeMap<Id, u64>,
    pasts: Blocks<Vec<Past>>,
    earlies: Blocks<Vec<Early>>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            past: BTreeMap::new(),
            early: BTreeMap::new(),
            pasts: Blocks::new("waiting/past"),
            earlies: Blocks::new("waiting/early"),
        }
    }

    pub(super) fn known(&self, id: Id) -> Known {
        if let Some(number) = self.waiting.get(&id) {
            return Known::Waiting(*number);
        }
        if let Some((pasts, i)) = self.past.get(&id).and_then(|number| self.pasts.get(*number)) {
            return Known::Past(pasts[i].said);
        }
        if let Some((earlies, i)) = self.early.get(&id).and_then(|number| self.earlies.get(*number)) {
            return Known::Early(earlies[i].target);
        }
        Known::No
    }

    /// A row waits for its label.
    pub(super) fn add(&mut self, id: Id, number: u64) {
        self.waiting.insert(id, number);
    }

    /// A row waits no longer.
    pub(super) fn leave(&mut self, id: Id, said: Option<Target>, since: EventTime) {
        self.waiting.remove(&id);
        let number = self.pasts.push(|pasts| pasts.push(Past { id, said, since }));
        self.past.insert(id, number);
    }

    /// A label waits for its event.
    pub(super) fn early(&mut self, id: Id, target: Target, since: EventTime) {
        let number = self.earlies.push(|earlies| earlies.push(Early { id, target, since }));
        self.early.insert(id, number);
    }

    /// The label that waited for this event, which waits no longer.
    pub(super) fn take_early(&mut self, id: Id) -> Option<Target> {
        let number = self.early.remove(&id)?;
        let target = self.earlies.get(number).map(|(earlies, i)| earlies[i].target);
        self.earlies.remove(number, false);
        target
    }

    /// Labels that wait for their events.
    pub(super) fn waiting_labels(&self) -> u64 {
        self.earlies.len()
    }

    /// Forgets past names beyond the `most` latest and from before `oldest`, and labels without an event likewise: how
    /// many of these. Those that came before any event count from the first one, at `begin`.
    pub(super) fn forget(&mut self, most: u64, oldest: EventTime, begin: EventTime) -> u64 {
        while let Some(first) = self.pasts.first() {
            let (pasts, i) = self.pasts.get(first).expect("the first is there");
            if self.pasts.len() <= most && pasts[i].since >= oldest {
                break;
            }
            self.past.remove(&pasts[i].id);
            self.pasts.remove(first, false);
        }
        let before = self.earlies.len();
        while let Some(first) = self.earlies.first() {
            let (earlies, i) = self.earlies.get(first).expect("the first is there");
            if self.earlies.len() <= most && earlies[i].since.max(begin) >= oldest {
                break;
            }
            self.early.remove(&earlies[i].id);
            self.earlies.remove(first, false);
        }
        before - self.earlies.len()
    }

    pub(super) fn save(&self, out: &mut Sections) {
        self.pasts.save(out);
        self.earlies.save(out);
    }

    pub(super) fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        self.pasts.restore(sections)?;
        self.earlies.restore(sections)?;
        self.waiting.clear();
        self.past = self.pasts.iter().map(|(number, pasts, i)| (pasts[i].id, number)).collect();
        self.early = self.earlies.iter().map(|(number, earlies, i)| (earlies[i].id, number)).collect();
        Ok(())
    }
}
