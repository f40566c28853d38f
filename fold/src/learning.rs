//! The half of the fold that learns: every learner predicts each row, is scored, and learns from it, in the order of rows; what is to be done
//! about decay is done between two rows. Learner by learner first, since none sees another; then row by row.

use std::sync::Arc;

use features::{EventTime, Kind, Schema, Target, Task};
use learners::{Evidence, Learner, Prediction, Scratch};

use crate::chunk::{Segment, Step};
use crate::happening::{Happenings, Moment};
use crate::living::{Act, LIFE, Living, is_fresh, strongest};
use crate::slot::{Slot, challenge, is_baseline};
use crate::told::{Answer, Scored, Told};
use crate::waiting::Waiting;
use crate::{Chunk, FoldConfig, GenesisError, Live, OnDrift, Role, Standing, Tell, What};

/// The learners, and what was done about decay.
#[derive(Debug)]
pub struct Learning {
    pub(crate) config: Arc<FoldConfig>,
    /// In the order they were born; one is the champion.
    pub(crate) slots: Vec<Slot>,
    pub(crate) born: u32,
    /// The columns' kinds as the learners know them.
    pub(crate) kinds: Vec<Kind>,
    pub(crate) living: Living,
    pub(crate) live: Live,
    pub(crate) happenings: Happenings,
    /// Its configuration is no longer that of genesis.
    pub(crate) reconfigured: bool,
    /// What is told of every batch; not part of the state.
    pub(crate) tell: Tell,
    /// Memory used again and again; not part of the state.
    pub(crate) scratch: Scratch,
    found: Vec<(usize, Evidence)>,
}

impl Learning {
    /// How many numbers the learners keep with a row that waits: so many, and so many more a class. The first counts
    /// twice: one like it may begin anew.
    pub(crate) fn memory(&self) -> (usize, usize) {
        let twice = self.slots.first().into_iter().chain(&self.slots);
        twice.map(|slot| slot.learner.memory()).fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    }

    /// The configured learners before their first row.
    pub(crate) fn new(config: &Arc<FoldConfig>, kinds: Vec<Kind>) -> Result<Self, GenesisError> {
        let mut slots: Vec<Slot> = Vec::new();
        for (i, spec) in std::iter::once(&config.learner).chain(&config.challengers).enumerate() {
            if slots.iter().any(|slot| slot.spec == *spec) {
                return Err(GenesisError::Twice(spec.clone()));
            }
            let role = match i {
                0 => Role::Champion,
                _ if is_baseline(spec) => Role::Baseline,
                _ => Role::Challenger,
            };
            let mut slot = Slot::new(config, i as u32, spec, role)?;
            slot.learner.grow(&kinds);
            slots.push(slot);
        }
        Ok(Self {
            born: slots.len() as u32,
            slots,
            kinds,
            living: Living::default(),
            live: Live::Follow,
            happenings: Happenings::default(),
            reconfigured: false,
            tell: Tell::default(),
            scratch: Scratch::default(),
            found: Vec::new(),
            config: Arc::clone(config),
        })
    }

    /// As [`crate::Fold::train`], where no label comes later.
    pub fn train(&mut self, chunk: &mut Chunk) {
        self.train_beside(chunk, &mut None);
    }

    pub(crate) fn train_beside(&mut self, chunk: &mut Chunk, waiting: &mut Option<Waiting>) {
        let mut said = std::mem::take(&mut chunk.outcomes);
        let mut told = std::mem::take(&mut chunk.told);
        for slot in &mut self.slots {
            slot.begin_chunk(0);
            slot.study(chunk.segments(), (0, 0), &mut self.scratch);
            if let Some(waiting) = waiting.as_mut() {
                slot.follow(&chunk.steps, waiting, &mut self.scratch);
            }
        }
        let mut champion = self.champion();
        let mut name = self.name_to_tell(champion);
        let mut place = 0;
        for (s, Segment { grown, rows }) in chunk.segments().iter().enumerate() {
            if let Some(kinds) = grown {
                self.kinds.clone_from(kinds);
            }
            for (i, (row, target)) in rows.iter().enumerate() {
                said.push(self.slots[champion].outcome(place));
                if let Some(asked) = chunk.asked.get(place) {
                    let answer = self.slots[champion].outcome(place).map(Answer::from);
                    told.said.push(asked.said(chunk.began.0, &name, answer));
                }
                let moment = chunk.moment(place, row.at);
                place += 1;
                if self.judge(champion, place - 1, target, moment) {
                    if let Some(fresh) = self.just_born(moment) {
                        let mut fresh = self.slots.swap_remove(fresh);
                        fresh.begin_chunk(place);
                        fresh.study(chunk.segments(), (s, i + 1), &mut self.scratch);
                        self.slots.push(fresh);
                    }
                    champion = self.champion();
                    name = self.name_to_tell(champion);
                }
                self.tell_scores(moment, chunk.schema(), &mut told);
            }
        }
        let (mut asked, mut prediction) = (chunk.asked.iter(), Prediction::default());
        for (i, step) in chunk.steps.iter().enumerate() {
            match step {
                Step::Grow(kinds) => self.kinds.clone_from(kinds),
                Step::Predict(number) => {
                    if let Some(asked) = asked.next() {
                        let row = waiting
                            .as_ref()
                            .filter(|waiting| waiting.prediction(*number, self.slots[champion].id, &mut prediction));
                        let is_class = self.config.event.task == Task::Classification;
                        let answer = row.map(|_| Answer::of(&prediction, is_class));
                        told.said.push(asked.said(chunk.began.0, &name, answer));
                    }
                }
                Step::Learn(ready) => {
                    said.push(self.slots[champion].outcome(place));
                    let at = waiting.as_ref().and_then(|waiting| waiting.row(ready.row));
                    let moment = chunk.moment(place, at.map_or(EventTime(i64::MIN), |row| row.at));
                    place += 1;
                    if self.judge(champion, place - 1, ready.target, moment) {
                        if let (Some(fresh), Some(waiting)) = (self.just_born(moment), waiting.as_mut()) {
                            let mut fresh = self.slots.swap_remove(fresh);
                            fresh.begin_chunk(place);
                            fresh.follow(&chunk.steps[i + 1..], waiting, &mut self.scratch);
                            self.slots.push(fresh);
                        }
                        champion = self.champion();
                        name = self.name_to_tell(champion);
                    }
                    self.tell_scores(moment, chunk.schema(), &mut told);
                }
            }
        }
        if let Some(waiting) = waiting.as_mut() {
            waiting.release(chunk.steps.iter().filter_map(|step| match step {
                Step::Learn(ready) => Some(ready.row),
                _ => None,
            }));
        }
        chunk.outcomes = said;
        chunk.told = told;
    }

    /// The champion's name, if what it says is told.
    fn name_to_tell(&self, champion: usize) -> Arc<str> {
        if self.tell.predictions { self.slots[champion].name().into() } else { Arc::default() }
    }

    fn tell_scores(&self, Moment { version, events, at }: Moment, schema: Option<&Arc<Schema>>, told: &mut Told) {
        if self.tell.scores_every.is_some_and(|every| events.is_multiple_of(every)) {
            told.scored.push(Scored { version, events, at, standings: self.standings(schema) });
        }
    }

    /// How every learner stands, the champion first; `schema` knows what columns and classes are called.
    pub(crate) fn standings(&self, schema: Option<&Arc<Schema>>) -> Vec<Standing> {
        let mut standings: Vec<Standing> = self.slots.iter().map(|slot| slot.standing(schema)).collect();
        standings.sort_by_key(|standing| standing.role != Role::Champion);
        standings
    }

    /// The place of the learner born at this moment: the last one.
    fn just_born(&self, moment: Moment) -> Option<usize> {
        let last = self.slots.len() - 1;
        (self.slots[last].is_fresh() && self.slots[last].since == moment.events).then_some(last)
    }

    /// Scores what every learner had said about a row and does what follows from it. True if the learners, or the role
    /// of one, changed.
    fn judge(&mut self, champion: usize, place: usize, target: Target, moment: Moment) -> bool {
        let on_drift = self.config.on_drift;
        let slot = &mut self.slots[champion];
        let Some(outcome) = slot.outcome(place) else { return false };
        let loss = slot.monitor.observe(&outcome, target);
        let found = &mut self.found;
        found.clear();
        let mut leaves = false;
        for (i, slot) in self.slots.iter_mut().enumerate() {
            let Some(outcome) = slot.outcome(place).filter(|_| i != champion) else { continue };
            let own = slot.monitor.observe(&outcome, target);
            found.extend(slot.promotion.as_mut().and_then(|test| Some((i, test.observe(loss, own)?))));
            if let Some(left) = &mut slot.expires {
                *left -= 1;
                leaves |= *left == 0;
            }
        }
        let promoted = strongest(found.drain(..)).filter(|_| on_drift == OnDrift::Challenge);
        let happenings = &mut self.happenings;
        let act = self.living.after_loss(&self.slots[champion], loss, on_drift, |what| happenings.note(moment, what));
        let changed = act.is_some() || promoted.is_some() || leaves;
        if let Some((challenger, evidence)) = promoted {
            self.promote(challenger, Some(evidence), moment);
        }
        if leaves {
            self.drop_slots(moment, |slot| slot.expires == Some(0));
        }
        if let Some(act) = act.filter(|_| promoted.is_none()) {
            self.act(act, moment);
        }
        changed
    }

    fn act(&mut self, act: Act, moment: Moment) {
        match act {
            Act::Begin => self.begin_fresh(moment),
            Act::Confirm => self.confirm_fresh(moment),
            Act::End => self.slots.retain(|slot| !slot.is_fresh() || slot.confirmed),
        }
    }

    /// The champion's place among the learners.
    pub(crate) fn champion(&self) -> usize {
        self.slots.iter().position(|slot| slot.role == Role::Champion).expect("there is always one")
    }

    /// The world has changed: the fresh challenger is to have its whole life. One that is too old to know only the new
    /// world leaves, and another begins.
    fn confirm_fresh(&mut self, moment: Moment) {
        self.drop_slots(moment, |slot| slot.is_fresh() && !is_fresh(slot.since, moment.events));
        self.begin_fresh(moment);
        for slot in self.slots.iter_mut().filter(|slot| slot.is_fresh()) {
            slot.confirmed = true;
        }
    }

    /// A learner of the champion's specification begins anew beside it, unless one has.
    fn begin_fresh(&mut self, moment: Moment) {
        if self.slots.iter().any(Slot::is_fresh) {
            return;
        }
        let spec = self.slots[self.champion()].spec.clone();
        let generation = self.slots.iter().filter(|slot| slot.spec == spec).map(|slot| slot.generation).max();
        let mut slot = Slot::new(&self.config, self.born, &spec, Role::Challenger).expect("one like it was built");
        slot.generation = generation.unwrap_or(0) + 1;
        (slot.configured, slot.fresh, slot.since, slot.expires) = (false, true, moment.events, Some(LIFE));
        slot.learner.grow(&self.kinds);
        self.born += 1;
        self.happenings.note(moment, What::Challenger { learner: slot.name() });
        self.slots.push(slot);
    }

    pub(crate) fn drop_slots(&mut self, moment: Moment, leaves: impl Fn(&Slot) -> bool) {
        for slot in self.slots.extract_if(.., |slot| leaves(slot)) {
            self.happenings.note(moment, What::Dropped { learner: slot.name() });
        }
    }

    pub(crate) fn promote(&mut self, place: usize, evidence: Option<Evidence>, moment: Moment) {
        let champion = self.champion();
        let (from, to) = (self.slots[champion].name(), self.slots[place].name());
        self.happenings.note(moment, What::Promotion { from, to, evidence });
        self.living.promoted(self.slots[champion].monitor.rolling_loss());
        let successor = !self.slots[place].configured && self.slots[place].spec == self.slots[champion].spec;
        let old = &mut self.slots[champion];
        old.role = if is_baseline(&old.spec) { Role::Baseline } else { Role::Challenger };
        if successor || !self.config.names(&old.spec) {
            (old.configured, old.expires) = (false, Some(LIFE));
        }
        let new = &mut self.slots[place];
        (new.role, new.fresh, new.confirmed, new.expires) = (Role::Champion, false, false, None);
        new.configured |= successor;
        new.monitor.deployed();
        // Held against another champion, every challenger begins anew.
        for slot in &mut self.slots {
            slot.promotion = (slot.role == Role::Challenger).then(|| challenge(&self.config));
        }
    }
}

#[cfg(test)]
mod tests {
    use learners::Section;

    use super::*;
    use crate::waiting::tests::config;
    use crate::{Fold, Horizon, Labels, Position};

    /// The learners beside the champion, by when they were born.
    fn born(fold: &Fold) -> Vec<u64> {
        fold.learning.slots[1..].iter().map(|slot| slot.since).collect()
    }

    #[test]
    fn a_drift_gives_the_fresh_challenger_its_whole_life_and_a_passing_warning_does_not_end_it() {
        let config = FoldConfig { challengers: vec![], ..config(Horizon::Events(1), Labels::default()) };
        let mut fold = Fold::genesis(config.clone(), Position::new()).unwrap();
        let act = |fold: &mut Fold, act, events, expected: &[u64]| {
            fold.learning.act(act, Moment { version: events, events, at: EventTime(0) });
            assert_eq!(born(fold), expected, "at {events}");
            let saved: Vec<Section> = fold.save();
            *fold = Fold::restore(config.clone(), &saved).unwrap();
        };
        act(&mut fold, Act::Begin, 100, &[100]);
        act(&mut fold, Act::End, 200, &[]);
        act(&mut fold, Act::Begin, 300, &[300]);
        act(&mut fold, Act::Confirm, 400, &[300]);
        for (begin, end) in [(1_000, 1_100), (9_000, 9_100)] {
            act(&mut fold, Act::Begin, begin, &[300]);
            act(&mut fold, Act::End, end, &[300]);
        }
        // Another drift: what was born under the last one is no answer to it.
        act(&mut fold, Act::Confirm, 9_200, &[9_200]);
        act(&mut fold, Act::Confirm, 9_900, &[9_200]);
        act(&mut fold, Act::End, 10_000, &[9_200]);
    }
}
