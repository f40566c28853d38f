//! What naive Bayes knows of one class: a normal distribution per numeric column, category counts per nominal one.

use features::{Kind, Row};
use serde::{Deserialize, Serialize};

/// A class's variance is at least this share of the column's own.
const FLOOR: f64 = 1e-9;
/// Less spread than this tells nothing.
const NO_SPREAD: f64 = 1e-100;
/// Larger numbers count as this large, so that no square overflows.
pub const LARGEST: f64 = 1e100;

/// What was seen of one class, column by column.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Class {
    /// Of all its events.
    pub weight: f64,
    /// One a column, empty where the column holds names.
    pub numbers: Vec<Normal>,
    /// One a column, empty where the column holds numbers.
    pub names: Vec<Counts>,
}

/// A normal distribution learned value by value (Welford), and its density ready for use.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Normal {
    weight: f64,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
    /// ln density = height - (x - mean)² · precision
    height: f64,
    precision: f64,
}

/// Weight of each category so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    sum: f64,
    /// One weight a category, as far as any was seen.
    pub categories: Vec<f64>,
}

/// Bytes of a class and column, without categories.
pub const CELL_BYTES: usize = size_of::<Normal>() + size_of::<Counts>();

impl Normal {
    /// Of the values so far, 0 of fewer than two.
    pub fn variance(&self) -> f64 {
        if self.weight > 1.0 { self.squares / (self.weight - 1.0) } else { 0.0 }
    }

    /// Takes in one value.
    pub fn update(&mut self, x: f64, weight: f64) {
        self.weight += weight;
        let away = x - self.mean;
        self.mean += away * (weight / self.weight);
        self.squares += weight * away * (x - self.mean);
    }

    /// Makes the density ready; `of_all` is the variance of the column over all classes.
    pub fn settle(&mut self, of_all: f64) {
        let own = if self.weight > 1.0 { self.variance() } else { of_all };
        let variance = own.max(FLOOR * of_all);
        (self.height, self.precision) = if variance > NO_SPREAD {
            (-0.5 * libm::log(std::f64::consts::TAU * variance), 0.5 / variance)
        } else {
            (0.0, 0.0)
        };
    }

    fn ln_density(&self, x: f64) -> f64 {
        let away = x - self.mean;
        self.height - away * away * self.precision
    }
}

impl Counts {
    /// Counts one category.
    pub fn add(&mut self, category: usize, weight: f64) {
        if self.categories.len() <= category {
            self.categories.resize(category + 1, 0.0);
        }
        self.categories[category] += weight;
        self.sum += weight;
    }

    fn ln_share(&self, category: usize, categories: usize) -> f64 {
        let count = self.categories.get(category).copied().unwrap_or(0.0);
        libm::log((count + 1.0) / (self.sum + categories as f64))
    }
}

impl Class {
    /// Makes room for this many columns.
    pub fn widen(&mut self, columns: usize) {
        self.numbers.resize(columns, Normal::default());
        self.names.resize(columns, Counts::default());
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let categories: usize = self.names.iter().map(|c| size_of_val(&*c.categories)).sum();
        size_of::<Self>() + self.numbers.len() * CELL_BYTES + categories
    }

    /// ln P(class) + Σ ln P(value | class), or -∞ for a class never seen.
    pub fn score(&self, kinds: &[Kind], all: &Self, row: &Row<'_>) -> f64 {
        if self.weight <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let mut score = libm::log(self.weight / all.weight);
        for (column, (kind, &x)) in kinds.iter().zip(row.values).enumerate() {
            match kind {
                Kind::Number if !x.is_nan() => {
                    let own = &self.numbers[column];
                    let normal = if own.weight > 0.0 { own } else { &all.numbers[column] };
                    score += normal.ln_density(x.clamp(-LARGEST, LARGEST));
                }
                Kind::Nominal => {
                    let seen = &all.names[column];
                    if let Some(category) = category(x).filter(|&c| c < seen.categories.len()) {
                        let own = &self.names[column];
                        let counts = if own.sum > 0.0 { own } else { seen };
                        score += counts.ln_share(category, seen.categories.len());
                    }
                }
                _ => {}
            }
        }
        score
    }
}

/// The category that a nominal column's value names.
pub fn category(x: f64) -> Option<usize> {
    (0.0..f64::from(u32::MAX)).contains(&x).then_some(x as usize)
}
