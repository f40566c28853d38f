//! Breaks a seeded share of a stream's records, each in one of the ways a real one breaks, and says which.

use crate::event::Event;
use crate::random::Random;

/// How a record is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// The text ends in the middle.
    NotJson,
    /// The target is not there.
    NoTarget,
    /// The target is 1e999.
    ImpossibleNumber,
    /// No bytes at all.
    Empty,
    /// More bytes than a record may have.
    TooLarge,
}

/// A record of a poisoned stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poisoned {
    /// The event; id, time and key are those of the record that stood there.
    pub event: Event,
    /// What was done to it; `None` = it is whole.
    pub broken: Option<Broken>,
}

/// A stream of which a share is broken.
#[derive(Clone, Debug)]
pub struct Poison<I> {
    events: I,
    target: &'static str,
    share: f64,
    too_large: Option<usize>,
    random: Random,
}

/// Breaks about `share` (0 to 1) of `events`, whose last field is `target`. With `too_large` one way to break a record
/// is to make it one byte larger than that.
pub fn poison<I: Iterator<Item = Event>>(
    events: I,
    target: &'static str,
    share: f64,
    too_large: Option<usize>,
    seed: u64,
) -> Poison<I> {
    // Not the generator that made the events.
    let random = Random::new(seed ^ 0x9e37_79b9_7f4a_7c15);
    Poison { events, target, share, too_large, random }
}

impl<I: Iterator<Item = Event>> Iterator for Poison<I> {
    type Item = Poisoned;

    fn next(&mut self) -> Option<Poisoned> {
        let mut event = self.events.next()?;
        if !self.random.chance(self.share) {
            return Some(Poisoned { event, broken: None });
        }
        const WAYS: [Broken; 5] =
            [Broken::NotJson, Broken::NoTarget, Broken::ImpossibleNumber, Broken::Empty, Broken::TooLarge];
        let ways = if self.too_large.is_some() { 5 } else { 4 };
        let broken = WAYS[(self.random.uniform() * f64::from(ways)) as usize];
        let json = &mut event.json;
        let target = json.rfind(&format!(",\"{}\":", self.target)).expect("the last field is the target");
        match broken {
            Broken::NotJson => json.truncate(json.len() / 2),
            Broken::NoTarget => json.replace_range(target.., "}"),
            Broken::ImpossibleNumber => json.replace_range(target.., &format!(",\"{}\":1e999}}", self.target)),
            Broken::Empty => json.clear(),
            Broken::TooLarge => {
                let limit = self.too_large.expect("the fifth way is there only if asked for");
                let padding = (limit + 1).saturating_sub(json.len());
                json.insert_str(json.len() - 1, &" ".repeat(padding));
            }
        }
        Some(Poisoned { event, broken: Some(broken) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Scenario;

    #[test]
    fn a_share_is_broken_in_every_way_and_the_rest_is_whole() {
        for scenario in Scenario::ENTRIES {
            let whole: Vec<Event> = scenario.events(1, 20_000).collect();
            let broken = poison(whole.clone().into_iter(), scenario.target, 0.05, Some(1_000), 1);
            let mut ways: BTreeMap<Broken, u32> = BTreeMap::new();
            for (now, before) in broken.zip(&whole) {
                assert_eq!((now.event.id, now.event.at_ms, &now.event.key), (before.id, before.at_ms, &before.key));
                let json = serde_json::from_str::<serde_json::Value>(&now.event.json);
                match now.broken {
                    None => assert_eq!(now.event, *before),
                    Some(Broken::NotJson | Broken::ImpossibleNumber) => assert!(json.is_err()),
                    Some(Broken::NoTarget) => assert_eq!(json.unwrap().get(scenario.target), None),
                    Some(Broken::Empty) => assert_eq!(now.event.json, ""),
                    Some(Broken::TooLarge) => {
                        assert!(json.is_ok());
                        assert_eq!(now.event.json.len(), 1_001);
                    }
                }
                if let Some(way) = now.broken {
                    *ways.entry(way).or_default() += 1;
                }
            }
            assert!(ways.len() == 5 && ways.values().all(|n| (140..260).contains(n)), "{ways:?}");
        }
    }

    #[test]
    fn nothing_is_too_large_unless_asked_for() {
        let events = Scenario::ENTRIES[0].events(1, 5_000);
        assert!(poison(events, "power", 1.0, None, 1).all(|p| !matches!(p.broken, None | Some(Broken::TooLarge))));
    }
}
