//! How well a learner does, in numbers for people and programs.

use serde::Serialize;

/// Scores over some events. What does not apply to the task, or has no meaning yet, is absent; each is defined in the
/// file of its name in `learners/src/scores/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Share of right classes, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Cohen's kappa, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa: Option<f64>,
    /// Kappa against the last label again, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa_t: Option<f64>,
    /// Kappa against the most frequent label, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa_m: Option<f64>,
    /// Mean negative natural logarithm of the true class's probability (floored at 1e-15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    /// Mean squared distance of the probabilities from the truth, 0..=2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brier: Option<f64>,
    /// Macro F1, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// Area under the ROC curve, macro over one class against the rest, 0..=1; of at most 8 classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// How far the exact area can be from `auc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc_error: Option<f64>,
    /// Matthews' correlation coefficient, -1..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcc: Option<f64>,
    /// Expected calibration error over 10 equal bins of confidence, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ece: Option<f64>,
    /// Mean absolute error, in units of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Root of the mean squared error, in units of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// 1 - squared error / squared deviation from the mean, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Mean absolute error / that of the last value again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mase: Option<f64>,
    /// Mean pinball loss of the ends of the 90 % interval, in units of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinball: Option<f64>,
    /// Share of targets within the 90 % interval, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
}

impl Figures {
    /// The figures that there are, with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [
            ("accuracy", self.accuracy),
            ("kappa", self.kappa),
            ("kappa_t", self.kappa_t),
            ("kappa_m", self.kappa_m),
            ("log_loss", self.log_loss),
            ("brier", self.brier),
            ("f1", self.f1),
            ("auc", self.auc),
            ("auc_error", self.auc_error),
            ("mcc", self.mcc),
            ("ece", self.ece),
            ("mae", self.mae),
            ("rmse", self.rmse),
            ("r2", self.r2),
            ("mase", self.mase),
            ("pinball", self.pinball),
            ("coverage", self.coverage),
        ];
        all.into_iter().filter_map(|(name, figure)| Some((name, figure?)))
    }
}

/// Scores of one class over some events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Share of events that have this label.
    pub share: f64,
    /// Share of right answers where it was predicted; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    /// Share of right answers where it was the label; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// Area under the ROC curve against all other classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
}

impl ClassFigures {
    /// The figures that there are, with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let Self { share, precision, recall, f1, auc } = *self;
        let all = [("share", Some(share)), ("precision", precision), ("recall", recall), ("f1", f1), ("auc", auc)];
        all.into_iter().filter_map(|(name, figure)| Some((name, figure?)))
    }
}

/// Scores of one class.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClassReport {
    /// Its name, once somebody who knows it has set it.
    pub class: String,
    /// Over all events.
    #[serde(flatten)]
    pub all: ClassFigures,
    /// Over the last 1,000 events.
    pub rolling: ClassFigures,
    /// Each event counting 0.999 of the next.
    pub fading: ClassFigures,
}

/// Scores of one learner.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Over all events.
    #[serde(flatten)]
    pub all: Figures,
    /// Over the last 1,000 events.
    pub rolling: Figures,
    /// Each event counting 0.999 of the next.
    pub fading: Figures,
    /// By class, in the order of their first sight; empty where there are more than 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassReport>,
    /// What to add to a prediction for the ends of the interval that holds 9 of 10 targets; absent before 100 events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<[f64; 2]>,
    /// Mean loss over the last 1,000 events: share of wrong classes, or mean absolute error.
    pub rolling_loss: Option<f64>,
    /// Mean loss, each event counting 0.999 of the next.
    pub fading_loss: Option<f64>,
    /// The lowest rolling loss (full window) since the learner was deployed.
    pub best_loss: Option<f64>,
    /// The no-change baseline's mean loss over the same last 1,000 events.
    pub baseline_loss: Option<f64>,
}

impl Report {
    /// Says what the classes are called.
    pub fn name_classes<'a>(&mut self, name: impl Fn(u32) -> Option<&'a str>) {
        for (report, class) in self.classes.iter_mut().zip(0..) {
            report.class = name(class).unwrap_or_default().to_owned();
        }
    }
}
