//! Makes samples of one model: what is live now, and rates over the last two seconds.

use std::collections::VecDeque;
use std::sync::Arc;

use fold::Live;

use super::sample::Sample;
use crate::live::Served;
use crate::metrics::Latencies;
use crate::status::Status;

/// Readings that rates are taken over.
const READINGS: usize = 8;

struct Reading {
    at_ms: i64,
    version: u64,
    events: u64,
    /// When that many events had been learned from.
    events_at_ms: i64,
    latencies: Latencies,
}

/// The latest readings of one model.
#[derive(Default)]
pub(super) struct Window(VecDeque<Reading>);

impl Window {
    /// How the model stands at `now_ms`.
    pub fn sample(&mut self, now_ms: i64, served: &Served, status: &Status, latencies: Latencies) -> Sample {
        let model = &served.newest;
        let (version, events) = (model.version, model.counts.events);
        let is_new = self.0.back().is_none_or(|last| last.version != version);
        // What was just published was so then; what has stayed the same, or is not what answers, is so now.
        let answers = Arc::ptr_eq(&served.model, &served.newest);
        let events_at_ms = if is_new && answers { served.published_at_ms.min(now_ms) } else { now_ms };
        if self.0.len() > READINGS || self.0.back().is_some_and(|last| last.at_ms > now_ms) {
            self.0.pop_front();
        }
        self.0.push_back(Reading { at_ms: now_ms, version, events, events_at_ms, latencies });
        let (old, new) = (&self.0[0], &self.0[self.0.len() - 1]);
        let per_second = |count: u64, ms: i64| if ms > 0 { count as f64 * 1e3 / ms as f64 } else { 0.0 };
        let answered = new.latencies.since(&old.latencies);
        let champion = model.standings.first();
        let finite = |x: Option<f64>| x.filter(|x| x.is_finite());
        let loss = model.standings.iter().filter_map(|s| Some((s.learner.clone(), finite(s.report.rolling_loss)?)));
        Sample {
            at_ms: now_ms,
            version,
            events,
            lag: status.lag.iter().map(|lag| lag.messages).sum(),
            events_per_second: per_second(events.saturating_sub(old.events), events_at_ms - old.events_at_ms),
            requests_per_second: per_second(answered.count(), now_ms - old.at_ms),
            predict_p50_ms: answered.quantile_ms(0.5),
            predict_p99_ms: answered.quantile_ms(0.99),
            loss: loss.collect(),
            members: champion
                .map(|s| s.members.iter().map(|member| (member.name.clone(), member.share)).collect())
                .unwrap_or_default(),
            best: champion.and_then(|s| finite(s.report.best_loss)),
            baseline: champion.and_then(|s| finite(s.report.baseline_loss)),
            served: model.served.as_ref().and_then(|report| finite(report.rolling_loss)),
            verdict: champion.map(|s| s.verdict).unwrap_or_default(),
            champion: model.learner.clone(),
            pinned: match model.live {
                Live::Follow => None,
                Live::Pinned(version) => Some(version),
            },
            checkpoint_version: status.checkpoint.as_ref().map(|checkpoint| checkpoint.version),
            waiting: model.labels.waiting,
        }
        .shorten()
    }
}
