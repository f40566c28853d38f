//! Rows as a linear model sees them: numbers standardised, names one-hot, and a bias.

use features::{Kind, Row};
use serde::{Deserialize, Serialize};

use super::moments::Moments;

/// No slot was given to this category.
const NONE: u32 = u32::MAX;

/// Running standardisation of numeric columns, and which slot each category of a nominal column has.
///
/// Input 0 is the bias (always 1), input `j + 1` column `j`: a number's standardised value, 0 where it is missing.
/// A nominal column's input is 0; its category, if it has a slot, is told apart by [`Encoder::active`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    kinds: Vec<Kind>,
    moments: Vec<Moments>,
    nominal: Vec<Nominal>,
    slots: u32,
}

/// The slots of one nominal column's categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nominal {
    column: u32,
    slots: Vec<u32>,
}

impl Encoder {
    /// Inputs of a row: columns and bias.
    pub fn inputs(&self) -> usize {
        self.kinds.len() + 1
    }

    /// Categories that have a slot.
    pub fn slots(&self) -> usize {
        self.slots as usize
    }

    /// Takes over the kinds of the first `columns` columns (or all there are).
    pub fn grow(&mut self, kinds: &[Kind], columns: usize) {
        for (place, &kind) in kinds.iter().take(columns).enumerate() {
            if place == self.kinds.len() {
                self.kinds.push(Kind::Unknown);
                self.moments.push(Moments::default());
            }
            if self.kinds[place] == Kind::Unknown && kind != Kind::Unknown {
                self.kinds[place] = kind;
                if kind == Kind::Nominal {
                    self.nominal.push(Nominal { column: place as u32, slots: vec![] });
                }
            }
        }
    }

    /// Writes the inputs of `row`.
    pub fn encode(&self, row: &Row<'_>, inputs: &mut Vec<f64>) {
        inputs.clear();
        inputs.push(1.0);
        inputs.extend(self.moments.iter().zip(row.values).map(|(moments, &x)| moments.standardise(x)));
        inputs.resize(self.inputs(), 0.0);
    }

    /// The nominal columns whose category has a slot in this row: (input, slot).
    pub fn active(&self, row: &Row<'_>) -> impl Iterator<Item = (usize, usize)> {
        self.nominal.iter().filter_map(|nominal| {
            let category = category(row, nominal.column)?;
            let slot = *nominal.slots.get(category)?;
            (slot != NONE).then_some((nominal.column as usize + 1, slot as usize))
        })
    }

    /// The columns that are numbers.
    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        self.kinds.iter().enumerate().filter(|(_, kind)| **kind == Kind::Number).map(|(column, _)| column)
    }

    /// The nominal columns, each with the slots of its first categories (256 are enough to see how they differ).
    pub fn categories(&self) -> impl Iterator<Item = (usize, impl Iterator<Item = usize>)> {
        self.nominal.iter().map(|nominal| {
            let slots = nominal.slots.iter().filter(|slot| **slot != NONE).take(256);
            (nominal.column as usize, slots.map(|slot| *slot as usize))
        })
    }

    /// Learns the row: centre and spread of its numbers, and slots for its new categories as far as `room` goes, of
    /// which a slot takes `slot_bytes`.
    pub fn learn(&mut self, row: &Row<'_>, room: usize, slot_bytes: usize) {
        for ((moments, kind), &x) in self.moments.iter_mut().zip(&self.kinds).zip(row.values) {
            if *kind == Kind::Number {
                moments.update(x);
            }
        }
        let mut used = 0;
        for nominal in &mut self.nominal {
            let Some(category) = category(row, nominal.column) else { continue };
            if nominal.slots.get(category).is_some_and(|&slot| slot != NONE) {
                continue;
            }
            let longer = (category + 1).saturating_sub(nominal.slots.len());
            used += longer.saturating_mul(size_of::<u32>()).saturating_add(slot_bytes);
            if used > room {
                return;
            }
            nominal.slots.resize(nominal.slots.len() + longer, NONE);
            nominal.slots[category] = self.slots;
            self.slots += 1;
        }
    }

    /// Bytes of one column.
    pub const COLUMN_BYTES: usize = size_of::<Kind>() + size_of::<Moments>() + size_of::<Nominal>();

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let slots: usize = self.nominal.iter().map(|n| size_of_val(&*n.slots)).sum();
        self.kinds.len() * Self::COLUMN_BYTES + slots
    }

    /// Whether its parts fit together: what was read back may be anything.
    pub fn is_sound(&self) -> bool {
        let known = |slot: &u32| *slot == NONE || *slot < self.slots;
        self.kinds.len() == self.moments.len()
            && self.nominal.iter().all(|n| (n.column as usize) < self.kinds.len() && n.slots.iter().all(known))
    }
}

fn category(row: &Row<'_>, column: u32) -> Option<usize> {
    let x = *row.values.get(column as usize)?;
    (0.0..f64::from(u32::MAX)).contains(&x).then_some(x as usize)
}

#[cfg(test)]
mod tests {
    use features::{EntityId, EventTime};

    use super::*;

    fn row(values: &[f64]) -> Row<'_> {
        Row { values, at: EventTime(0), entity: EntityId(0) }
    }

    fn active(encoder: &Encoder, values: &[f64]) -> Vec<(usize, usize)> {
        encoder.active(&row(values)).collect()
    }

    #[test]
    fn numbers_are_centred_and_categories_get_slots_in_order_of_sight() {
        let mut encoder = Encoder::default();
        encoder.grow(&[Kind::Number, Kind::Nominal, Kind::Unknown], 3);
        for values in [[1.0, 4.0, f64::NAN], [3.0, f64::NAN, f64::NAN], [2.0, 1.0, f64::NAN]] {
            encoder.learn(&row(&values), 1 << 20, 16);
        }
        let mut inputs = vec![];
        encoder.encode(&row(&[2.0, 4.0, f64::NAN]), &mut inputs);
        assert_eq!(inputs, [1.0, 0.0, 0.0, 0.0]);
        encoder.encode(&row(&[3.0]), &mut inputs);
        assert!(inputs[1] > 1.2 && inputs.len() == 4, "a short row is filled up: {inputs:?}");
        assert_eq!(active(&encoder, &[0.0, 4.0]), [(2, 0)]);
        assert_eq!(active(&encoder, &[0.0, 1.0]), [(2, 1)]);
        for unseen in [0.0, 7.0, f64::NAN, 1e300, -1.0] {
            assert_eq!(active(&encoder, &[0.0, unseen]), [], "{unseen}");
        }
        encoder.grow(&[Kind::Number, Kind::Nominal, Kind::Nominal, Kind::Number], 3);
        assert_eq!(encoder.inputs(), 4, "no more columns than allowed");
        encoder.learn(&row(&[f64::NAN, f64::NAN, 0.0]), 1 << 20, 16);
        assert_eq!(active(&encoder, &[0.0, 1.0, 0.0]), [(2, 1), (3, 2)]);
    }

    #[test]
    fn categories_beyond_the_room_get_no_slot() {
        let mut encoder = Encoder::default();
        encoder.grow(&[Kind::Nominal], 1);
        encoder.learn(&row(&[1000.0]), 4000, 16);
        assert_eq!((encoder.slots(), encoder.bytes()), (0, Encoder::COLUMN_BYTES));
        encoder.learn(&row(&[1000.0]), 4004 + 16, 16);
        assert_eq!((encoder.slots(), encoder.bytes()), (1, Encoder::COLUMN_BYTES + 4004));
    }
}
