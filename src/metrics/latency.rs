//! How long requests took, counted without a lock: buckets an eighth of a power of two wide, from 1 µs to 134 s.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Below it a bucket is one microsecond wide; above, an eighth of a power of two.
const FINE: u64 = 8;
const BUCKETS: usize = 200;

/// Counts of durations.
#[derive(Debug)]
pub(super) struct Latency([AtomicU64; BUCKETS]);

impl Default for Latency {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Latency {
    pub fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> Latencies {
        Latencies(self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect())
    }
}

/// Durations counted up to one moment, or between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies(Vec<u64>);

impl Latencies {
    /// Those counted after `earlier` was read.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let then = |i: usize| earlier.0.get(i).copied().unwrap_or(0);
        Self(self.0.iter().enumerate().map(|(i, count)| count.saturating_sub(then(i))).collect())
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The milliseconds that a share `q` (0..=1) of them did not exceed, within 1/16; `None` if there are none.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        let rank = (q * self.count() as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let found = self.0.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(middle(found) / 1e3)
    }
}

fn bucket(micros: u64) -> usize {
    if micros < FINE {
        return micros as usize;
    }
    let power = u64::from(micros.ilog2()) - 3;
    ((power * FINE + (micros >> power)) as usize).min(BUCKETS - 1)
}

/// The microseconds in the middle of a bucket.
fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    if bucket < 2 * FINE {
        return bucket as f64;
    }
    let power = bucket / FINE - 1;
    let low = (FINE + bucket % FINE) << power;
    low as f64 + ((1u64 << power) as f64) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_sixteenth() {
        for micros in (1..5_000).chain((5_000..120_000_000).step_by(999_983)) {
            let shown = middle(bucket(micros));
            assert!((shown - micros as f64).abs() <= micros as f64 / 16.0, "{micros} is shown as {shown}");
            assert!(bucket(micros) >= bucket(micros - 1));
        }
        let latency = Latency::default();
        let none = latency.read();
        assert_eq!((none.count(), none.quantile_ms(0.5)), (0, None));
        for millis in 1..=1_000 {
            latency.record(Duration::from_millis(millis));
        }
        latency.record(Duration::from_secs(1_000_000));
        let all = latency.read();
        assert_eq!(all.count(), 1_001);
        let near = |q: f64, ms: f64| {
            let found = all.quantile_ms(q).unwrap();
            assert!((found - ms).abs() <= ms / 16.0, "{q}: {found}");
        };
        near(0.5, 500.0);
        near(0.99, 990.0);
        latency.record(Duration::from_millis(7));
        let since = latency.read().since(&all);
        assert_eq!(since.count(), 1);
        assert!((since.quantile_ms(0.99).unwrap() - 7.0).abs() < 0.5);
    }
}
