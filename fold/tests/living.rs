//! A world that changes under a learner that cannot forget: what the fold notices, does and tells, and that neither
//! batches nor restarts in the middle of it change anything.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;

use features::{EventSpec, EventTime, LabelSource, NextOffset, PartitionId, Record, Start, Task, TopicId};
use fold::{Chunk, Decision, Fold, FoldConfig, Horizon, Labels, Live, NOT_THE_MODEL, OnDrift, Position, Role};
use fold::{Sections, Unchanged, What};
use learners::Section;

const CHANGE: u64 = 6_000;
const EVENTS: u64 = 12_000;

fn config(learner: &str, challengers: &[&str]) -> FoldConfig {
    let event = EventSpec::new(Task::Classification, "y");
    FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event,
        learner: learner.parse().unwrap(),
        challengers: challengers.iter().map(|spec| spec.parse().unwrap()).collect(),
        seed: 1,
        max_bytes: 1 << 20,
        detector: "auto".into(),
        false_alarms: 1_000_000,
        on_drift: OnDrift::Challenge,
        min_gain_ppm: 5_000,
        horizon: Horizon::Now,
        labels: None,
        requests: None,
    }
}

/// Above or below a line that turns over at [`CHANGE`]; 5 % of the labels are wrong.
fn record(i: u64) -> Record {
    let scattered = |salt: u64| {
        (i + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
    };
    let (a, b) = (scattered(1) % 1_000, scattered(2_000_003) % 1_000);
    let above = (a > b) ^ (i >= CHANGE) ^ (scattered(7_000_009) % 20 == 0);
    let json = format!(r#"{{"a":{a},"b":{b},"y":"{}"}}"#, if above { "up" } else { "down" });
    Record { offset: i as i64, timestamp: EventTime(i as i64), payload: Some(json.into()), ..Record::default() }
}

fn feed(fold: &mut Fold, events: std::ops::Range<u64>, batch: u64) {
    feed_with(fold, events, batch, record);
}

fn feed_with(fold: &mut Fold, events: std::ops::Range<u64>, batch: u64, record: fn(u64) -> Record) {
    let mut chunk = Chunk::default();
    let mut next = events.start;
    while next < events.end {
        let end = (next + batch).min(events.end);
        let records: Vec<Record> = (next..end).map(record).collect();
        fold.decode(&records, &mut chunk);
        fold.train(&mut chunk);
        assert_eq!(chunk.outcomes().len(), chunk.learned().len());
        assert_eq!(chunk.rejected(), []);
        next = end;
    }
}

/// Labels come on topic 1, forty events later: every other record is a label.
fn with_label_topic(i: u64) -> Record {
    let event = i / 2;
    let place = |topic| PartitionId { topic: TopicId(topic), partition: 0 };
    let json = if i.is_multiple_of(2) {
        let text = String::from_utf8(record(event).payload.unwrap().to_vec()).unwrap();
        text.replacen('{', &format!(r#"{{"id":{event},"#), 1)
    } else {
        let of = event.saturating_sub(40);
        let text = String::from_utf8(record(of).payload.unwrap().to_vec()).unwrap();
        let up = text.contains("up");
        format!(r#"{{"id":"{of}","target":"{}"}}"#, if up { "up" } else { "down" })
    };
    let timestamp = EventTime(i as i64);
    Record {
        from: place((i % 2) as u16),
        offset: event as i64,
        timestamp,
        payload: Some(json.into()),
        ..Record::default()
    }
}

/// Every other record is an answer that was served five events before the event of its id passes: always "up".
fn with_served(i: u64) -> Record {
    let event = i / 2;
    if i.is_multiple_of(2) {
        let text = String::from_utf8(record(event).payload.unwrap().to_vec()).unwrap();
        let json = text.replacen('{', &format!(r#"{{"id":{event},"#), 1);
        return Record { payload: Some(json.into()), ..record(event) };
    }
    // Nobody answers before both classes are known.
    let id = if event < 100 { format!("x{event}") } else { (event + 5).to_string() };
    let json = format!(
        r#"{{"id":"{id}","at":{i},"features":{{}},"answer":{{"prediction":"up","probabilities":{{"up":0.75,"down":0.25}}}}}}"#
    );
    let from = PartitionId { topic: TopicId(1), partition: 0 };
    Record { from, payload: Some(json.into()), ..record(event) }
}

fn serving() -> FoldConfig {
    let mut config = config("naive_bayes", &["linear"]);
    config.event.id = Some("id".into());
    config.score_served("requests");
    config
}

/// A configuration, its records and how many.
type World = (FoldConfig, fn(u64) -> Record, u64);

/// Every way in which labels come later.
fn later() -> Vec<World> {
    let labels = |topic: &str, rows| Some(Labels { topic: topic.into(), rows, ..Labels::default() });
    let config = config("naive_bayes", &["linear", "majority"]);
    let with = |horizon, rows| {
        let mut config = FoldConfig { horizon, labels: labels("", rows), ..config.clone() };
        if !matches!(horizon, Horizon::Delay(_)) {
            config.event.label = LabelSource::Later;
        }
        config
    };
    let mut apart =
        FoldConfig { topics: vec!["t".into(), "labels".into()], labels: labels("labels", 1_000), ..config.clone() };
    (apart.event.label, apart.event.id) = (LabelSource::Topic, Some("id".into()));
    vec![
        (with(Horizon::Delay(50), 1_000), record, EVENTS),
        (with(Horizon::Events(3), 1_000), record, EVENTS),
        (with(Horizon::Ms(20), 15), record, EVENTS / 4),
        (apart, with_label_topic, 2 * EVENTS),
        (serving(), with_served, 2 * EVENTS),
    ]
}

fn genesis(config: FoldConfig) -> Fold {
    Fold::genesis(config, Position::from([(PartitionId::default(), NextOffset(0))])).unwrap()
}

fn told(fold: &mut Fold) -> Vec<(u64, What)> {
    fold.snapshot().happenings.iter().map(|h| (h.events, h.what.clone())).collect()
}

#[test]
fn a_fresh_challenger_takes_over_after_a_drift_and_the_loss_comes_back() {
    let mut fold = genesis(config("naive_bayes", &["no_change"]));
    feed(&mut fold, 0..EVENTS, 1_000);
    let told = told(&mut fold);
    let at = |found: fn(&What) -> bool| told.iter().find(|(_, what)| found(what)).map(|(events, _)| *events);
    let drift = at(|what| matches!(what, What::Drift { .. })).expect("the drift is told");
    let promotion = at(|what| matches!(what, What::Promotion { .. })).expect("a challenger is promoted");
    assert!((CHANGE..CHANGE + 300).contains(&drift), "{told:?}");
    assert!(at(|what| matches!(what, What::Challenger { .. })).unwrap() <= drift, "{told:?}");
    assert!((drift..drift + 1_500).contains(&promotion), "{told:?}");
    let Some(What::Promotion { from, to, evidence }) =
        told.iter().map(|(_, what)| what).find(|what| matches!(what, What::Promotion { .. }))
    else {
        unreachable!("found above")
    };
    assert_eq!((from.as_str(), to.as_str()), ("naive_bayes", "naive_bayes#2"));
    assert!(evidence.is_some_and(|evidence| evidence.gain > 0.1));
    let effect = told.iter().find_map(|(events, what)| match what {
        What::Effect { before, at, after, recovered_after, .. } => {
            Some((*events, *before, *at, *after, *recovered_after))
        }
        _ => None,
    });
    let (when, before, at, after, recovered) = effect.expect("the effect is told");
    assert_eq!(when, promotion + 1_000);
    assert!(before.unwrap() < 0.2 && at.unwrap() > 0.5 && after < 0.2, "{effect:?}");
    assert!(recovered.unwrap() <= 300, "{effect:?}");
    let snapshot = fold.snapshot();
    assert_eq!(snapshot.learner, "naive_bayes#2");
    let roles: Vec<_> = snapshot.standings.iter().map(|s| (s.learner.as_str(), s.role)).collect();
    assert_eq!(
        roles,
        [("naive_bayes#2", Role::Champion), ("naive_bayes", Role::Challenger), ("no_change", Role::Baseline)]
    );
}

#[test]
fn the_learner_replaced_leaves_when_it_does_not_win_back() {
    let mut fold = genesis(config("naive_bayes", &[]));
    feed(&mut fold, 0..CHANGE + 23_000, 1_000);
    assert_eq!(fold.learners(), ["naive_bayes#2"]);
    assert!(told(&mut fold).iter().any(|(_, what)| *what == What::Dropped { learner: "naive_bayes".into() }));
}

#[test]
fn a_better_challenger_of_the_configuration_is_promoted() {
    let mut fold = genesis(config("majority", &["linear"]));
    feed(&mut fold, 0..3_000, 1_000);
    assert_eq!(fold.learners(), ["linear", "majority"]);
}

#[test]
fn with_alert_a_drift_is_told_and_nothing_else_is_done() {
    let mut fold = genesis(FoldConfig { on_drift: OnDrift::Alert, ..config("naive_bayes", &["linear"]) });
    feed(&mut fold, 0..EVENTS, 1_000);
    let told = told(&mut fold);
    assert!(told.iter().any(|(_, what)| matches!(what, What::Drift { .. })));
    assert!(!told.iter().any(|(_, what)| matches!(what, What::Challenger { .. } | What::Promotion { .. })), "{told:?}");
    assert_eq!(fold.learners(), ["naive_bayes", "linear"]);
}

#[test]
fn batches_and_restarts_in_the_middle_of_a_drift_change_nothing() {
    let config = config("naive_bayes", &["linear", "majority"]);
    let mut whole = genesis(config.clone());
    feed(&mut whole, 0..EVENTS, EVENTS);
    for (batch, stops) in
        [(1, vec![]), (7, vec![CHANGE + 1]), (613, vec![CHANGE - 10, CHANGE + 90, CHANGE + 700, CHANGE + 1_500])]
    {
        let mut fold = genesis(config.clone());
        let mut from = 0;
        for stop in stops.into_iter().chain([EVENTS]) {
            feed(&mut fold, from..stop, batch);
            fold = Fold::restore(config.clone(), &fold.save()).unwrap();
            from = stop;
        }
        assert_eq!(fold.save(), whole.save(), "in batches of {batch}");
    }
}

#[test]
fn labels_that_come_later_are_scored_and_learned_as_they_come() {
    for (config, record, records) in later().into_iter().filter(|(config, ..)| config.requests.is_none()) {
        let what = format!("{:?} {:?}", config.horizon, config.topics);
        let mut fold = genesis(config.clone());
        feed_with(&mut fold, 0..records, 1_000, record);
        let snapshot = fold.snapshot();
        let labels = snapshot.labels;
        let told = told(&mut fold);
        match config.horizon {
            Horizon::Ms(_) => {
                assert_eq!((labels.joined, labels.waiting), (0, 15), "{what}: no room until a label comes")
            }
            horizon => {
                assert_eq!(labels.joined, snapshot.counts.events, "{what}");
                let waiting = match horizon {
                    Horizon::Delay(n) | Horizon::Events(n) | Horizon::Ms(n) => n,
                    Horizon::Now => 40,
                };
                assert_eq!((labels.waiting, labels.joined), (waiting, EVENTS - waiting), "{what}");
            }
        }
        if matches!(config.horizon, Horizon::Delay(_) | Horizon::Now) {
            assert!(told.iter().any(|(_, what)| matches!(what, What::Promotion { .. })), "{what}: {told:?}");
        }
    }
}

#[test]
fn what_was_served_is_scored_apart_and_never_learned() {
    let mut fold = genesis(serving());
    feed_with(&mut fold, 0..2 * EVENTS, 1_000, with_served);
    let up = (105..EVENTS)
        .filter(|i| String::from_utf8(record(*i).payload.unwrap().to_vec()).unwrap().contains("up"))
        .count();
    let snapshot = fold.snapshot();
    let served = snapshot.served.clone().unwrap();
    assert_eq!(served.all.accuracy, Some(up as f64 / (EVENTS - 105) as f64));
    assert_eq!(snapshot.counts.events, EVENTS);

    let mut alone = genesis(config("naive_bayes", &["linear"]));
    feed(&mut alone, 0..EVENTS, 1_000);
    let reports = |fold: &mut Fold| fold.snapshot().standings.iter().map(|s| s.report.clone()).collect::<Vec<_>>();
    assert_eq!(reports(&mut fold), reports(&mut alone), "requests change nothing that is learned");
}

#[test]
fn what_is_only_named_was_saved_before_and_is_still_the_same() {
    let mut named = 0;
    for (config, record, records) in later() {
        let mut fold = genesis(config.clone());
        let mut stored = BTreeMap::new();
        for from in (0..records).step_by(997) {
            feed_with(&mut fold, from..records.min(from + 997), 100, record);
            let saved = fold.save_to(Sections::leaving_out(1 << 10));
            named += saved.unchanged.len();
            stored.extend(saved.whole.iter().map(|s| (*blake3::hash(&s.bytes).as_bytes(), s.bytes.clone())));
            let found = saved.unchanged.into_iter().map(|Unchanged { name, version, sealed }| {
                let bytes: Vec<u8> = stored[&sealed.hash].clone();
                assert_eq!(bytes.len() as u64, sealed.length);
                Section { name, version, bytes }
            });
            let by_name = |sections: Vec<Section>| sections.into_iter().map(|s| (s.name.clone(), s)).collect();
            let (found, whole): (BTreeMap<_, _>, BTreeMap<_, _>) =
                (by_name(saved.whole.iter().cloned().chain(found).collect()), by_name(fold.save()));
            assert_eq!(found, whole, "{:?} at {from}", config.horizon);
        }
    }
    assert!(named > 20, "{named} sections were only named");
}

#[test]
fn batches_and_restarts_while_rows_wait_change_nothing() {
    for (config, record, records) in later() {
        let mut whole = genesis(config.clone());
        feed_with(&mut whole, 0..records, records, record);
        for (batch, stops) in [(7, vec![records / 2 + 1]), (613, vec![100, records / 2 + 90, records / 2 + 1_500])] {
            let mut fold = genesis(config.clone());
            let mut from = 0;
            for stop in stops.into_iter().chain([records]) {
                feed_with(&mut fold, from..stop, batch, record);
                fold = Fold::restore(config.clone(), &fold.save()).unwrap();
                from = stop;
            }
            assert_eq!(fold.save(), whole.save(), "{:?} in batches of {batch}", config.horizon);
        }
    }
}

#[test]
fn decisions_by_hand_are_versions_and_outlive_a_restart() {
    let config = config("majority", &["linear", "naive_bayes"]);
    let mut fold = genesis(FoldConfig { on_drift: OnDrift::Alert, ..config.clone() });
    feed(&mut fold, 0..100, 100);
    fold.decide(&Decision::Promote { learner: "naive_bayes".into() });
    assert_eq!((fold.version(), fold.learners()[0].as_str()), (101, "naive_bayes"));
    fold.decide(&Decision::Pin { version: 50 });
    let mut fold = Fold::restore(FoldConfig { on_drift: OnDrift::Alert, ..config }, &fold.save()).unwrap();
    assert_eq!((fold.live(), fold.learners()[0].as_str()), (Live::Pinned(50), "naive_bayes"));
    feed(&mut fold, 100..200, 100);
    fold.decide(&Decision::Follow);
    assert_eq!((fold.live(), fold.version()), (Live::Follow, 203));
    let told: Vec<_> = fold.snapshot().happenings.iter().map(|h| (h.number, h.version)).collect();
    assert_eq!(told, [(1, 101), (2, 102), (3, 203)]);
}

#[test]
fn the_models_hash_is_the_same_whatever_versions_the_decisions_took() {
    let config = config("naive_bayes", &[]);
    let (mut one, mut other) = (genesis(config.clone()), genesis(config));
    let from = PartitionId { partition: 9, ..PartitionId::default() };
    other.decide(&Decision::AddPartition { from, start: NextOffset(0) });
    feed(&mut one, 0..EVENTS, 1_000);
    feed(&mut other, 0..EVENTS, 1_000);
    let model = |fold: &Fold| {
        let sections = fold.save().into_iter().filter(|section| !NOT_THE_MODEL.contains(&section.name.as_str()));
        sections.collect::<Vec<_>>()
    };
    assert_eq!(model(&one), model(&other));
}
