//! ADWIN: a window over the losses that shrinks as soon as two parts of it differ too much to be one.
//!
//! The window is an exponential histogram: buckets of 1, 2, 4, … losses, at most five of a size; at the sixth the two
//! oldest become one of the next size. Every 32nd loss all cuts between buckets are tried, the oldest first: means
//! u0 (n0 losses) and u1 (n1 losses), each side over 6, differ when
//!
//! ```text
//! |u0 - u1| > sqrt(2 m v d) + 2/3 d m     m = 1/(n0-4) + 1/(n1-4)   d = ln(2 ln(W) / delta)   v = variance of the window
//! ```
//!
//! Then the oldest bucket is dropped and all cuts are tried again. It says [`Signal::Drift`] if the mean rose, and keeps
//! running. A laxer `warning_delta` is tried in the same pass and drops nothing.
//!
//! Bifet & Gavaldà, Learning from time-changing data with adaptive windowing, 2007; the rules are those of MOA's
//! implementation (the one in River skips cuts). Unlike there, totals and variance are summed anew from the buckets at
//! each check, so that rounding does not build up.
//!
//! Cost: about 20 ns a loss, 104 bytes for each doubling of the window.

use serde::{Deserialize, Serialize};

use super::budget::geometric;
use super::catalog::DetectorEntry;
use crate::catalog::ParamInfo;
use crate::{Detector, Params, Signal, SpecError};

/// delta by budget.
const TUNED: [(f64, f64); 4] = [(1e4, 0.47), (1e5, 0.08), (1e6, 0.0096), (1e7, 0.0015)];
/// Buckets of one size, the oldest first; the sixth lives only until two become one.
const PER_ROW: usize = 6;
/// Losses between two checks.
const CLOCK: u64 = 32;

/// Buckets of 2^r losses.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Row {
    len: usize,
    /// Sum of the losses.
    totals: [f64; PER_ROW],
    /// Sum of the squared deviations from the bucket's own mean.
    spreads: [f64; PER_ROW],
}

impl Row {
    fn push(&mut self, total: f64, spread: f64) {
        self.totals[self.len] = total;
        self.spreads[self.len] = spread;
        self.len += 1;
    }

    fn drop_oldest(&mut self, count: usize) {
        self.totals.copy_within(count.., 0);
        self.spreads.copy_within(count.., 0);
        self.len -= count;
    }
}

/// The detector. Losses lie in 0..=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Adwin {
    delta: f64,
    warning_delta: f64,
    seen: u64,
    width: u64,
    total: f64,
    rows: Vec<Row>,
    warning: bool,
}

/// The most that any cut says.
#[derive(PartialEq)]
enum Cut {
    None,
    Lax,
    Strict,
}

impl Adwin {
    pub(super) const ENTRY: DetectorEntry = DetectorEntry {
        name: "adwin",
        idea: "a window of losses that is cut where its older and newer part differ too much",
        cost: "about 20 ns a loss, 104 bytes for each doubling of the window",
        paper: "Bifet & Gavaldà 2007",
        keeps_budget: true,
        budget: "by delta, 1 per 1e4 to 1e7 independent losses; at 1 per 1e6 up to 468 of runs of errors",
        params: &[
            ParamInfo { name: "delta", range: "1e-12..0.5", default: "0.002", help: "chance of a false cut" },
            ParamInfo {
                name: "warning_delta",
                range: "delta..0.9",
                default: "10 * delta",
                help: "chance of a false warning",
            },
        ],
    };

    /// The usual chance of a false cut.
    pub const DELTA: f64 = 0.002;
    /// That of a false warning: ten times as much, as adaptive random forests have it.
    pub const WARNING_DELTA: f64 = 0.02;

    /// An empty window. `0 < delta <= warning_delta < 1`.
    pub fn new(delta: f64, warning_delta: f64) -> Self {
        Self { delta, warning_delta, seen: 0, width: 0, total: 0.0, rows: vec![], warning: false }
    }

    pub(super) fn build(params: &Params<'_>, budget: Option<f64>) -> Result<Self, SpecError> {
        let usual = budget.map_or(Self::DELTA, |budget| geometric(TUNED, budget));
        let delta = params.number("delta", usual, 1e-12, 0.5)?;
        let ratio = Self::WARNING_DELTA / Self::DELTA;
        let warning_delta = params.number("warning_delta", (delta * ratio).min(0.9), delta, 0.9)?;
        Ok(Self::new(delta, warning_delta))
    }

    /// Losses in the window.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Their mean; 0 if there is none.
    pub fn mean(&self) -> f64 {
        if self.width == 0 { 0.0 } else { self.total / self.width as f64 }
    }

    /// Their variance; 0 if there is none.
    pub fn variance(&self) -> f64 {
        if self.width == 0 { 0.0 } else { self.spread() / self.width as f64 }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.rows)
    }

    fn insert(&mut self, loss: f64) {
        self.width += 1;
        self.total += loss;
        let (mut total, mut spread) = (loss, 0.0);
        let mut size = 1.0;
        for r in 0.. {
            if r == self.rows.len() {
                self.rows.push(Row::default());
            }
            let row = &mut self.rows[r];
            row.push(total, spread);
            if row.len < PER_ROW {
                break;
            }
            let ([a, b, ..], [s, t, ..]) = (row.totals, row.spreads);
            total = a + b;
            spread = s + t + (a - b) * (a - b) / (2.0 * size);
            row.drop_oldest(2);
            size *= 2.0;
        }
    }

    fn drop_oldest(&mut self) {
        let r = self.rows.len() - 1;
        self.width -= 1 << r;
        self.rows[r].drop_oldest(1);
        while self.rows.last().is_some_and(|row| row.len == 0) {
            self.rows.pop();
        }
    }

    /// All buckets, the oldest first: size, total, spread.
    fn buckets(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.rows.iter().enumerate().rev().flat_map(|(r, row)| {
            let size = (1_u64 << r) as f64;
            (0..row.len).map(move |k| (size, row.totals[k], row.spreads[k]))
        })
    }

    fn spread(&self) -> f64 {
        let mean = self.mean();
        let mut sum = 0.0;
        for (size, total, spread) in self.buckets() {
            let off = total / size - mean;
            sum += spread + size * off * off;
        }
        sum
    }

    /// Tries all cuts. Above the lax bound only a rise counts, above the strict one both ways.
    fn scan(&self) -> Cut {
        let width = self.width as f64;
        let twice_log = 2.0 * libm::log(width);
        let strict = libm::log(twice_log / self.delta);
        let lax = libm::log(twice_log / self.warning_delta);
        let twice_v = 2.0 * self.variance();
        let bound = |m: f64, d: f64| (m * twice_v * d).sqrt() + 2.0 / 3.0 * d * m;
        let (mut n0, mut t0, mut n1, mut t1) = (0.0, 0.0, width, self.total);
        let mut found = Cut::None;
        for (size, total, _) in self.buckets() {
            n0 += size;
            t0 += total;
            n1 -= size;
            t1 -= total;
            if n1 <= 6.0 {
                break;
            }
            if n0 <= 6.0 {
                continue;
            }
            let rise = t1 / n1 - t0 / n0;
            let m = 1.0 / (n0 - 4.0) + 1.0 / (n1 - 4.0);
            if rise.abs() > bound(m, lax) {
                if rise.abs() > bound(m, strict) {
                    return Cut::Strict;
                }
                if rise > 0.0 {
                    found = Cut::Lax;
                }
            }
        }
        found
    }

    /// Shrinks the window until no strict cut is left. Whether it shrank.
    fn check(&mut self) -> bool {
        let mut shrank = false;
        loop {
            self.total = self.buckets().map(|(_, total, _)| total).sum();
            let found = self.scan();
            self.warning = found == Cut::Lax;
            if found != Cut::Strict {
                return shrank;
            }
            self.drop_oldest();
            shrank = true;
        }
    }
}

impl Detector for Adwin {
    fn update(&mut self, loss: f64) -> Signal {
        self.seen += 1;
        let (total, width) = (self.total, self.width as f64);
        self.insert(loss);
        // Before the first loss there is no mean that could have risen; a window of 10 is never checked.
        if self.seen.is_multiple_of(CLOCK) && self.width > 10 && self.check() && self.mean() > total / width {
            return Signal::Drift;
        }
        if self.warning { Signal::Warning } else { Signal::Stable }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{golden, places};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alarms_cuts_and_end_are_those_of_moa() {
        let mut adwin = Adwin::new(0.002, 0.02);
        let (mut alarms, mut cuts) = (vec![], vec![]);
        for (i, loss) in golden() {
            let before = adwin.width() + 1;
            if adwin.update(loss) == Signal::Drift {
                alarms.push(i);
            }
            if adwin.width() < before {
                cuts.push((i, before, adwin.width()));
            }
        }
        assert_eq!(alarms, [1055, 1087, 1119]);
        let expected = [
            (1055, 1056, 192),
            (1087, 224, 160),
            (1119, 192, 160),
            (2079, 1120, 288),
            (2111, 320, 224),
            (2143, 256, 192),
            (2335, 384, 320),
        ];
        assert_eq!(cuts, expected);
        assert_eq!((adwin.width(), adwin.mean() * 984.0), (984, 108.0));
        assert!((adwin.variance() - 0.097_709_696_609_161_26).abs() < 1e-15);

        assert_eq!(places(Signal::Drift, &mut Adwin::new(1e-5, 1e-5)), [1055, 1087, 1119, 1215]);
    }

    #[test]
    fn a_warning_comes_before_the_alarm_and_cuts_nothing() {
        let run = |warning_delta: f64| {
            let mut adwin = Adwin::new(1e-9, warning_delta);
            golden().map(|(_, loss)| (adwin.update(loss), adwin.width())).collect::<Vec<_>>()
        };
        let (without, with) = (run(1e-9), run(0.02));
        let first = |signal| with.iter().position(|(s, _)| *s == signal).unwrap();
        assert!(first(Signal::Warning) < first(Signal::Drift));
        assert!((1000..2100).contains(&first(Signal::Warning)));
        for (a, b) in without.iter().zip(&with) {
            assert_eq!((a.1, a.0 == Signal::Drift), (b.1, b.0 == Signal::Drift));
        }
    }

    #[test]
    fn a_fall_cuts_but_neither_warns_nor_alarms() {
        let mut adwin = Adwin::new(0.002, 0.02);
        let signals: Vec<_> = golden().filter(|(i, _)| *i >= 1000).map(|(_, loss)| adwin.update(loss)).collect();
        assert!(adwin.width() < 1_100);
        assert!(signals[1000..].iter().all(|signal| *signal == Signal::Stable));
    }

    #[test]
    fn a_saved_detector_goes_on_as_if_never_stopped() {
        let mut adwin = Adwin::new(0.002, 0.02);
        for (i, loss) in golden() {
            adwin.update(loss);
            if i == 1100 {
                adwin = postcard::from_bytes(&postcard::to_stdvec(&adwin).unwrap()).unwrap();
            }
        }
        assert_eq!((adwin.width(), adwin.mean() * 984.0), (984, 108.0));
    }

    proptest! {
        /// Whatever comes, the histogram holds the newest losses: their count, mean and variance.
        #[test]
        fn the_histogram_is_the_newest_losses(losses in prop::collection::vec(0.0..1.0_f64, 1..400), jump in 0..400_usize) {
            let mut adwin = Adwin::new(0.002, 0.02);
            let losses: Vec<f64> = losses.iter().enumerate().map(|(i, l)| if i < jump { l * 0.1 } else { *l }).collect();
            for loss in &losses {
                adwin.update(*loss);
            }
            let kept = &losses[losses.len() - adwin.width() as usize..];
            let n = kept.len() as f64;
            let mean = kept.iter().sum::<f64>() / n;
            let variance = kept.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>() / n;
            prop_assert!((adwin.mean() - mean).abs() < 1e-12);
            prop_assert!((adwin.variance() - variance).abs() < 1e-12);
            prop_assert!(adwin.rows.iter().all(|row| row.len < PER_ROW));
        }
    }
}
