//! The story in words: a line for whatever is worth one.

use features::Task;
use fold::{Happening, ModelSnapshot, Role, What};
use indicatif::HumanCount;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use learners::{IncidentEnd, Signal};
use simulations::{Drift, DriftKind};

use super::News;

/// Tells what happens to the model beside what happens to the world.
#[derive(Clone, Debug)]
pub struct Story {
    task: Task,
    zone: TimeZone,
    /// The first event of the world that holds now, if it has changed.
    world_since: Option<u64>,
    /// The latest fresh challenger, and the events learned when it began.
    fresh: Option<(String, u64)>,
    drifting: bool,
}

impl Story {
    /// Times of day are those of `zone`.
    pub fn new(task: Task, zone: TimeZone) -> Self {
        Self { task, zone, world_since: None, fresh: None, drifting: false }
    }

    /// A line about what is new, seen `now`; `None`: it is not worth one.
    pub fn line(&mut self, news: &News, now: Timestamp) -> Option<String> {
        let (at, text) = match news {
            News::World(drift, at) => {
                self.world_since = Some(drift.at_event);
                (*at, self.of_the_world(drift))
            }
            News::Model(happening) => (now, self.of_the_model(happening)?),
        };
        Some(format!("{} {text}", self.clock(at)))
    }

    /// How the learners stand, the serving one's first.
    pub fn status(&self, newest: &ModelSnapshot, now: Timestamp) -> String {
        let learners = newest.standings.iter().filter_map(|standing| {
            let figure = self.figure(standing.report.rolling_loss?);
            let learner = &standing.learner;
            Some(match standing.role {
                Role::Champion => format!("{} {figure} ({learner}, serves)", self.measure()),
                _ => format!("{figure} ({learner})"),
            })
        });
        let learners: Vec<_> = learners.collect();
        let verdict = match newest.standings.first().map_or(Signal::Stable, |champion| champion.verdict) {
            Signal::Stable => "",
            Signal::Warning => "  WARNING",
            Signal::Drift => "  DRIFT",
        };
        let (clock, events) = (self.clock(now), HumanCount(newest.counts.events));
        format!("{clock} {events} events learned  {}{verdict}", learners.join(", "))
    }

    /// The time of day.
    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// What the figures are.
    pub fn measure(&self) -> &'static str {
        match self.task {
            Task::Classification => "accuracy",
            Task::Regression => "mean error",
        }
    }

    /// A mean loss as people read it: the accuracy, or the mean absolute error.
    pub fn figure(&self, loss: f64) -> String {
        match self.task {
            Task::Classification => format!("{:.2}", 1.0 - loss).trim_start_matches('0').to_owned(),
            Task::Regression => format!("{loss:.2}"),
        }
    }

    fn of_the_world(&self, drift: &Drift) -> String {
        format!("the world changes ({}), event {}", kind(drift.kind), HumanCount(drift.at_event))
    }

    fn of_the_model(&mut self, happening: &Happening) -> Option<String> {
        let events = happening.events;
        if let What::Drift { .. } | What::DriftOver { .. } | What::Promotion { .. } = happening.what {
            self.drifting = matches!(happening.what, What::Drift { .. });
        }
        Some(match &happening.what {
            // There are many warnings, and most come to nothing.
            What::Warning { .. } | What::Dropped { .. } => return None,
            What::WarningOver { .. } => {
                self.fresh = None;
                return None;
            }
            What::Drift { learner, .. } => {
                let when = match self.world_since {
                    Some(since) => format!("{} events later", HumanCount(events.saturating_sub(since))),
                    None => format!("event {}", HumanCount(events)),
                };
                let fresh = self.fresh.as_ref().filter(|(_, since)| *since < events).map(|(fresh, since)| {
                    format!("; {fresh} has been learning for {} events", HumanCount(events - since))
                });
                format!("drift detected, {when}: {learner} gets worse{}", fresh.unwrap_or_default())
            }
            What::DriftOver { end, lasted, .. } => {
                let how = match end {
                    IncidentEnd::Over => "the loss is back where it was",
                    IncidentEnd::Rebaselined => "the loss stays, and counts as normal now",
                    IncidentEnd::Deployed => return None,
                };
                format!("the drift is over after {} events, no other learner was better: {how}", HumanCount(*lasted))
            }
            What::Challenger { learner } => {
                self.fresh = Some((learner.clone(), events));
                if !self.drifting {
                    return None;
                }
                format!("a fresh challenger begins to learn: {learner}")
            }
            What::Promotion { to, evidence: Some(evidence), .. } => {
                let gain = match self.task {
                    Task::Classification => format!("{:.0} points of accuracy better", 100.0 * evidence.gain),
                    Task::Regression => format!("its bounded loss is {:.2} lower", evidence.gain),
                };
                let (events, log_e) = (HumanCount(evidence.events), evidence.log_e);
                format!("{to} is promoted, it serves from now on: {gain} over {events} events, odds e^{log_e:.1} to 1")
            }
            What::Promotion { to, evidence: None, .. } => format!("{to} is promoted by hand"),
            What::Effect { before, at, after, recovered_after, .. } => {
                let around = [("before", before), ("at", at), ("after", &Some(*after))];
                let around =
                    around.iter().filter_map(|(when, loss)| Some(format!("{} {when}", self.figure((**loss)?))));
                let around: Vec<_> = around.collect();
                let back = match recovered_after {
                    Some(events) => format!("; back {} events after the promotion", HumanCount(*events)),
                    None if before.is_some() => "; not back yet".to_owned(),
                    None => String::new(),
                };
                format!("{} {}{back}", self.measure(), around.join(", "))
            }
            What::Pinned { version } => format!("version {} is served, by hand", HumanCount(*version)),
            What::Followed => "the newest version is served again, by hand".to_owned(),
            What::Configured { .. } => "another configuration holds from now on".to_owned(),
            What::Gap { partition, first, next, .. } => {
                format!("records {first}..{next} of partition {partition} are left out: they are gone")
            }
        })
    }
}

/// How a world changes, as a word.
pub fn kind(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::Abrupt => "abrupt",
        DriftKind::Gradual => "gradual",
        DriftKind::Incremental => "incremental",
        DriftKind::Recurring => "recurring",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{RATE, SEED, model};
    use features::{EventTime, NextOffset, PartitionId, Record};
    use fold::{Chunk, Fold, Position};
    use simulations::Scenario;

    /// What is told of the first 30 seconds, without the clock, each line with the event it was told after.
    fn told() -> Vec<(u64, String)> {
        let scenario = Scenario::by_name("demo").expect("it is the demo's");
        let start = Position::from([(PartitionId::default(), NextOffset(0))]);
        let mut fold = Fold::genesis(model(scenario).fold, start).unwrap();
        let mut story = Story::new(scenario.task, TimeZone::UTC);
        let mut drifts = scenario.drifts(30 * RATE).into_iter().peekable();
        let (mut told, mut seen, mut chunk) = (Vec::new(), 0, Chunk::default());
        for event in scenario.events(SEED, 30 * RATE) {
            let id = event.id;
            if let Some(drift) = drifts.next_if(|drift| drift.at_event == id) {
                told.push((id, story.line(&News::World(drift, Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH).unwrap()));
            }
            let timestamp = EventTime(event.at_ms);
            let payload = Some(event.json.into());
            fold.decode(&[Record { offset: id as i64, timestamp, payload, ..Record::default() }], &mut chunk);
            fold.train(&mut chunk);
            if id % 10 == 0 {
                for happening in fold.snapshot().happenings.iter().filter(|happening| happening.number > seen) {
                    let line = story.line(&News::Model(happening.clone()), Timestamp::UNIX_EPOCH);
                    told.extend(line.map(|line| (happening.events, line)));
                }
                seen = fold.snapshot().happenings.last().map_or(0, |last| last.number);
            }
        }
        told.into_iter().map(|(at, line)| (at, line.strip_prefix("00:00:00 ").unwrap().to_owned())).collect()
    }

    #[test]
    fn within_half_a_minute_the_world_changes_it_is_noticed_and_a_challenger_brings_the_accuracy_back() {
        let told = told();
        let find = |what: &str| told.iter().position(|(_, line)| line.contains(what));
        let places =
            ["the world changes (abrupt), event 18,000", "drift detected, ", "naive_bayes#2 is promoted", "; back "]
                .map(|what| find(what).unwrap_or_else(|| panic!("{what} is not told: {told:#?}")));
        assert!(places.is_sorted(), "{told:#?}");
        assert_eq!(told.iter().filter(|(_, line)| line.contains("drift detected")).count(), 1, "{told:#?}");
    }

    #[test]
    fn a_loss_is_told_as_people_read_it() {
        let figure = |task, loss| Story::new(task, TimeZone::UTC).figure(loss);
        assert_eq!(figure(Task::Classification, 0.07), ".93");
        assert_eq!(figure(Task::Classification, 0.0), "1.00");
        assert_eq!(figure(Task::Regression, 0.07), "0.07");
    }
}
