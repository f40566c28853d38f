//! Whether a learner still does what it did: its scores, a detector on its loss, the verdict and its incidents.
//!
//! The verdict is [`Signal::Drift`] while an incident is open, otherwise what the detector says. The detector `auto`
//! knows itself when an incident begins and ends; of the others, one begins with an alarm and lasts until 1,000 losses
//! after the last. Deploying the learner ends an incident and begins the watch anew.

use features::{Target, Task};
use serde::{Deserialize, Serialize};

use crate::bounded::Bounded;
use crate::hold::Hold;
use crate::incident::{Incident, IncidentEnd, Incidents};
use crate::{AnyDetector, Detector, Outcome, RestoreError, Scores, Section, Signal, SpecError};

/// Layout of the saved section.
const MONITOR_VERSION: u16 = 3;

/// Watches one learner.
#[derive(Clone, Debug)]
pub struct Monitor {
    state: State,
    detector: AnyDetector,
    /// The detector before its first loss.
    fresh: AnyDetector,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    scores: Scores,
    /// Only for losses without a bound.
    bounded: Option<Bounded>,
    signal: Signal,
    hold: Hold,
    incidents: Incidents,
}

impl Monitor {
    /// Nothing observed yet. `detector`: `name:key=value,…` of the catalog of detectors; `budget`: losses for one false
    /// alarm, where the text does not set its threshold.
    ///
    /// # Errors
    /// An unknown detector or parameter, a value out of range.
    pub fn new(task: Task, detector: &str, budget: f64) -> Result<Self, SpecError> {
        let state = State {
            scores: Scores::new(task),
            bounded: (task == Task::Regression).then(Bounded::default),
            signal: Signal::Stable,
            hold: Hold::default(),
            incidents: Incidents::default(),
        };
        let fresh = AnyDetector::build_within(detector, budget)?;
        Ok(Self { state, detector: fresh.clone(), fresh })
    }

    /// Takes in what was predicted and what was right, before the learner learns it. Returns the loss: 0 or 1, or the
    /// absolute error.
    pub fn observe(&mut self, outcome: &Outcome, target: Target) -> f64 {
        let state = &mut self.state;
        let (raw, baseline) = state.scores.update(outcome, target);
        let losses = match &mut state.bounded {
            None => Some((raw, baseline)),
            Some(bounded) => bounded.map(raw).zip(bounded.scale(baseline)),
        };
        let Some((loss, baseline)) = losses else { return raw };
        let turn = match &mut self.detector {
            AnyDetector::Auto(auto) => {
                let turn = auto.step(loss);
                state.signal = auto.signal();
                turn
            }
            detector => {
                state.signal = match &mut *detector {
                    AnyDetector::RollingLoss(rolling) => rolling.update_beside(loss, baseline),
                    other => other.update(loss),
                };
                state.hold.step(loss, state.signal, cut(detector))
            }
        };
        if let Some(turn) = turn {
            state.incidents.turn(turn, state.scores.events());
        }
        raw
    }

    /// What to think of the learner now.
    pub fn verdict(&self) -> Signal {
        if self.state.incidents.is_open() { Signal::Drift } else { self.state.signal }
    }

    /// How often it has drifted: its incidents.
    pub fn drifts(&self) -> u64 {
        self.state.incidents.count
    }

    /// Losses observed.
    pub fn losses(&self) -> u64 {
        self.state.scores.events()
    }

    /// The latest incident, open or ended.
    pub fn incident(&self) -> Option<&Incident> {
        self.state.incidents.latest.as_ref()
    }

    /// Its scores.
    pub fn scores(&self) -> &Scores {
        &self.state.scores
    }

    /// [`Report::rolling_loss`] alone.
    pub fn rolling_loss(&self) -> Option<f64> {
        self.state.scores.rolling_loss()
    }

    /// [`Report::fading_loss`] alone.
    pub fn fading_loss(&self) -> Option<f64> {
        self.state.scores.fading_loss()
    }

    /// The learner serves from now on: its best loss is counted anew, an open incident is over, and the detector
    /// forgets what it has seen.
    pub fn deployed(&mut self) {
        let state = &mut self.state;
        state.scores.deployed();
        state.incidents.end(state.scores.events(), IncidentEnd::Deployed);
        (state.signal, state.hold) = (Signal::Stable, Hold::default());
        self.detector = self.fresh.clone();
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.state.scores.bytes()
            + self.state.bounded.as_ref().map_or(0, Bounded::bytes)
            + self.detector.bytes()
            + self.fresh.bytes()
    }

    /// Appends the saved form: `monitor`, and a section named after the detector.
    pub fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("monitor", MONITOR_VERSION, &self.state));
        self.detector.save(out);
    }

    /// Takes over the state that [`Monitor::save`] wrote; `self` is new, of the same task and detector.
    ///
    /// # Errors
    /// A section that is missing, of an unknown version, or unreadable.
    pub fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        self.state = Section::read(sections, "monitor", MONITOR_VERSION)?;
        self.detector.restore(sections)
    }
}

/// The losses since a detector's cut, and their mean, if it keeps them.
fn cut(detector: &AnyDetector) -> Option<(u64, f64)> {
    match detector {
        AnyDetector::Adwin(adwin) => Some((adwin.width(), adwin.mean())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors of 10 %, of 60 % from event 2,000 on; scattered the same way for both tasks.
    fn event(task: Task, i: u32) -> (Outcome, Target) {
        let bad = i.wrapping_mul(2_654_435_761) >> 16 < if i < 2_000 { 6_554 } else { 39_322 };
        match task {
            Task::Classification => {
                let target = Target::Class(features::ClassId(0));
                let probabilities = if bad { vec![0.4, 0.6] } else { vec![0.6, 0.4] };
                (Outcome::of(&crate::Prediction { probabilities, value: 0.0 }, target), target)
            }
            Task::Regression => (Outcome::Value(if bad { 60.0 } else { 51.0 }), Target::Value(50.0)),
        }
    }

    fn after(task: Task, events: std::ops::Range<u32>, monitor: &mut Monitor) -> Vec<Signal> {
        events
            .map(|i| {
                let (outcome, target) = event(task, i);
                monitor.observe(&outcome, target);
                monitor.verdict()
            })
            .collect()
    }

    #[test]
    fn a_drift_is_counted_once_and_held_for_a_thousand_events() {
        for task in [Task::Classification, Task::Regression] {
            let mut monitor = Monitor::new(task, "adwin", 1e6).unwrap();
            let verdicts = after(task, 0..5_000, &mut monitor);
            let at = verdicts.iter().position(|v| *v == Signal::Drift).expect("the drift is found");
            assert!((2_000..2_200).contains(&at), "{task:?}: found at {at}");
            let held = verdicts.iter().filter(|v| **v == Signal::Drift).count();
            assert!((1_000..1_500).contains(&held), "{task:?}: held for {held}");
            assert_eq!((monitor.drifts(), monitor.verdict()), (1, Signal::Stable));
        }
    }

    #[test]
    fn a_hold_is_a_thousand_events_after_the_last_alarm_and_a_deployment_ends_it() {
        let task = Task::Classification;
        let mut monitor = Monitor::new(task, "adwin", 1e6).unwrap();
        let verdicts = after(task, 0..5_000, &mut monitor);
        let mut alone = AnyDetector::build("adwin").unwrap();
        let alarms: Vec<usize> = (0..5_000)
            .filter(|i| {
                let (outcome, target) = event(task, *i);
                let right = matches!((outcome, target), (Outcome::Class { predicted, .. }, Target::Class(c)) if predicted == Some(c));
                alone.update(f64::from(u8::from(!right))) == Signal::Drift
            })
            .map(|i| i as usize)
            .collect();
        let (first, last) = (alarms[0], alarms[alarms.len() - 1]);
        for (i, verdict) in verdicts.iter().enumerate() {
            assert_eq!(*verdict == Signal::Drift, (first..last + 1_000).contains(&i), "at {i}");
        }
        let mut monitor = Monitor::new(task, "adwin", 1e6).unwrap();
        after(task, 0..last as u32 + 1, &mut monitor);
        assert_eq!(monitor.verdict(), Signal::Drift);
        monitor.deployed();
        assert_eq!((monitor.verdict(), monitor.drifts()), (Signal::Stable, 1));
    }

    #[test]
    fn a_restored_monitor_goes_on_as_if_never_stopped() {
        let stops = [(Task::Classification, 2_300), (Task::Regression, 300), (Task::Regression, 2_300)];
        for ((task, stop), detector) in stops.into_iter().flat_map(|stop| [(stop, "adwin"), (stop, "auto")]) {
            let mut whole = Monitor::new(task, detector, 1e6).unwrap();
            after(task, 0..stop, &mut whole);
            let mut sections = vec![];
            whole.save(&mut sections);
            let mut restored = Monitor::new(task, detector, 1e6).unwrap();
            restored.restore(&sections).unwrap();
            assert_eq!(after(task, stop..4_000, &mut whole), after(task, stop..4_000, &mut restored));
            let saved = |monitor: &Monitor| {
                let mut out = vec![];
                monitor.save(&mut out);
                out
            };
            assert_eq!(saved(&whole), saved(&restored));
            assert_eq!((whole.scores().report(), whole.incident()), (restored.scores().report(), restored.incident()));
        }
    }

    #[test]
    fn auto_tells_onset_and_size_and_ends_its_incident_itself() {
        for task in [Task::Classification, Task::Regression] {
            let mut monitor = Monitor::new(task, "auto", 1e6).unwrap();
            let verdicts = after(task, 0..9_000, &mut monitor);
            let incident = monitor.incident().expect("the change is found");
            assert!((2_000..2_100).contains(&incident.at) && incident.onset.abs_diff(2_000) < 50, "{incident:?}");
            assert_eq!((incident.number, incident.escalations, monitor.drifts()), (1, 0, 1));
            assert_eq!(incident.end, Some((incident.at + 4_000, IncidentEnd::Rebaselined)));
            if task == Task::Classification {
                assert!((incident.before - 0.1).abs() < 0.02 && (incident.after - 0.6).abs() < 0.02, "{incident:?}");
            }
            for (i, verdict) in verdicts.iter().enumerate() {
                let open = (incident.at..incident.at + 4_000).contains(&(i as u64 + 1));
                assert_eq!(*verdict == Signal::Drift, open, "{task:?} at {i}");
            }
        }
    }

    #[test]
    fn a_deployment_ends_an_incident_and_what_was_is_forgotten() {
        for detector in ["auto", "adwin"] {
            let task = Task::Classification;
            let mut monitor = Monitor::new(task, detector, 1e6).unwrap();
            after(task, 0..2_150, &mut monitor);
            assert_eq!(monitor.verdict(), Signal::Drift, "{detector}");
            monitor.deployed();
            let incident = monitor.incident().expect("it was open");
            assert_eq!((incident.end, monitor.verdict()), (Some((2_150, IncidentEnd::Deployed)), Signal::Stable));
            assert_eq!(monitor.scores().report().best_loss, None);
            // As high as it was: that is normal for what was deployed.
            assert!(!after(task, 2_150..6_000, &mut monitor).contains(&Signal::Drift), "{detector}");
            assert_eq!(monitor.drifts(), 1, "{detector}");
        }
    }

    #[test]
    fn adwin_knows_where_it_cut() {
        let task = Task::Classification;
        let mut monitor = Monitor::new(task, "adwin", 1e6).unwrap();
        after(task, 0..5_000, &mut monitor);
        let incident = monitor.incident().expect("the change is found");
        assert!(incident.onset < incident.at && incident.onset.abs_diff(2_000) < 150, "{incident:?}");
        assert!((incident.before - 0.1).abs() < 0.03 && (incident.after - 0.6).abs() < 0.05, "{incident:?}");
        assert!(matches!(incident.end, Some((_, IncidentEnd::Rebaselined))), "{incident:?}");
    }

    #[test]
    fn the_loss_comes_back() {
        let mut monitor = Monitor::new(Task::Regression, "auto", 1e6).unwrap();
        assert_eq!(monitor.observe(&Outcome::Value(3.5), Target::Value(1.0)), 2.5);
    }
}
