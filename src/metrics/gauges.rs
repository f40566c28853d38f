//! Metrics that are read off the models at the moment somebody asks.

use std::sync::atomic::AtomicU64;

use fold::{Counts, Standing};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Page;

use super::Labels;
use crate::live::Served;
use crate::registry::Registry;
use crate::status::Status;

type Real = Gauge<f64, AtomicU64>;

/// One reading of every model.
#[derive(Default)]
pub(super) struct Gauges {
    model_ready: Family<Labels<1>, Gauge>,
    model_info: Family<Labels<3>, Gauge>,
    model_age: Family<Labels<1>, Real>,
    learn_events: Family<Labels<2>, Counter>,
    accuracy: Family<Labels<2>, Real>,
    loss: Family<Labels<3>, Real>,
    score: Family<Labels<4>, Real>,
    class_score: Family<Labels<4>, Real>,
    member_weight: Family<Labels<3>, Real>,
    member_loss: Family<Labels<3>, Real>,
    member_bytes: Family<Labels<3>, Gauge>,
    member_operations: Family<Labels<3>, Gauge>,
    input_weight: Family<Labels<3>, Real>,
    drift_state: Family<Labels<1>, Gauge>,
    drift_events: Family<Labels<4>, Counter>,
    model_bytes: Family<Labels<2>, Gauge>,
    labels_pending: Family<Labels<1>, Gauge>,
    consumer_lag: Family<Labels<3>, Gauge>,
    checkpoint_last_success: Family<Labels<1>, Real>,
}

impl Gauges {
    pub(super) fn register(self, page: &mut Page) {
        page.register("perennial_model_ready", "1 if the model follows its topics and predicts", self.model_ready);
        page.register("perennial_model_info", "The live model: always 1", self.model_info);
        page.register("perennial_model_age_seconds", "Time since the live version was published", self.model_age);
        page.register(
            "perennial_learn_events",
            "Records folded into the live version, by what became of them (kept over restarts)",
            self.learn_events,
        );
        page.register(
            "perennial_accuracy_ratio",
            "The serving learner's share of right classes before it saw them: over all events, the last 1000, fading",
            self.accuracy,
        );
        page.register(
            "perennial_loss",
            "Mean loss of each learner (share of wrong classes, or mean absolute error): over the last 1000 events, fading, and the best window since deployment",
            self.loss,
        );
        page.register(
            "perennial_score",
            "Every score of each learner by its name: over all events, the last 1000, fading",
            self.score,
        );
        page.register(
            "perennial_class_score",
            "Scores of each class (share of labels, precision, recall, f1, auc) by the serving learner: over all events, the last 1000, fading",
            self.class_score,
        );
        page.register(
            "perennial_member_weight",
            "Part of an ensemble's answer that each member has: 0 to 1, together 1",
            self.member_weight,
        );
        page.register(
            "perennial_member_loss",
            "Fading loss of each member's own answers (log loss, or absolute error)",
            self.member_loss,
        );
        page.register("perennial_member_bytes", "Bytes each member of an ensemble holds", self.member_bytes);
        page.register(
            "perennial_member_operations",
            "Operations an event that each member costs, as the budget counts them",
            self.member_operations,
        );
        page.register(
            "perennial_input_weight",
            "Part that each input has in the scores of a learner's linear parts: 0 to 1, the 20 greatest",
            self.input_weight,
        );
        page.register("perennial_drift_state", "The serving learner: 0 stable, 1 warning, 2 drift", self.drift_state);
        page.register(
            "perennial_drift_events",
            "Drifts of each learner's loss (kept over restarts)",
            self.drift_events,
        );
        page.register("perennial_model_bytes", "Bytes each learner holds", self.model_bytes);
        page.register("perennial_labels_pending", "Rows that wait for their label", self.labels_pending);
        page.register("perennial_consumer_lag_messages", "Records waiting in a partition", self.consumer_lag);
        page.register(
            "perennial_checkpoint_last_success_timestamp_seconds",
            "When the newest checkpoint was taken, since the Unix epoch",
            self.checkpoint_last_success,
        );
    }

    pub(super) fn read(models: &Registry, now_ms: i64) -> Self {
        let gauges = Self::default();
        for (name, handle) in models.all().iter() {
            let ready = handle.reasons().is_empty();
            gauges.model_ready.get_or_create(&[model(name)]).set(ready.into());
            gauges.status(name, &handle.status.get());
            if let Some(served) = handle.live.load() {
                gauges.served(name, &served, &handle.status.detector, now_ms);
            }
        }
        gauges
    }

    fn status(&self, name: &str, status: &Status) {
        for lag in &status.lag {
            let labels = [model(name), ("topic", lag.topic.clone()), ("partition", lag.partition.to_string())];
            self.consumer_lag.get_or_create(&labels).set(lag.messages);
        }
        if let Some(checkpoint) = &status.checkpoint {
            self.checkpoint_last_success.get_or_create(&[model(name)]).set(checkpoint.at_ms as f64 / 1e3);
        }
    }

    fn served(&self, name: &str, served: &Served, detector: &str, now_ms: i64) {
        let snapshot = &served.newest;
        let version = ("version", snapshot.version.to_string());
        self.model_info.get_or_create(&[model(name), version, ("algorithm", snapshot.learner.clone())]).set(1);
        self.model_age.get_or_create(&[model(name)]).set(served.age_ms(now_ms) as f64 / 1e3);

        let Counts { events, rejected, tombstones, unusable_values: _ } = snapshot.counts;
        for (outcome, count) in [("learned", events), ("rejected", rejected), ("tombstone", tombstones)] {
            self.learn_events.get_or_create(&[model(name), ("outcome", outcome.into())]).inc_by(count);
        }
        self.labels_pending.get_or_create(&[model(name)]).set(snapshot.labels.waiting as i64);
        if let Some(champion) = snapshot.standings.first() {
            self.champion(name, champion);
        }
        for standing in &snapshot.standings {
            self.standing(name, standing, detector);
        }
    }

    fn champion(&self, name: &str, champion: &Standing) {
        self.drift_state.get_or_create(&[model(name)]).set(champion.verdict as i64);
        let report = &champion.report;
        // Only classification has an accuracy; there a loss is the share of wrong classes.
        if let Some(accuracy) = report.all.accuracy {
            let right = |loss: Option<f64>| loss.map(|loss| 1.0 - loss);
            let windows =
                [("all", Some(accuracy)), ("1000", right(report.rolling_loss)), ("fading", right(report.fading_loss))];
            for (window, accuracy) in windows {
                if let Some(accuracy) = accuracy {
                    self.accuracy.get_or_create(&[model(name), ("window", window.into())]).set(accuracy);
                }
            }
        }
        for class in &report.classes {
            for (window, figures) in [("all", class.all), ("1000", class.rolling), ("fading", class.fading)] {
                for (score, x) in figures.named() {
                    let of = ("class", class.class.clone());
                    let labels = [model(name), of, ("score", score.into()), ("window", window.into())];
                    self.class_score.get_or_create(&labels).set(x);
                }
            }
        }
    }

    fn standing(&self, name: &str, standing: &Standing, detector: &str) {
        let learner = || ("learner", standing.learner.clone());
        let report = &standing.report;
        for (window, loss) in
            [("1000", report.rolling_loss), ("fading", report.fading_loss), ("best", report.best_loss)]
        {
            if let Some(loss) = loss {
                self.loss.get_or_create(&[model(name), learner(), ("window", window.into())]).set(loss);
            }
        }
        for (window, figures) in [("all", report.all), ("1000", report.rolling), ("fading", report.fading)] {
            for (score, x) in figures.named() {
                let labels = [model(name), learner(), ("score", score.into()), ("window", window.into())];
                self.score.get_or_create(&labels).set(x);
            }
        }
        for member in &standing.members {
            let labels = [model(name), learner(), ("member", member.name.clone())];
            self.member_weight.get_or_create(&labels).set(member.share);
            self.member_bytes.get_or_create(&labels).set(member.bytes as i64);
            if let Some(operations) = member.operations {
                self.member_operations.get_or_create(&labels).set(operations as i64);
            }
            if let Some(loss) = member.loss {
                self.member_loss.get_or_create(&labels).set(loss);
            }
        }
        for input in &standing.inputs {
            self.input_weight.get_or_create(&[model(name), learner(), ("input", input.input.clone())]).set(input.share);
        }
        let watched = [model(name), learner(), ("detector", detector.to_owned()), ("level", "drift".into())];
        self.drift_events.get_or_create(&watched).inc_by(standing.drifts);
        self.model_bytes.get_or_create(&[model(name), learner()]).set(standing.bytes as i64);
    }
}

fn model(name: &str) -> (&'static str, String) {
    ("model", name.to_owned())
}
