//! Breaks a seeded share of a stream's records, each in one of the ways a real one breaks, and says which. Labels stay
//! whole.

use serde::Deserialize;

use super::{Delivery, Fault};
use crate::random::Random;

/// How a record is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// The text ends in the middle.
    NotJson,
    /// No bytes at all.
    Empty,
    /// The target is not there.
    NoTarget,
    /// The target is 1e999.
    ImpossibleNumber,
    /// More bytes than a record may have.
    TooLarge,
}

/// A share (0 to 1) of the records is broken; with `too_large_bytes` some are one byte larger than that.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoisonShare {
    pub(crate) share: f64,
    pub(crate) too_large_bytes: Option<u32>,
}

/// A stream of which a share is broken.
pub(crate) struct Poison<I> {
    records: I,
    /// The last field of each event; `None` = it is not there.
    target: Option<&'static str>,
    poison: PoisonShare,
    random: Random,
}

impl<I> Poison<I> {
    pub(crate) fn new(records: I, target: Option<&'static str>, poison: PoisonShare, seed: u64) -> Self {
        // Not the generator that made the events.
        let random = Random::new(seed ^ 0x9e37_79b9_7f4a_7c15);
        Self { records, target, poison, random }
    }
}

impl<I: Iterator<Item = Delivery>> Iterator for Poison<I> {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        let mut delivery = self.records.next()?;
        if delivery.label || !self.random.chance(self.poison.share) {
            return Some(delivery);
        }
        let mut ways = vec![Broken::NotJson, Broken::Empty];
        if self.target.is_some() {
            ways.extend([Broken::NoTarget, Broken::ImpossibleNumber]);
        }
        if self.poison.too_large_bytes.is_some() {
            ways.push(Broken::TooLarge);
        }
        let broken = ways[self.random.below(ways.len())];
        let target = self.target.map_or(0, |name| delivery.event.target_from(name));
        let json = &mut delivery.event.json;
        match broken {
            Broken::NotJson => json.truncate(json.len() / 2),
            Broken::Empty => json.clear(),
            Broken::NoTarget => json.replace_range(target.., "}"),
            Broken::ImpossibleNumber => {
                let name = self.target.unwrap_or_default();
                json.replace_range(target.., &format!(",\"{name}\":1e999}}"));
            }
            Broken::TooLarge => {
                let limit = self.poison.too_large_bytes.unwrap_or_default() as usize;
                let padding = (limit + 1).saturating_sub(json.len());
                json.insert_str(json.len() - 1, &" ".repeat(padding));
            }
        }
        delivery.fault = Some(Fault::Broken(broken));
        Some(delivery)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Scenario;

    fn poisoned(scenario: &Scenario, target: Option<&'static str>, limit: Option<u32>) -> Vec<Delivery> {
        let whole = scenario.events(1, 20_000).map(|event| Delivery { event, label: false, fault: None });
        Poison::new(whole, target, PoisonShare { share: 0.05, too_large_bytes: limit }, 1).collect()
    }

    #[test]
    fn a_share_is_broken_in_every_way_and_the_rest_is_whole() {
        for name in ["sensors", "sea"] {
            let scenario = Scenario::by_name(name).unwrap();
            let mut ways: BTreeMap<Broken, u32> = BTreeMap::new();
            for (now, before) in
                poisoned(scenario, Some(scenario.target), Some(1_000)).iter().zip(scenario.events(1, 20_000))
            {
                assert_eq!((now.event.id, now.event.at_ms, &now.event.key), (before.id, before.at_ms, &before.key));
                let json = serde_json::from_str::<serde_json::Value>(&now.event.json);
                let Some(Fault::Broken(way)) = now.fault else {
                    assert_eq!((now.fault, &now.event), (None, &before));
                    continue;
                };
                match way {
                    Broken::NotJson | Broken::ImpossibleNumber => assert!(json.is_err()),
                    Broken::NoTarget => assert_eq!(json.unwrap().get(scenario.target), None),
                    Broken::Empty => assert_eq!(now.event.json, ""),
                    Broken::TooLarge => {
                        assert!(json.is_ok());
                        assert_eq!(now.event.json.len(), 1_001);
                    }
                }
                *ways.entry(way).or_default() += 1;
            }
            assert!(ways.len() == 5 && ways.values().all(|n| (140..260).contains(n)), "{ways:?}");
        }
    }

    #[test]
    fn nothing_is_too_large_unless_asked_for_nor_lacks_a_target_it_never_had() {
        let scenario = Scenario::by_name("sea").unwrap();
        let ways = |target, limit| -> std::collections::BTreeSet<_> {
            poisoned(scenario, target, limit).into_iter().filter_map(|d| d.fault).collect()
        };
        use Broken::*;
        assert_eq!(ways(Some("target"), None), [NotJson, Empty, NoTarget, ImpossibleNumber].map(Fault::Broken).into());
        assert_eq!(ways(None, None), [NotJson, Empty].map(Fault::Broken).into());
    }
}
