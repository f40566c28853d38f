//! What is kept for the scores of classification: the last events, and counts over all of them and fading.

use features::ClassId;
use serde::{Deserialize, Serialize};

use super::tally::{Event, NOBODY, Tally};
use super::{FADING, WINDOW, finite};
use super::{accuracy, auc, brier, ece, f1, kappa, kappa_m, kappa_t, log_loss, mcc};
use crate::pieces::Pieces;
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
    /// The last events, in a ring, and how many of them were wrong, and had another label than the one before. Their
    /// scores are counted when somebody asks.
    window: Pieces<Event>,
    next: usize,
    wrong: f64,
    changes: f64,
    /// Over all events, and fading.
    long: Tally<[f64; 2]>,
    /// What the last event counted for in the fading ones; 0 before the first.
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
            confidence,
            log_loss: log_loss::of(p_true),
            brier,
            ranks,
        };
        let (loss, change) = losses(&event);
        // The learner may know classes that were neither a label nor its answer yet.
        let said = (u64::BITS - u64::from_le_bytes(ranks).leading_zeros()).div_ceil(u8::BITS) as usize;
        let known = said.max(predicted.map_or(truth, |class| class.0.max(truth)) as usize + 1);
        if known > self.long.classes.len() {
            self.long.know(known);
        }
        self.weight = if self.weight == 0.0 { 1.0 } else { self.weight * (1.0 / FADING) };
        if self.weight > LARGEST_WEIGHT {
            self.bring_down();
        }
        self.long.add(&event, [1.0, self.weight]);
        self.wrong += loss;
        self.changes += change;
        if let Some(oldest) = self.window.get_mut(self.next) {
            let (loss, change) = losses(oldest);
            self.wrong -= loss;
            self.changes -= change;
            *oldest = event;
        } else {
            self.window.push(event);
        }
        self.next = if self.next + 1 == WINDOW { 0 } else { self.next + 1 };
        let count = |class: u32| (self.long.classes[class as usize].truths[0], std::cmp::Reverse(class));
        self.common = Some(self.common.filter(|common| count(*common) > count(truth)).unwrap_or(truth));
        self.last = Some(truth);
        (loss, change)
    }

    /// Fading weights, all at once, by a power of two, so that nothing is rounded.
    #[cold]
    fn bring_down(&mut self) {
        self.weight *= 1.0 / LARGEST_WEIGHT;
        self.long = self.long.map(|[all, fading]| [all, fading * (1.0 / LARGEST_WEIGHT)]);
    }

    /// Wrong answers in the window, once it is full.
    pub fn full_window(&self) -> Option<f64> {
        (self.window.len() == WINDOW).then_some(self.wrong)
    }

    pub fn rolling_loss(&self) -> Option<f64> {
        finite(self.wrong / self.window.len() as f64)
    }

    pub fn fading_loss(&self) -> Option<f64> {
        finite(1.0 - self.long.right[1] / self.long.events[1])
    }

    pub fn report(&self, report: &mut Report) {
        let (all, fading) = (self.long.map(|[all, _]| all), self.long.map(|[_, fading]| fading));
        let mut recent = Tally::default();
        recent.know(all.classes.len());
        self.window.iter().for_each(|event| recent.add(event, 1.0));
        (report.all, report.rolling, report.fading) = (figures(&all), figures(&recent), figures(&fading));
        report.baseline_loss = finite(self.changes / self.window.len() as f64);
        let classes = all.classes.len();
        report.classes = (0..if classes <= REPORTED { classes } else { 0 })
            .map(|class| ClassReport {
                class: String::new(),
                all: of_class(&all, class),
                rolling: of_class(&recent, class),
                fading: of_class(&fading, class),
            })
            .collect();
    }

    pub fn bytes(&self) -> usize {
        self.window.bytes() + self.long.bytes()
    }
}

/// Of the learner, and of the last label again.
fn losses(event: &Event) -> (f64, f64) {
    (f64::from(u8::from(event.predicted != event.truth)), f64::from(u8::from(!event.same)))
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
