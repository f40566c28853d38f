//! A configuration changes while its model lives: what may change is adopted by a decision, what may not is refused.
//!
//! The feared failure: a model that goes on under another configuration is not the same after a restart, or learns
//! something else when the log is cut into other batches.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use features::{EventSpec, EventTime, NextOffset, PartitionId, Record, Start, Task};
use fold::{Chunk, Decision, Entry, Fold, FoldConfig, Horizon, Labels, OnDrift, Role, What};

fn config() -> FoldConfig {
    FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event: EventSpec { features: vec!["a".into()], ..EventSpec::new(Task::Classification, "y") },
        learner: "majority".parse().unwrap(),
        challengers: vec!["linear".parse().unwrap(), "no_change".parse().unwrap()],
        seed: 1,
        max_bytes: 64 << 20,
        detector: "adwin".into(),
        false_alarms: 1_000_000,
        on_drift: OnDrift::Challenge,
        min_gain_ppm: 5_000,
        horizon: Horizon::Now,
        labels: None,
        requests: None,
    }
}

/// Another champion, other challengers, a second feature, another bound.
fn changed(mut config: FoldConfig) -> FoldConfig {
    config.learner = "hoeffding_tree:grace=50".parse().unwrap();
    config.challengers = vec!["no_change".parse().unwrap(), "ftrl".parse().unwrap()];
    config.event.features.push("b".into());
    config.event.nominal.push("b".into());
    config.event.limits.classes = 50;
    config.min_gain_ppm = 1_000;
    config
}

/// `b` says what the class is, `a` nearly nothing.
fn records() -> Vec<Record> {
    let record = |i: i64| {
        let (a, b) = (i * 37 % 101, i * 7_919 % 3);
        let json = format!("{{\"a\":{a},\"b\":{b},\"y\":\"{}\"}}", if b == 1 { "up" } else { "down" });
        Record { offset: i, timestamp: EventTime(i), payload: Some(json.into()), ..Record::default() }
    };
    (0..6_000).map(record).collect()
}

fn fold(records: &[Record], fold: &mut Fold, batch: usize) {
    let mut chunk = Chunk::default();
    for batch in records.chunks(batch) {
        fold.decode(batch, &mut chunk);
        fold.train(&mut chunk);
    }
}

fn begin(config: FoldConfig) -> Fold {
    Fold::genesis(config, [(PartitionId::default(), NextOffset(0))].into()).unwrap()
}

/// The life of a model whose configuration changes after `at` records; saved and restored now and then if `restarts`.
fn live(began: &FoldConfig, to: &FoldConfig, at: usize, batch: usize, restarts: bool) -> Fold {
    let records = records();
    let restart = |fold: Fold| match restarts {
        true => Fold::restore(began.clone(), &fold.save()).unwrap(),
        false => fold,
    };
    let mut model = begin(began.clone());
    fold(&records[..at], &mut model, batch);
    model = restart(model);
    // As the journal has it.
    let decision = Decision::Configure { config: Box::new(to.clone()) };
    let entry = Entry::Decided { decision, actor: "test".into(), evidence: String::new() };
    let Entry::Decided { decision, .. } = Entry::decode(&entry.encode()).unwrap() else { panic!("another entry") };
    model.decide(&decision);
    model = restart(model);
    fold(&records[at..at + 700], &mut model, batch);
    model = restart(model);
    fold(&records[at + 700..], &mut model, batch);
    model
}

#[test]
fn a_changed_model_is_the_same_for_any_batches_and_restarts() {
    let (began, mut waiting) = (config(), config());
    waiting.wait_for_labels(Horizon::Delay(40), Labels::default());
    for began in [began, waiting] {
        let mut to = changed(began.clone());
        if let Some(labels) = &mut to.labels {
            labels.rows = 30;
        }
        began.check_change(&to).unwrap();
        let expected = live(&began, &to, 1_000, 6_000, false).save();
        for (batch, restarts) in [(1, false), (7, true), (1_000, true)] {
            assert_eq!(live(&began, &to, 1_000, batch, restarts).save(), expected, "{batch} {restarts}");
        }
    }
}

#[test]
fn new_learners_challenge_and_those_no_longer_named_leave() {
    let (began, to) = (config(), changed(config()));
    let mut model = live(&began, &to, 1_000, 100, false);
    let told: Vec<What> = model.snapshot().happenings.iter().map(|happening| happening.what.clone()).collect();
    let learner = |name: &str| name.to_owned();
    assert!(
        told.starts_with(&[
            What::Configured { learner: learner("hoeffding_tree:grace=50") },
            What::Dropped { learner: learner("linear") },
            What::Challenger { learner: learner("hoeffding_tree:grace=50") },
            What::Challenger { learner: learner("ftrl") },
        ]),
        "{told:?}"
    );
    // The old champion has served until a challenger was better.
    let promoted = |what: &What| matches!(what, What::Promotion { from, .. } if from == "majority");
    assert!(told.iter().any(promoted), "{told:?}");
    let standings = model.snapshot().standings;
    assert_ne!(standings[0].learner, "majority");
    assert!(standings.iter().any(|standing| standing.role == Role::Baseline && standing.since == 0), "no_change stays");
    assert_eq!(model.schema().fields().iter().map(|field| &*field.name).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn what_would_change_the_meaning_of_what_was_learned_is_refused_with_a_remedy() {
    type Change = fn(&mut FoldConfig);
    let refused: [(&str, Change); 17] = [
        ("task", |c| c.event.task = Task::Regression),
        ("target", |c| c.event.target = "z".into()),
        ("time", |c| c.event.time = Some("at".into())),
        ("entity", |c| c.event.entity = Some("e".into())),
        ("id", |c| c.event.id = Some("i".into())),
        ("features", |c| c.event.features = vec!["b".into(), "a".into()]),
        ("features", |c| c.event.features.clear()),
        ("nominal", |c| c.event.nominal.push("a".into())),
        ("ignore", |c| c.event.ignore.push("c".into())),
        ("topics", |c| c.topics.insert(0, "first".into())),
        ("requests", |c| c.score_served("asked")),
        ("seed", |c| c.seed = 2),
        ("max_bytes", |c| c.max_bytes = 1 << 20),
        ("decay.detector", |c| c.detector = "ddm".into()),
        ("decay.false_alarms", |c| c.false_alarms = 10),
        ("horizon", |c| c.wait_for_labels(Horizon::Delay(5), Labels::default())),
        ("labels.topic", |c| c.wait_for_labels(Horizon::Now, Labels { topic: "l".into(), ..Labels::default() })),
    ];
    for (option, change) in refused {
        let mut to = config();
        change(&mut to);
        let refusals = config().check_change(&to).unwrap_err();
        let refusal = refusals.iter().find(|refusal| refusal.option == option);
        let refusal = refusal.unwrap_or_else(|| panic!("{option}: {refusals:?}"));
        assert!(!refusal.reason.is_empty() && !refusal.remedy.is_empty());
    }
    let taken: [Change; 5] = [
        |c| c.topics.push("second".into()),
        |c| c.on_drift = OnDrift::Alert,
        |c| c.start = Start::Latest,
        |c| c.event.limits.record = 10,
        |c| c.challengers.clear(),
    ];
    for change in taken {
        let mut to = config();
        change(&mut to);
        config().check_change(&to).unwrap();
    }
    let mut automatic = config();
    automatic.event.features.clear();
    assert!(automatic.check_change(&config()).is_err(), "every field is a feature already");
}
