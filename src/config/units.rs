//! Amounts as people write them: `64MiB`, `100ms`, `1000 events`.

use std::fmt;
use std::time::Duration;

/// How often something is done: by the clock, or by what was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// After this much time.
    Time(Duration),
    /// After this many events.
    Events(u64),
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{time:?}"),
            Self::Events(events) => write!(f, "{events} events"),
        }
    }
}

/// `1000`, `64KiB`, `64MiB`, `1GiB` in bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    scaled(text, &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)])
}

/// `100ms`, `10s`, `5m`, `1h`, `30d`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let second = 1_000;
    let units = [("ms", 1), ("s", second), ("m", 60 * second), ("h", 3_600 * second), ("d", 86_400 * second)];
    scaled(text, &units).map(Duration::from_millis)
}

/// A duration, or `1000 events`.
pub(super) fn every(text: &str) -> Option<Every> {
    match scaled(text, &[("events", 1), ("event", 1)]) {
        Some(events) => Some(Every::Events(events)),
        None => duration(text).map(Every::Time),
    }
}

/// A whole number (underscores allowed) and one of the units.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    units.iter().find_map(|(unit, scale)| {
        let number = text.strip_suffix(unit)?.trim_end();
        let digits = number.starts_with(|c: char| c.is_ascii_digit());
        digits.then(|| number.replace('_', "").parse::<u64>().ok()?.checked_mul(*scale)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        assert_eq!(size("64MiB"), Some(64 << 20));
        assert_eq!(size("1_000"), Some(1_000));
        assert_eq!(size("1 GiB"), Some(1 << 30));
        assert_eq!(duration("100ms"), Some(Duration::from_millis(100)));
        for (text, seconds) in [("1s", 1), ("1m", 60), ("1h", 3_600), ("1d", 86_400), ("2_0 m", 1_200)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(every("1000 events"), Some(Every::Events(1_000)));
        assert_eq!(every("10s"), Some(Every::Time(Duration::from_secs(10))));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "MiB", "-1MiB", "1MB", "1.5GiB", "99999999999GiB", "+1", "_1"] {
            assert_eq!(size(text), None, "{text}");
        }
        for text in ["", "10", "s", "10 parsecs", "1e3s"] {
            assert_eq!(every(text), None, "{text}");
        }
    }
}
