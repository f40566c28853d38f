//! Incidents of detectors that only alarm: one lasts until 1,000 losses after the last alarm.
//!
//! The level before is the mean since the last incident, that at the alarm the mean since the cut if the detector
//! keeps one, otherwise the fading mean of about 32 losses. When the hold ends, the mean of its 1,000 losses tells
//! whether the loss has come back (it is nearer to the level before) or is to count as normal.

use serde::{Deserialize, Serialize};

use crate::Signal;
use crate::incident::{Change, Turn};

/// Losses that an incident is held after its last alarm.
const HOLD: u32 = 1_000;
/// What a loss counts in the fading mean.
const RECENT: f64 = 1.0 / 32.0;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hold {
    /// Losses for which an incident is still held; 0: none is open.
    left: u32,
    /// Losses and their sum: since the last alarm while held, otherwise since the last incident.
    count: u64,
    sum: f64,
    recent: f64,
    /// The middle between the levels before and at the alarm.
    middle: f64,
}

impl Hold {
    /// Takes in a loss and what the detector said of it; `since`: losses since its cut, and their mean.
    pub(crate) fn step(&mut self, loss: f64, signal: Signal, since: Option<(u64, f64)>) -> Option<Turn> {
        self.count += 1;
        self.sum += loss;
        self.recent += (loss - self.recent) * RECENT.max(1.0 / self.count as f64);
        match (signal, self.left) {
            (Signal::Drift, 0) => {
                let (newer, after) = since.unwrap_or((0, self.recent));
                let newer = newer.min(self.count);
                let older = (self.count - newer) as f64;
                let before = if older > 0.0 { ((self.sum - after * newer as f64) / older).max(0.0) } else { after };
                *self = Self { left: HOLD, middle: f64::midpoint(before, after), ..Self::default() };
                Some(Turn::Raised(Change { newer, before, after }))
            }
            (Signal::Drift, _) => {
                (self.left, self.count, self.sum) = (HOLD, 0, 0.0);
                None
            }
            (_, 1) => {
                let level = self.sum / self.count as f64;
                let turn = if level < self.middle { Turn::Over } else { Turn::Rebaselined(level) };
                *self = Self::default();
                Some(turn)
            }
            (_, left) => {
                self.left = left.saturating_sub(1);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(losses: impl Iterator<Item = f64>, alarms: &[usize], since: Option<(u64, f64)>) -> Vec<(usize, Turn)> {
        let mut hold = Hold::default();
        let signal = |i| if alarms.contains(&i) { Signal::Drift } else { Signal::Stable };
        losses.enumerate().filter_map(|(i, loss)| Some((i, hold.step(loss, signal(i), since)?))).collect()
    }

    #[test]
    fn alarms_within_the_hold_are_one_incident_and_its_level_decides_how_it_ends() {
        let alternating = |i: usize| if i.is_multiple_of(2) { 1.0 } else { 0.0 };
        let stays = run((0..4_000).map(|i| if i < 1_000 { 0.0 } else { alternating(i) }), &[1_100, 1_500], None);
        let [(1_100, Turn::Raised(change)), (2_500, end)] = stays[..] else { panic!("{stays:?}") };
        assert_eq!((change.newer, end), (0, Turn::Rebaselined(0.5)));
        assert!((change.after - 0.5).abs() < 0.05, "{change:?}");
        // 1,000 zeros, then 50 ones among 100.
        assert!((change.before - 51.0 / 1_101.0).abs() < 1e-12, "{change:?}");
        let back =
            run((0..4_000).map(|i| if (1_000..1_200).contains(&i) { alternating(i) } else { 0.0 }), &[1_100], None);
        assert_eq!(back[1..], [(2_100, Turn::Over)]);
    }

    #[test]
    fn only_what_came_after_the_last_alarm_decides_how_it_ends() {
        let losses = (0..5_000).map(|i| if (1_000..2_990).contains(&i) { 1.0 } else { 0.0 });
        assert_eq!(run(losses, &[1_100, 2_050, 2_989], None)[1..], [(3_989, Turn::Over)]);
    }

    #[test]
    fn a_detector_that_knows_its_cut_is_believed() {
        let turns = run((0..2_000).map(|i| if i < 1_000 { 0.0 } else { 1.0 }), &[1_099], Some((100, 1.0)));
        assert_eq!(turns[0], (1_099, Turn::Raised(Change { newer: 100, before: 0.0, after: 1.0 })));
    }
}
