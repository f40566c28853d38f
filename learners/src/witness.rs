//! The witness of the end-to-end tests: adds up the ids of what was learned, to be held against what was sent.
//!
//! Behind the cargo feature `witness` and not among the entries of the catalog: nobody meets it by chance.

use features::{Kind, Row, Target};
use serde::{Deserialize, Serialize};

use crate::{Learner, Prediction, RestoreError, Scratch, Section};

/// Adds up column 0 of the rows: whole numbers from 0 to 2^53, modulo 2^64. Its prediction is the sum so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Witness {
    sum: u64,
    rows: u64,
}

impl Witness {
    /// The sum of the ids, modulo 2^64.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Rows learned, those without an id too.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl Learner for Witness {
    fn grow(&mut self, _kinds: &[Kind]) {}

    fn learn(&mut self, row: &Row<'_>, _target: Target, _weight: f64) {
        let id = row.values.first().copied().unwrap_or(f64::NAN);
        // A missing id becomes 0.
        self.sum = self.sum.wrapping_add(id as u64);
        self.rows += 1;
    }

    fn predict_into(&self, _row: &Row<'_>, _scratch: &mut Scratch, out: &mut Prediction) {
        out.clear();
        out.value = self.sum as f64;
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("witness", 1, self));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        *self = Section::read(sections, "witness", 1)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use features::{EntityId, EventTime, Task};

    use super::*;
    use crate::AnyLearner;
    use crate::catalog::ENTRIES;

    #[test]
    fn it_adds_up_the_ids_and_is_in_no_list() {
        let spec = "witness".parse().unwrap();
        let mut witness = AnyLearner::build(&spec, Task::Regression, 1, 1 << 20).unwrap();
        for id in [5.0, f64::NAN, 9_007_199_254_740_992.0, 7.0] {
            let row = Row { values: &[id, 3.0], at: EventTime(0), entity: EntityId(0) };
            witness.learn(&row, Target::Value(1.0), 1.0);
        }
        let mut sections = vec![];
        witness.save(&mut sections);
        let mut restored = Witness::default();
        restored.restore(&sections).unwrap();
        assert_eq!((restored.sum(), restored.rows()), (9_007_199_254_741_004, 4));
        assert!(ENTRIES.iter().all(|entry| entry.name != "witness"));
        assert!(AnyLearner::build(&spec, Task::Classification, 1, 1 << 20).is_err());
    }
}
