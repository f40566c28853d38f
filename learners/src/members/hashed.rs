//! Softmax regression on hashed inputs: all categories there are, or numbers that are mostly 0, alone or in pairs.
//!
//! Every name (a column's category; a column that is not 0) has a row of weights in a table, found by its hash; steps are
//! AdaGrad's. *Names* stand beside the plain inputs. *Sparse* numbers count by their size relative to the greatest so far
//! and are not centred. The table doubles while half of it is in use, up to 2^18 rows. Cost: about 10·K operations a name
//! or pair; 8·K bytes a row. A missing category is a category; a missing number is 0.
//! Weinberger et al., Feature hashing for large scale multitask learning, 2009.

use serde::{Deserialize, Serialize};

use super::{MOST_LINEAR, Member, Work, errors, softmax};
use crate::adagrad::{AdaGrad, restride};
use crate::inputs::{Encoded, Shape, mix};

/// What every G begins with.
const START: f32 = 1e-8;
/// Rows of the table.
const FEWEST: usize = 1 << 8;
const MOST: usize = 1 << 18;
/// Classes beyond which a row of the table is too long.
const MOST_CLASSES: usize = 128;
/// Names of a row that are paired, and numbers.
const MOST_PAIRED: usize = 24;
const MOST_PAIRED_SPARSE: usize = 120;

/// What is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// Categories.
    Names,
    /// Numbers that are not 0.
    Sparse,
}

/// The table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Hashed {
    source: Source,
    pairs: bool,
    rate: f32,
    classes: usize,
    used: usize,
    weights: Vec<f32>,
    squares: Vec<f32>,
    plain: AdaGrad,
    /// Rows of the table at most, by the room there is.
    most: usize,
}

impl Hashed {
    /// `rate` > 0; `pairs` adds all pairs.
    pub(crate) fn new(source: Source, pairs: bool, rate: f64) -> Self {
        let plain = AdaGrad::new(START);
        Self { source, pairs, rate: rate as f32, classes: 0, used: 0, weights: vec![], squares: vec![], plain, most: 0 }
    }

    fn rows(&self) -> usize {
        self.weights.len() / self.classes.max(1)
    }

    fn row_bytes(classes: usize) -> usize {
        2 * classes * size_of::<f32>()
    }

    /// The rows of a row's names, and how much each counts.
    fn write(&self, x: &Encoded, places: &mut Vec<(u32, f32)>) {
        places.clear();
        let mask = (self.rows() - 1) as u64;
        let mut add = |hash: u64, value: f32| places.push(((hash & mask) as u32, value));
        match self.source {
            Source::Names => {
                x.names.iter().for_each(|name| add(*name, 1.0));
                let paired = &x.names[..x.names.len().min(MOST_PAIRED)];
                for (i, a) in paired.iter().enumerate().filter(|_| self.pairs) {
                    paired[..i].iter().for_each(|b| add(mix(a ^ b.rotate_left(17)), 1.0));
                }
            }
            Source::Sparse => {
                add(0, 1.0);
                x.sparse.iter().for_each(|(name, value)| add(*name, *value));
                let few = self.pairs && x.sparse.len() <= MOST_PAIRED_SPARSE;
                for (i, (a, va)) in x.sparse.iter().enumerate().filter(|_| few) {
                    x.sparse[..i].iter().for_each(|(b, vb)| add(mix(a ^ b.rotate_left(17)), va * vb));
                }
            }
        }
    }

    /// Twice the rows: a name is in one of the two halves now, and both begin with what the old one had learned.
    fn double(&mut self) {
        for table in [&mut self.weights, &mut self.squares] {
            table.extend_from_within(..);
        }
        self.used *= 2;
    }

    /// Half the rows, for more classes in the same room.
    fn halve(&mut self) {
        let half = self.weights.len() / 2;
        for i in 0..half {
            self.weights[i] += self.weights[i + half];
            self.squares[i] += self.squares[i + half] - START;
        }
        self.weights.truncate(half);
        self.squares.truncate(half);
        self.used = self.used.min(self.rows());
    }

    fn plain_inputs(&self, shape: &Shape) -> usize {
        if self.source == Source::Names { shape.plain } else { 0 }
    }
}

impl Member for Hashed {
    fn fit(&mut self, shape: &Shape, room: usize) -> Option<usize> {
        if shape.classes > MOST_CLASSES || self.plain_inputs(shape) * shape.classes > MOST_LINEAR {
            return None;
        }
        let plain = AdaGrad::bytes_of(self.plain_inputs(shape), shape.classes);
        let most = room.checked_sub(plain)? / Self::row_bytes(shape.classes.max(1));
        let most = if most.is_power_of_two() { most } else { most.next_power_of_two() / 2 }.min(MOST);
        if most < FEWEST {
            return None;
        }
        while self.rows() > most {
            self.halve();
        }
        let rows = self.rows().max(FEWEST);
        restride(&mut self.weights, self.classes, shape.classes, rows, 0.0);
        restride(&mut self.squares, self.classes, shape.classes, rows, START);
        self.plain.fit(self.plain_inputs(shape), shape.classes);
        (self.classes, self.most) = (shape.classes, most);
        Some(plain + most * Self::row_bytes(shape.classes))
    }

    fn wanted(&self, shape: &Shape) -> bool {
        match self.source {
            Source::Names if self.pairs => shape.nominal > 1,
            Source::Names => shape.more_names,
            Source::Sparse => shape.sparse,
        }
    }

    fn operations(&self, shape: &Shape) -> usize {
        let names = if self.source == Source::Names { shape.nominal.min(MOST_PAIRED) } else { shape.plain / 2 };
        let rows = if self.pairs { names * names / 2 } else { names };
        100 + shape.classes * (20 + 10 * rows + 6 * self.plain_inputs(shape))
    }

    fn predict(&self, x: &Encoded, work: &mut Work, said: &mut [f64]) {
        self.write(x, &mut work.places);
        work.scores.clear();
        work.scores.resize(self.classes, 0.0);
        if self.source == Source::Names {
            self.plain.scores(&x.plain32, &mut work.scores);
        }
        for (place, value) in &work.places {
            let row = &self.weights[*place as usize * self.classes..][..self.classes];
            work.scores.iter_mut().zip(row).for_each(|(score, w)| *score += value * w);
        }
        said.iter_mut().zip(&work.scores).for_each(|(p, score)| *p = f64::from(*score));
        softmax(said);
    }

    fn learn(&mut self, x: &Encoded, work: &mut Work, said: &[f64], class: usize, weight: f64) {
        errors(said, class, weight, &mut work.errors);
        if self.source == Source::Names {
            self.plain.step(&x.plain32, &work.errors, self.rate);
        }
        for (place, value) in &work.places {
            let from = *place as usize * self.classes;
            let squares = &mut self.squares[from..from + self.classes];
            self.used += usize::from(squares[class] == START);
            let row = self.weights[from..from + self.classes].iter_mut().zip(squares);
            for ((w, square), error) in row.zip(&work.errors) {
                let g = error * value;
                *square += g * g;
                *w += self.rate * g / square.sqrt();
            }
        }
        if 2 * self.used > self.rows() && 2 * self.rows() <= self.most {
            self.double();
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.weights) + size_of_val(&*self.squares) + self.plain.bytes()
    }

    fn served(&mut self) -> Self {
        self.clone()
    }

    fn is_sound(&self, shape: &Shape) -> bool {
        self.classes == shape.classes
            && self.rows().is_power_of_two()
            && self.rows() * self.classes == self.weights.len()
            && self.weights.len() == self.squares.len()
            && self.plain.is_sound()
            && self.plain.bytes() == AdaGrad::bytes_of(self.plain_inputs(shape), shape.classes)
    }
}
