//! What is told of batches is the same however the log is cut into them, and telling changes nothing that is learned.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use features::{EventSpec, Record, Start, Task};
use fold::{Answer, Chunk, Fold, FoldConfig, Horizon, Labels, OnDrift, Position, Said, Tell};
use learners::Section;

fn config(task: Task, horizon: Horizon) -> FoldConfig {
    let mut config = FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event: EventSpec::new(task, "y"),
        learner: "hoeffding_tree".parse().unwrap(),
        challengers: vec!["linear".parse().unwrap()],
        seed: 1,
        max_bytes: 1 << 20,
        detector: "adwin".into(),
        false_alarms: 1_000,
        on_drift: OnDrift::Challenge,
        min_gain_ppm: 0,
        horizon: Horizon::Now,
        labels: None,
        requests: None,
    };
    config.wait_for_labels(horizon, Labels::default());
    config
}

/// A world that turns round, and garbage.
fn records(task: Task) -> Vec<Record> {
    let payload = |i: i64| {
        let x = i.wrapping_mul(2_654_435_761) >> 9 & 15;
        let above = (x > 7) != (i > 2_000);
        match (i % 97, task) {
            (5, _) => "garbage".to_owned(),
            (_, Task::Classification) => format!(r#"{{"x":{x},"y":"{}"}}"#, ["a", "b"][usize::from(above)]),
            (_, Task::Regression) => format!(r#"{{"x":{x},"y":{}}}"#, if above { x } else { -x }),
        }
    };
    (0..4_000).map(|i| Record { offset: i, payload: Some(payload(i).into()), ..Record::default() }).collect()
}

fn tell(
    config: &FoldConfig,
    records: &[Record],
    batch: usize,
    tell: Tell,
) -> (Vec<Said>, Vec<(u64, u64)>, Vec<Section>) {
    let mut fold = Fold::genesis(config.clone(), Position::new()).unwrap();
    fold.tell(tell);
    let (mut chunk, mut said, mut scored) = (Chunk::default(), Vec::new(), Vec::new());
    for part in records.chunks(batch) {
        fold.decode(part, &mut chunk);
        fold.train(&mut chunk);
        said.extend(chunk.told().said.iter().cloned());
        for told in &chunk.told().scored {
            assert!(told.standings.len() >= 2 && told.standings[0].report.rolling_loss.is_some());
            scored.push((told.version, told.events));
        }
        assert_eq!(chunk.schema().is_some(), tell.predictions);
    }
    (said, scored, fold.save())
}

#[test]
fn what_is_told_does_not_depend_on_batches_and_changes_nothing() {
    for (task, horizon) in [
        (Task::Classification, Horizon::Now),
        (Task::Regression, Horizon::Now),
        (Task::Classification, Horizon::Events(3)),
        (Task::Regression, Horizon::Delay(40)),
    ] {
        let (config, records) = (config(task, horizon), records(task));
        let all = Tell { predictions: true, scores_every: Some(100) };
        let (said, scored, state) = tell(&config, &records, 1, all);
        for batch in [7, 1_000] {
            assert!(
                tell(&config, &records, batch, all) == (said.clone(), scored.clone(), state.clone()),
                "{horizon:?}"
            );
        }
        let silent = tell(&config, &records, 50, Tell::default());
        assert!(silent == (Vec::new(), Vec::new(), state), "{horizon:?}");

        let good = records.iter().filter(|record| record.offset % 97 != 5).count();
        assert_eq!(said.len(), good, "{horizon:?}: every event is told of once");
        assert!(said.iter().is_sorted_by_key(|said| said.version));
        assert!(said.iter().all(|said| said.id == format!("t/0/{}", said.version - 1)));
        let has_label = horizon == Horizon::Now || matches!(horizon, Horizon::Delay(_));
        assert!(said.iter().all(|said| said.label.is_some() == has_label && said.answer.is_some()));
        let classes = said.iter().filter(|said| matches!(said.answer, Some(Answer::Class(Some(_), p)) if p >= 0.5));
        assert_eq!(classes.count() > good / 2, task == Task::Classification);
        assert!(scored.iter().enumerate().all(|(i, (_, events))| *events == 100 * (i as u64 + 1)));
        assert!(scored.len() >= (good - 50) / 100, "{horizon:?}: {}", scored.len());
    }
}
