//! What linear weights over inputs say about the columns that these come from.

use features::Kind;

use super::{Inputs, Past};
use crate::explain::Sizes;

impl Inputs {
    /// Tells `sizes` what one output's weights say about each column; what has no weight says nothing. `labelled`: they
    /// are those of labelled inputs.
    pub(crate) fn measure(&self, weights: &[f64], labelled: bool, sizes: &mut Sizes) {
        // Of each plain input.
        let mut plain = vec![0.0; self.plain as usize];
        // Label inputs are flags and shares, which deviate by less than a half; earlier targets are standardised.
        let deviation = if let Past::Labels(_) = self.past { 0.5 } else { 1.0 };
        if labelled {
            for (from, weight) in self.order.iter().zip(weights) {
                match plain.get_mut(*from as usize) {
                    Some(own) => *own = *weight,
                    None => sizes.past(*weight, deviation),
                }
            }
        } else {
            plain.iter_mut().zip(weights).for_each(|(own, weight)| *own = *weight);
        }
        let of = |input: u32| plain.get(input as usize).copied();
        for (place, column) in self.columns.iter().enumerate() {
            if column.kind == Kind::Number {
                sizes.number(place, of(column.number).unwrap_or(0.0));
            }
            sizes.categories(place, column.levels.iter().filter_map(|level| of(level.input)));
            sizes.categories(place, column.categories.iter().filter_map(|(_, input)| of(*input)));
        }
    }
}
