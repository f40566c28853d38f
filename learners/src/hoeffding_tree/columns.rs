//! Which columns are numbers and which are names, and where their statistics stand.

use features::{Kind, Row};
use serde::{Deserialize, Serialize};

use super::nodes::CATEGORIES;

/// Statistics see numbers within ± this, so that no square of a difference overflows.
const HUGE: f64 = 1e140;
/// Numbers are handled four at a time.
pub(super) const WIDE: usize = 4;

/// A number as statistics see it.
pub(super) fn tame(x: f64) -> f64 {
    x.clamp(-HUGE, HUGE)
}

/// A nominal column.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Names {
    /// Its place in a row.
    pub(super) column: u16,
    /// Categories there is room for.
    pub(super) room: u16,
    /// Categories seen.
    pub(super) seen: u16,
}

impl Names {
    /// The category in a row, the late ones as one.
    #[inline]
    pub(super) fn category(&self, row: &Row<'_>) -> Option<usize> {
        let x = row.values.get(usize::from(self.column)).copied().unwrap_or(f64::NAN);
        (x >= 0.0).then(|| (x as usize).min(CATEGORIES - 1))
    }
}

/// The columns in the order in which their kind became known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Columns {
    kinds: Vec<Kind>,
    /// Lane → column of the numbers.
    pub(super) numbers: Vec<u16>,
    /// The nominal columns.
    pub(super) names: Vec<Names>,
}

impl Columns {
    /// Takes in new columns. Whether there is any to observe.
    pub(super) fn grow(&mut self, kinds: &[Kind]) -> bool {
        let mut grown = false;
        for (column, &kind) in kinds.iter().enumerate() {
            if self.kinds.len() <= column {
                self.kinds.push(Kind::Unknown);
            }
            if self.kinds[column] != Kind::Unknown || kind == Kind::Unknown {
                continue;
            }
            self.kinds[column] = kind;
            grown = true;
            let column = column as u16;
            match kind {
                Kind::Nominal => self.names.push(Names { column, room: 2, seen: 0 }),
                _ => self.numbers.push(column),
            }
        }
        grown
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Lanes of numbers, padded.
    pub(super) fn lanes(&self) -> usize {
        self.numbers.len().next_multiple_of(WIDE)
    }

    /// Reads a row's numbers into lanes, tamed; padding is missing.
    #[inline]
    pub(super) fn gather(&self, row: &Row<'_>, x: &mut Vec<f64>) {
        x.clear();
        x.extend(self.numbers.iter().map(|&c| row.values.get(usize::from(c)).map_or(f64::NAN, |&x| tame(x))));
        x.resize(self.lanes(), f64::NAN);
    }

    /// Notes the categories of a row that is about to be learned. Whether one needs more room than there is.
    #[inline]
    pub(super) fn meet(&mut self, row: &Row<'_>) -> bool {
        let mut grown = false;
        for names in &mut self.names {
            let Some(category) = names.category(row) else { continue };
            if category >= usize::from(names.seen) {
                names.seen = category as u16 + 1;
                if names.seen > names.room {
                    names.room = names.seen.next_power_of_two();
                    grown = true;
                }
            }
        }
        grown
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.kinds) + size_of_val(&*self.numbers) + size_of_val(&*self.names)
    }
}
