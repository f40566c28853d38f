//! What is kept for the scores of classification: the last events, and three tallies.

use features::ClassId;
use serde::{Deserialize, Serialize};

use super::tally::{Event, NOBODY, Tally};
use super::{FADING, WINDOW};
use super::{accuracy, auc, brier, ece, f1, kappa, kappa_m, kappa_t, log_loss, mcc};
use crate::report::{ClassFigures, ClassReport, Figures};
use crate::{Outcome, Report};

/// Fading weights grow with every event instead of all others shrinking; beyond this they are brought down, all at once.
const LARGEST_WEIGHT: f64 = f64::from_bits((1023 + 256) << 52);
/// Classes of which each is reported.
const REPORTED: usize = 64;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Classes {
    last: Option<u32>,
    /// The most frequent label so far, the lowest among equals.
    common: Option<u32>,
    /// The last events, in a ring.
    window: Vec<Event>,
    next: usize,
    all: Tally,
    recent: Tally,
    fading: Tally,
    /// What the last event counted for in `fading`; 0 before the first.
    weight: f64,
}

impl Classes {
    /// Returns the losses of the learner and of the last label again.
    pub fn update(&mut self, outcome: &Outcome, ClassId(truth): ClassId) -> (f64, f64) {
        let Outcome::Class { predicted, confidence, p_true, brier, ranks } = *outcome else {
            unreachable!("scores, outcome and target are of one task")
        };
        let event = Event {
            truth,
            predicted: predicted.map_or(NOBODY, |class| class.0),
            same: self.last == Some(truth),
            common: self.common == Some(truth),
            confidence: fixed(confidence),
            log_loss: fixed(log_loss::of(p_true)),
            brier: fixed(brier),
            ranks,
        };
        // The learner may know classes that were neither a label nor its answer yet.
        let said = (u64::BITS - u64::from_le_bytes(ranks).leading_zeros()).div_ceil(u8::BITS) as usize;
        self.know(said.max(predicted.map_or(truth, |class| class.0.max(truth)) as usize + 1));
        self.all.add(&event, 1.0);
        self.recent.add(&event, 1.0);
        if let Some(oldest) = self.window.get_mut(self.next) {
            self.recent.add(oldest, -1.0);
            *oldest = event;
        } else {
            self.window.push(event);
        }
        self.next = (self.next + 1) % WINDOW;
        self.fade(&event);
        let count = |class: u32| (self.all.classes[class as usize].truths, std::cmp::Reverse(class));
        self.common = Some(self.common.filter(|common| count(*common) > count(truth)).unwrap_or(truth));
        self.last = Some(truth);
        (f64::from(u8::from(event.predicted != truth)), f64::from(u8::from(!event.same)))
    }

    fn know(&mut self, classes: usize) {
        if classes > self.all.classes.len() {
            [&mut self.all, &mut self.recent, &mut self.fading].into_iter().for_each(|tally| tally.know(classes));
        }
    }

    fn fade(&mut self, event: &Event) {
        self.weight = if self.weight == 0.0 { 1.0 } else { self.weight * (1.0 / FADING) };
        if self.weight > LARGEST_WEIGHT {
            self.weight *= 1.0 / LARGEST_WEIGHT;
            self.fading.scale(1.0 / LARGEST_WEIGHT);
        }
        self.fading.add(event, self.weight);
    }

    /// Wrong answers in the window, once it is full.
    pub fn full_window(&self) -> Option<f64> {
        (self.window.len() == WINDOW).then_some(self.recent.events - self.recent.right)
    }

    pub fn rolling_loss(&self) -> Option<f64> {
        accuracy::of(&self.recent).map(|accuracy| 1.0 - accuracy)
    }

    pub fn fading_loss(&self) -> Option<f64> {
        accuracy::of(&self.fading).map(|accuracy| 1.0 - accuracy)
    }

    pub fn report(&self, report: &mut Report) {
        (report.all, report.rolling, report.fading) =
            (figures(&self.all), figures(&self.recent), figures(&self.fading));
        report.baseline_loss = Some(1.0 - self.recent.same / self.recent.events);
        let classes = self.all.classes.len();
        report.classes = (0..if classes <= REPORTED { classes } else { 0 })
            .map(|class| ClassReport {
                class: String::new(),
                all: of_class(&self.all, class),
                rolling: of_class(&self.recent, class),
                fading: of_class(&self.fading, class),
            })
            .collect();
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&*self.window) + self.all.bytes() + self.recent.bytes() + self.fading.bytes()
    }
}

/// The nearest multiple of 2⁻³², of a number far below 2²⁰.
fn fixed(x: f64) -> f64 {
    const ROUND: f64 = 1_572_864.0; // 1.5 * 2^20: beside it there are 32 binary places
    (x + ROUND) - ROUND
}

fn figures(tally: &Tally) -> Figures {
    let (auc, auc_error) = auc::of(tally).unzip();
    Figures {
        accuracy: accuracy::of(tally),
        kappa: kappa::of(tally),
        kappa_t: kappa_t::of(tally),
        kappa_m: kappa_m::of(tally),
        log_loss: log_loss::mean(tally),
        brier: brier::of(tally),
        f1: f1::of(tally),
        auc,
        auc_error,
        mcc: mcc::of(tally),
        ece: ece::of(tally),
        ..Figures::default()
    }
}

fn of_class(tally: &Tally, class: usize) -> ClassFigures {
    let own = &tally.classes[class];
    ClassFigures {
        share: own.truths / tally.events,
        precision: f1::precision(own),
        recall: f1::recall(own),
        f1: f1::of_class(own),
        auc: auc::of_class(tally, class).map(|(auc, _)| auc),
    }
}
