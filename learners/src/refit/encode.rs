//! Turns rows with missing values and names into the full matrix that the libraries take.

use features::Kind;
use serde::{Deserialize, Serialize};

use super::job::JobData;

/// Most columns of a linear model's matrix.
const MAX_COLUMNS: usize = 512;
/// Most categories of one field that get a column of their own.
const MAX_CATEGORIES: usize = 16;
/// A standardised number further out than this counts as this far out.
const FAR: f64 = 10.0;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Column {
    /// The field as it is; `fill` where it is missing.
    Raw { field: u32, fill: f64 },
    /// The field in deviations from its mean; 0 where it is missing.
    Standard { field: u32, mean: f64, per_deviation: f64 },
    /// 1 where the field is this category, else 0.
    Is { field: u32, category: f64 },
}

/// What each column of the matrix is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Encoder(Vec<Column>);

impl Encoder {
    /// For trees: numbers with the window's mean, and categories' indices with -1, where they are missing.
    pub(super) fn for_trees(data: &JobData) -> Self {
        let columns = data.kinds.iter().enumerate().filter_map(|(field, kind)| {
            let fill = match kind {
                Kind::Unknown => return None,
                Kind::Number => mean_and_deviation(|| data.column(field))?.0,
                Kind::Nominal => -1.0,
            };
            Some(Column::Raw { field: field as u32, fill })
        });
        Self(columns.collect())
    }

    /// For linear models: standardised numbers, and a column for each of a field's most frequent categories.
    pub(super) fn for_linear(data: &JobData) -> Self {
        let mut columns = Vec::new();
        for (field, kind) in data.kinds.iter().enumerate() {
            let place = field as u32;
            match kind {
                Kind::Unknown => {}
                Kind::Number => {
                    let Some((mean, deviation)) = mean_and_deviation(|| data.column(field)) else { continue };
                    // A constant says nothing; a deviation that is rounding alone says less.
                    let per_deviation = 1.0 / deviation;
                    if deviation > 1e-12 * mean.abs() && per_deviation.is_normal() {
                        columns.push(Column::Standard { field: place, mean, per_deviation });
                    }
                }
                Kind::Nominal => {
                    let categories = most_frequent(data.column(field).collect());
                    columns.extend(categories.into_iter().map(|category| Column::Is { field: place, category }));
                }
            }
        }
        columns.truncate(MAX_COLUMNS);
        Self(columns)
    }

    /// How many columns.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the columns of one row: finite numbers.
    pub(super) fn encode(&self, row: &[f64], out: &mut Vec<f64>) {
        let value = |field: u32| row.get(field as usize).copied().unwrap_or(f64::NAN);
        out.extend(self.0.iter().map(|column| match *column {
            Column::Raw { field, fill } => Some(value(field)).filter(|x| !x.is_nan()).unwrap_or(fill),
            Column::Standard { field, mean, per_deviation } => match value(field) {
                x if x.is_nan() => 0.0,
                x => ((x - mean) * per_deviation).clamp(-FAR, FAR),
            },
            Column::Is { field, category } => f64::from(u8::from(value(field) == category)),
        }));
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// Mean and deviation of the numbers present; `None` if there is none or the mean is no number. The deviation of huge
/// numbers may be infinite.
pub(super) fn mean_and_deviation<I: Iterator<Item = f64>>(numbers: impl Fn() -> I) -> Option<(f64, f64)> {
    let n = numbers().count() as f64;
    // Divided before they are summed: the sum of huge numbers may overflow.
    let mean: f64 = numbers().map(|x| x / n).sum();
    let variance: f64 = numbers().map(|x| (x - mean) * (x - mean) / n).sum();
    (n > 0.0 && mean.is_finite()).then(|| (mean, variance.sqrt()))
}

/// The most frequent categories; of equally frequent ones the lower come first.
fn most_frequent(mut categories: Vec<f64>) -> Vec<f64> {
    categories.sort_by(f64::total_cmp);
    let mut counted: Vec<(usize, f64)> = categories.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0])).collect();
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counted.into_iter().take(MAX_CATEGORIES).map(|(_, category)| category).collect()
}

#[cfg(test)]
mod tests {
    use super::super::job::tests::data;
    use super::*;
    use Kind::{Nominal, Number, Unknown};

    const NONE: f64 = f64::NAN;

    fn encoded(encoder: &Encoder, row: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        encoder.encode(row, &mut out);
        out
    }

    #[test]
    fn trees_get_means_and_indices() {
        let rows: [&[f64]; 3] = [&[1.0, 0.0, NONE], &[3.0, NONE, NONE], &[NONE, 2.0, NONE]];
        let encoder = Encoder::for_trees(&data(&[Number, Nominal, Unknown], &rows));
        assert_eq!(encoded(&encoder, &[5.0, 1.0]), [5.0, 1.0]);
        assert_eq!(encoded(&encoder, &[]), [2.0, -1.0]);
    }

    #[test]
    fn linear_models_get_deviations_and_flags() {
        let rows: [&[f64]; 4] = [&[1.0, 1.0, 7.0], &[3.0, 1.0, 7.0], &[NONE, 0.0, 7.0], &[NONE, NONE, 7.0]];
        let encoder = Encoder::for_linear(&data(&[Number, Nominal, Number], &rows));
        assert_eq!(encoded(&encoder, &[4.0, 1.0, 7.0]), [2.0, 1.0, 0.0], "the constant has no column");
        assert_eq!(encoded(&encoder, &[NONE, 9.0, 7.0]), [0.0, 0.0, 0.0]);
        assert_eq!(encoded(&encoder, &[1e308]), [FAR, 0.0, 0.0]);
    }

    #[test]
    fn huge_numbers_make_no_column_and_no_nan() {
        let rows: [&[f64]; 3] = [&[1e308, 1.0], &[-1e308, 2.0], &[1e308, 3.0]];
        let data = data(&[Number, Number], &rows);
        assert_eq!(Encoder::for_linear(&data).len(), 1);
        assert!(encoded(&Encoder::for_trees(&data), &[]).iter().all(|x| x.is_finite()));
    }

    #[test]
    fn the_columns_are_bounded() {
        let wide: Vec<Vec<f64>> = (0..20).map(|i| (0..600).map(|j| f64::from(i * j % 7)).collect()).collect();
        let rows: Vec<&[f64]> = wide.iter().map(Vec::as_slice).collect();
        assert_eq!(Encoder::for_linear(&data(&[Number; 600], &rows)).len(), MAX_COLUMNS);
        let names: Vec<[f64; 1]> = (0..40).map(|i| [f64::from(i)]).collect();
        let rows: Vec<&[f64]> = names.iter().map(|row| row.as_slice()).collect();
        assert_eq!(Encoder::for_linear(&data(&[Nominal], &rows)).len(), MAX_CATEGORIES);
    }
}
