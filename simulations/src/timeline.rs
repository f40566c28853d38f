//! When events happen: at even steps, but for bursts, in which they come faster, and gaps, in which none comes.

use serde::Deserialize;

/// The first event's time: 2024-01-01T00:00:00Z, a Monday.
pub(crate) const START_MS: i64 = 1_704_067_200_000;

/// Of every `every` events the last `events` come `spacing_ms` apart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bursts {
    pub(crate) every: u32,
    pub(crate) events: u32,
    pub(crate) spacing_ms: u32,
}

/// After every `every` events nothing happens for `ms`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gaps {
    pub(crate) every: u32,
    pub(crate) ms: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    pub(crate) spacing_ms: u32,
    pub(crate) bursts: Option<Bursts>,
    pub(crate) gaps: Option<Gaps>,
}

impl Timeline {
    /// When event `id` happens, in milliseconds since the Unix epoch.
    pub(crate) fn at_ms(&self, id: u64) -> i64 {
        let (fast, fast_ms) = self.bursts.as_ref().map_or((0, 0), |b| {
            let (every, events) = (u64::from(b.every), u64::from(b.events));
            (id / every * events + (id % every).saturating_sub(every - events), u64::from(b.spacing_ms))
        });
        let silent = self.gaps.as_ref().map_or(0, |g| id / u64::from(g.every) * u64::from(g.ms));
        START_MS + ((id - fast) * u64::from(self.spacing_ms) + fast * fast_ms + silent) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_fast_and_a_gap_is_silent() {
        let timeline = Timeline {
            spacing_ms: 100,
            bursts: Some(Bursts { every: 5, events: 2, spacing_ms: 1 }),
            gaps: Some(Gaps { every: 4, ms: 1_000 }),
        };
        let steps: Vec<i64> = (0..9).map(|id| timeline.at_ms(id + 1) - timeline.at_ms(id)).collect();
        assert_eq!(steps, [100, 100, 100, 1_001, 1, 100, 100, 1_100, 1]);
        assert_eq!(timeline.at_ms(0), START_MS);
    }
}
