use serde_json::Value;

use super::*;

/// FNV-1a, 64 bits.
fn hash(records: impl Iterator<Item = Delivery>) -> u64 {
    let events = records.map(|record| record.event);
    let bytes = events.flat_map(|e| format!("{}\t{}\t{}\n", e.at_ms, e.key, e.json).into_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_bytes_are_those_they_always_were() {
    let golden = include_str!("golden.txt");
    let now: String = Scenario::all()
        .iter()
        .flat_map(|scenario| [1, 7].map(|seed| (scenario, seed)))
        .map(|(s, seed)| {
            format!("{} {seed} {:016x}\n", s.name, hash(s.deliveries(seed, 10_000, s.label_delay_ms() > 0)))
        })
        .collect();
    assert!(now == golden, "if the worlds were to change, golden.txt is now:\n{now}");
}

#[test]
fn every_event_is_what_the_scenario_says() {
    for scenario in Scenario::all() {
        let total = 5_000;
        let mut last = i64::MIN;
        let events: Vec<Event> = scenario.events(3, total).collect();
        assert_eq!(events.len() as u64, total);
        let fields = |json: &Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let first = fields(&serde_json::from_str(&events[0].json).unwrap());
        for (i, event) in events.iter().enumerate() {
            assert!(event.json.starts_with(&format!("{{\"id\":{i},\"at\":{},", event.at_ms)), "{}", event.json);
            assert!(event.at_ms > last);
            last = event.at_ms;
            let json: Value = serde_json::from_str(&event.json).unwrap();
            assert_eq!(fields(&json), first);
            let target = &json[scenario.target];
            assert_eq!(target.is_string(), scenario.task == Task::Classification);
            assert_eq!(target.is_number(), scenario.task == Task::Regression);
            assert!(scenario.nominal.iter().all(|name| json.get(name).is_some()));
            let key = scenario.entity.map_or("", |entity| json[entity].as_str().unwrap());
            assert_eq!(event.key, key);
            assert!(event.json.len() < 320, "{}", event.json);
        }
    }
}

#[test]
fn the_truth_never_stands_in_the_events() {
    for scenario in Scenario::all() {
        let event = scenario.events(1, 1).next().unwrap();
        let event: Value = serde_json::from_str(&event.json).unwrap();
        let parameters: Vec<_> = scenario.concept.params.iter().map(|param| param.name).collect();
        for field in event.as_object().unwrap().keys() {
            let told = parameters.contains(&field.as_str()) || ["concept", "drift", "kind"].contains(&field.as_str());
            assert!(!told, "{}: {field}", scenario.name);
        }
    }
}

#[test]
fn drifts_lie_within_the_stream() {
    for scenario in Scenario::all() {
        for total in [0, 1, 2, 5, 100, 60_000, 200_000] {
            let drifts = scenario.drifts(total);
            let name = &scenario.name;
            assert!(drifts.windows(2).all(|pair| pair[0].at_event < pair[1].at_event), "{name} {total}: {drifts:?}");
            assert!(drifts.iter().all(|d| d.at_event < total && d.ends_at.is_none_or(|end| end > d.at_event)));
            assert!(total < 60_000 || name == "seasons" || !drifts.is_empty());
            assert_eq!(scenario.events(1, total.min(100)).count() as u64, total.min(100));
        }
    }
}

/// Held against the same world that never changes: up to a drift they are the same, from its end on many events are
/// not.
#[test]
fn each_drift_is_real_and_stands_where_the_truth_says() {
    for scenario in Scenario::all() {
        let short = scenario.schedule(10_000);
        for (i, change) in short.changes.iter().enumerate() {
            let total = change.until + 1_500;
            let with = |n: usize| {
                let mut other = scenario.clone();
                (other.shrink, other.schedule) = (None, Schedule { round: None, ..short.clone() });
                other.schedule.changes.truncate(n);
                other.events(1, total)
            };
            let differ: Vec<bool> = with(i).zip(with(i + 1)).map(|(old, new)| old != new).collect();
            let first = differ.iter().position(|differs| *differs).map(|at| at as u64);
            let name = &scenario.name;
            assert!(first >= Some(change.at), "{name} changes at {first:?}, before {}", change.at);
            assert!(first <= Some(change.until + 1_000), "{name}: {} comes at {first:?}", change.name);
            let after = differ[change.until as usize..].iter().filter(|differs| **differs).count();
            assert!(after > 40, "{name}: of 1,500 events after {} {after} differ", change.name);
        }
    }
}

#[test]
fn deliveries_are_the_events_with_their_faults() {
    let text = "about = \"a\"\nconcept = \"sea\"\nspacing_ms = 100\n[faults]\nlabel_delay_ms = 1000\n\
        late = { share = 0.05, by = 20 }\nduplicates = { share = 0.02, by = 20 }\npoison = { share = 0.01 }\n";
    let scenario = Scenario::read("mine", text).unwrap();
    let count = |apart: bool, of: &dyn Fn(&Delivery) -> bool| -> f64 {
        scenario.deliveries(1, 20_000, apart).filter(|d| of(d)).count() as f64 / 20_000.0
    };
    for apart in [false, true] {
        let near = |share: f64, expected: f64| assert!((share - expected).abs() < 0.2 * expected, "{share} {expected}");
        near(count(apart, &|d| d.fault == Some(crate::Fault::Late)), 0.05);
        near(count(apart, &|d| d.fault == Some(crate::Fault::Duplicate)), 0.02);
        near(count(apart, &|d| matches!(d.fault, Some(crate::Fault::Broken(_)))), 0.01);
        assert_eq!(count(apart, &|d| d.label), f64::from(u8::from(apart)));
        let told = count(apart, &|d| !d.label && d.event.json.contains("target"));
        assert!(if apart { told == 0.0 } else { told > 1.0 }, "{told}");
    }
    let clean = Scenario::by_name("sea").unwrap();
    assert!(clean.deliveries(1, 500, false).map(|d| d.event).eq(clean.events(1, 500)));
}

#[test]
fn the_example_of_the_page_is_a_scenario() {
    let page = include_str!("../../../docs/simulations.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let scenario = Scenario::read("example", example).unwrap();
    let at: Vec<_> = scenario.drifts(70_000).iter().map(|drift| drift.at_event).collect();
    assert_eq!(at, [20_000, 40_000], "after 60,000 events the first parameters hold already");
    let apart = scenario.deliveries(1, 1_000, true).filter(|delivery| delivery.label).count();
    assert_eq!(apart, 1_000);
}
