//! What members see of a row: computed once an event, shared by all of them.
//!
//! *Plain* inputs are a bias (always 1), each number standardised as [`scale::Scale`] does it (missing: 0, the mean, and
//! a 1 in an input of its own once the column had a gap), and a 1 for the category of each nominal column (missing is one
//! too; unseen ones have none). *Labelled* inputs are these and what is known of the labels ([`labels`]) or of the targets
//! ([`targets`]); for regression they are there on a steady scale, too, and a column of few different numbers has an input
//! for each of them. An input has its
//! place for good: new ones are appended. *Names* are the categories as numbers for hashing, all of them.

pub(crate) mod labels;
pub(crate) mod pairs;
pub(crate) mod scale;
pub(crate) mod targets;

use features::{ClassId, Kind, Row, Target, Task};
use serde::{Deserialize, Serialize};

use self::labels::{Known, Labels};
use self::scale::Scale;
use self::targets::Targets;
use crate::lanes::padded;

/// No input.
const NONE: u32 = u32::MAX;
/// From here on a place in `order` means a label input.
const LABEL: u32 = 1 << 31;
/// Inputs beyond which categories and gaps get none.
const MOST_INPUTS: u32 = 400;
/// Categories of a column that get an input.
const MOST_CATEGORIES: usize = 64;
/// Columns beyond this are not looked at.
const MOST_COLUMNS: usize = 1_000;
/// With more columns than this, gaps get no input of their own.
const COLUMNS_WITH_GAPS: usize = 64;
/// Rows after which it is told whether most numbers are zeros.
const SPARSE_AFTER: u32 = 200;

/// Rows after which it is told which columns have few different numbers, and how many few are.
const LEVELS_AFTER: u32 = 300;
const FEWEST_LEVELS: usize = 3;
const MOST_LEVELS: usize = 32;

/// What came before, as inputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Past {
    Labels(Labels),
    Targets(Box<Targets>),
}

/// One column of the schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Column {
    kind: Kind,
    scale: Scale,
    /// Its number's input.
    number: u32,
    /// The input for a missing value.
    gap: u32,
    /// Categories in order of first sight, and each one's input.
    categories: Vec<(u32, u32)>,
    /// Different numbers in order of first sight, while they are few.
    levels: Vec<Level>,
    many_levels: bool,
}

/// A number that a column often has, and its input.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Level {
    number: f64,
    input: u32,
}

/// The stage that makes inputs of rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Inputs {
    columns: Vec<Column>,
    plain: u32,
    /// Where each labelled input comes from.
    order: Vec<u32>,
    past: Past,
    classes: u32,
    /// A category came for which there was no input.
    more_names: bool,
    rows: u32,
    zeros: u64,
    numbers: u64,
}

/// A row as members see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Encoded {
    /// Plain inputs, padded with zeros to whole lanes; and the same in single precision.
    pub(crate) plain: Vec<f64>,
    pub(crate) plain32: Vec<f32>,
    /// Labelled inputs in single precision, padded.
    pub(crate) labelled32: Vec<f32>,
    /// Plain inputs on the steady scale; for regression only.
    steady_plain: Vec<f64>,
    /// Labelled inputs on the steady scale, padded; for regression only.
    pub(crate) steady: Vec<f64>,
    /// The row as it is, as far as there are columns.
    pub(crate) values: Vec<f64>,
    /// Column and category of each nominal column, hashed.
    pub(crate) names: Vec<u64>,
    /// Column (hashed) and relative size of each number that is not 0.
    pub(crate) sparse: Vec<(u64, f32)>,
    /// The labels, or targets, known to the row.
    pub(crate) known: Known,
}

/// What there is to learn from; members fit themselves to it. All only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Plain inputs.
    pub(crate) plain: usize,
    /// Labelled inputs.
    pub(crate) labelled: usize,
    pub(crate) classes: usize,
    /// Nominal columns.
    pub(crate) nominal: usize,
    /// There are categories without an input of their own.
    pub(crate) more_names: bool,
    /// Most numbers are zeros.
    pub(crate) sparse: bool,
}

impl Inputs {
    pub(crate) fn new(task: Task) -> Self {
        let (past, inputs) = match task {
            Task::Classification => (Past::Labels(Labels::default()), 1),
            Task::Regression => (Past::Targets(Box::default()), targets::INPUTS as u32),
        };
        let order = std::iter::once(0).chain((0..inputs).map(|i| LABEL + i)).collect();
        Self { columns: vec![], plain: 1, order, past, classes: 0, more_names: false, rows: 0, zeros: 0, numbers: 0 }
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape {
            plain: self.plain as usize,
            labelled: self.order.len(),
            classes: self.classes as usize,
            nominal: self.columns.iter().filter(|column| column.kind == Kind::Nominal).count(),
            more_names: self.more_names,
            sparse: self.rows >= SPARSE_AFTER && 2 * self.zeros > self.numbers,
        }
    }

    /// Operations to encode and to learn a row.
    pub(crate) fn operations(shape: &Shape) -> f64 {
        (200 + 30 * shape.plain + 5 * shape.labelled) as f64
    }

    /// Whether it was made for this task.
    pub(crate) fn is_for(&self, task: Task) -> bool {
        matches!(self.past, Past::Labels(_)) == (task == Task::Classification)
    }

    /// Columns looked at.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn classes(&self) -> usize {
        self.classes as usize
    }

    /// The columns' kinds from now on, as far as `room` bytes go.
    pub(crate) fn grow(&mut self, kinds: &[Kind], room: usize) {
        let most = (self.columns.len() + room / self.column_bytes()).min(MOST_COLUMNS);
        for (place, &kind) in kinds.iter().take(most).enumerate() {
            if place == self.columns.len() {
                let scale = Scale::default();
                let (kind, categories, levels) = (Kind::Unknown, vec![], vec![]);
                let (number, gap, many_levels) = (NONE, NONE, false);
                self.columns.push(Column { kind, scale, number, gap, categories, levels, many_levels });
            }
            if self.columns[place].kind == Kind::Unknown && kind != Kind::Unknown {
                self.columns[place].kind = kind;
                if kind == Kind::Number {
                    self.columns[place].number = self.append();
                }
            }
        }
    }

    fn append(&mut self) -> u32 {
        self.order.push(self.plain);
        self.plain += 1;
        self.plain - 1
    }

    /// Makes room for a class.
    pub(crate) fn admit(&mut self, class: u32) {
        let before = labels::inputs(self.classes as usize);
        self.classes = self.classes.max(class + 1);
        let after = labels::inputs(self.classes as usize);
        self.order.extend((before..after).map(|i| LABEL + i as u32));
    }

    /// What is known of labels or targets to a row that comes now.
    pub(crate) fn known(&self, row: &Row<'_>, known: &mut Known) {
        match &self.past {
            Past::Labels(labels) => labels.known(row.entity.0, self.classes as usize, known),
            Past::Targets(targets) => {
                let (value, inputs) = targets.known(row.entity.0);
                known.value = value;
                known.inputs.clear();
                known.inputs.extend(inputs);
            }
        }
    }

    /// Encodes a row; `out.known` says which labels were known to it.
    pub(crate) fn encode(&self, row: &Row<'_>, out: &mut Encoded) {
        out.plain.clear();
        out.plain.resize(padded(self.plain as usize), 0.0);
        out.names.clear();
        out.sparse.clear();
        out.values.clear();
        out.values.extend_from_slice(&row.values[..row.values.len().min(self.columns.len())]);
        out.plain[0] = 1.0;
        for (place, column) in self.columns.iter().enumerate() {
            let x = row.values.get(place).copied().unwrap_or(f64::NAN);
            if x.is_nan() && column.gap != NONE {
                out.plain[column.gap as usize] = 1.0;
            }
            match column.kind {
                Kind::Unknown => {}
                Kind::Number => {
                    out.plain[column.number as usize] = column.scale.standardise(x);
                    if let Some(level) = column.levels.iter().find(|level| level.number == x && level.input != NONE) {
                        out.plain[level.input as usize] = 1.0;
                    }
                    if x != 0.0 && !x.is_nan() {
                        out.sparse.push((mix(place as u64), column.scale.relative(x) as f32));
                    }
                }
                Kind::Nominal => {
                    let category = category(x);
                    out.names.push(mix((place as u64) << 32 | u64::from(category)));
                    if let Some((_, input)) = column.categories.iter().find(|(known, _)| *known == category) {
                        out.plain[*input as usize] = 1.0;
                    }
                }
            }
        }
        if let Past::Targets(_) = self.past {
            out.steady_plain.clone_from(&out.plain);
            for (column, x) in self.columns.iter().zip(row.values).filter(|(column, _)| column.kind == Kind::Number) {
                out.steady_plain[column.number as usize] = column.scale.steady(*x);
            }
        }
        out.plain32.clear();
        out.plain32.extend(out.plain.iter().map(|x| *x as f32));
        out.labelled32.clear();
        match &self.past {
            Past::Labels(_) => {
                let label = |i: u32| out.known.inputs.get(i as usize).copied().unwrap_or(0.0) as f32;
                let from = |from: &u32| if *from >= LABEL { label(from - LABEL) } else { out.plain32[*from as usize] };
                out.labelled32.extend(self.order.iter().map(from));
            }
            Past::Targets(targets) => {
                out.steady.clear();
                for from in &self.order {
                    if *from >= LABEL {
                        let i = (from - LABEL) as usize;
                        let x = out.known.inputs.get(i).copied().unwrap_or(f64::NAN);
                        out.labelled32.push(targets.scale(i).standardise(x) as f32);
                        out.steady.push(targets.scale(i).steady(x));
                    } else {
                        out.labelled32.push(out.plain32[*from as usize]);
                        out.steady.push(out.steady_plain[*from as usize]);
                    }
                }
                out.steady.resize(padded(self.order.len()), 0.0);
            }
        }
        out.labelled32.resize(padded(self.order.len()), 0.0);
    }

    /// Learns a row: scales, categories, gaps, and its label, of which `known` was known before; may add as many bytes as
    /// there is `room`.
    pub(crate) fn learn(&mut self, row: &Row<'_>, known: &Known, target: Target, mut room: usize) {
        self.rows = self.rows.saturating_add(1);
        for place in 0..self.columns.len() {
            let x = row.values.get(place).copied().unwrap_or(f64::NAN);
            let few = self.columns.len() <= COLUMNS_WITH_GAPS;
            let free = self.plain < MOST_INPUTS && room >= INPUT_BYTES;
            let column = &mut self.columns[place];
            let new = match column.kind {
                Kind::Unknown => false,
                Kind::Number => {
                    column.scale.update(x);
                    if self.rows <= SPARSE_AFTER {
                        self.numbers += 1;
                        self.zeros += u64::from(x == 0.0 || x.is_nan());
                    }
                    x.is_nan() && column.gap == NONE && few
                }
                Kind::Nominal => {
                    let category = category(x);
                    let known = column.categories.iter().any(|(known, _)| *known == category);
                    let place = column.categories.len() < MOST_CATEGORIES;
                    self.more_names |= !(known || place && free);
                    !known && place
                }
            };
            if new && free {
                room -= INPUT_BYTES;
                let input = self.append();
                let column = &mut self.columns[place];
                match column.kind {
                    Kind::Nominal => column.categories.push((category(x), input)),
                    _ => column.gap = input,
                }
            }
        }
        let entity = row.entity.0;
        match (&mut self.past, target) {
            (Past::Labels(labels), Target::Class(ClassId(class))) => labels.learn(entity, class, room),
            (Past::Targets(targets), Target::Value(y)) => {
                targets.learn(entity, &known.inputs, y, room);
                self.learn_levels(row, room);
            }
            _ => {}
        }
    }

    /// Which columns have few different numbers, and these.
    fn learn_levels(&mut self, row: &Row<'_>, mut room: usize) {
        for place in 0..self.columns.len().min(row.values.len()) {
            let (x, column) = (row.values[place], &mut self.columns[place]);
            if column.kind != Kind::Number || column.many_levels || x.is_nan() {
                continue;
            }
            if !column.levels.iter().any(|level| level.number == x) {
                let full = column.levels.len() == MOST_LEVELS;
                // Before it is told, too many are too many; later, those beyond have no input.
                column.many_levels = full;
                if full && self.rows <= LEVELS_AFTER {
                    column.levels = vec![];
                }
                if !full {
                    column.levels.push(Level { number: x, input: NONE });
                }
            }
            if self.rows == LEVELS_AFTER && column.levels.len() < FEWEST_LEVELS {
                (column.levels, column.many_levels) = (vec![], true);
            }
            if self.rows < LEVELS_AFTER {
                continue;
            }
            for level in 0..self.columns[place].levels.len() {
                if self.columns[place].levels[level].input == NONE && self.plain < MOST_INPUTS && room >= INPUT_BYTES {
                    room -= INPUT_BYTES;
                    self.columns[place].levels[level].input = self.append();
                }
            }
        }
    }

    /// Bytes of a column, its number's input included.
    fn column_bytes(&self) -> usize {
        let levels = if matches!(self.past, Past::Targets(_)) { MOST_LEVELS * size_of::<Level>() } else { 0 };
        COLUMN_BYTES + levels
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let categories: usize = self.columns.iter().map(|c| size_of_val(&*c.categories)).sum();
        let past = match &self.past {
            Past::Labels(labels) => labels.bytes(),
            Past::Targets(targets) => targets.bytes(),
        };
        self.columns.len() * self.column_bytes() + size_of_val(&*self.order) + categories + past
    }

    /// Whether its parts fit together: what was read back may be anything.
    pub(crate) fn is_sound(&self) -> bool {
        let input = |i: u32| i == NONE || i < self.plain;
        let column = |c: &Column| {
            c.scale.is_sound()
                && input(c.gap)
                && (c.kind != Kind::Number || c.number < self.plain)
                && c.categories.iter().all(|(_, i)| *i < self.plain)
                && c.levels.len() <= MOST_LEVELS
                && c.levels.iter().all(|level| input(level.input))
        };
        let labels = match &self.past {
            Past::Labels(_) => labels::inputs(self.classes as usize),
            Past::Targets(_) => targets::INPUTS,
        };
        let past = match &self.past {
            Past::Labels(labels) => labels.is_sound(self.classes as usize),
            Past::Targets(targets) => targets.is_sound(),
        };
        self.plain > 0
            && self.columns.iter().all(column)
            && past
            && self.order.len() == self.plain as usize + labels
            && self.order.iter().all(|i| *i < self.plain || (*i >= LABEL && ((i - LABEL) as usize) < labels))
    }
}

/// Bytes of a column, its number's input included, without levels.
const COLUMN_BYTES: usize = size_of::<Column>() + Scale::BYTES - size_of::<Scale>() + size_of::<u32>();
/// Bytes of one input more.
const INPUT_BYTES: usize = size_of::<(u32, u32)>() + size_of::<u32>();

/// The category of a nominal value; missing is one of its own.
fn category(x: f64) -> u32 {
    if (0.0..f64::from(NONE)).contains(&x) { x as u32 } else { NONE }
}

/// Spreads a number over all bits (Steele et al., Fast splittable pseudorandom number generators, 2014).
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use features::{EntityId, EventTime};

    use super::*;

    const N: Kind = Kind::Number;
    const C: Kind = Kind::Nominal;
    const GAP: f64 = f64::NAN;

    fn row(values: &[f64]) -> Row<'_> {
        Row { values, at: EventTime(0), entity: EntityId(0) }
    }

    fn encoded(inputs: &Inputs, values: &[f64]) -> Encoded {
        let mut out = Encoded::default();
        inputs.known(&row(values), &mut out.known);
        inputs.encode(&row(values), &mut out);
        out
    }

    fn learned(kinds: &[Kind], rows: &[&[f64]]) -> Inputs {
        let mut inputs = Inputs::new(Task::Classification);
        inputs.grow(kinds, 1 << 20);
        for (i, values) in rows.iter().enumerate() {
            inputs.admit(i as u32 % 2);
            inputs.learn(&row(values), &Known::default(), Target::Class(ClassId(i as u32 % 2)), 1 << 20);
        }
        inputs
    }

    #[test]
    fn numbers_categories_and_gaps_have_inputs_of_their_own() {
        let inputs = learned(&[N, C, N], &[&[1.0, 4.0, 0.0], &[3.0, GAP, GAP], &[2.0, 4.0, 1.0]]);
        // Bias, two numbers, category 4, category "missing", gap of the last column.
        assert_eq!(inputs.shape().plain, 6);
        assert_eq!(encoded(&inputs, &[2.0, 4.0, 0.5]).plain, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(encoded(&inputs, &[GAP, GAP, GAP]).plain, [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(encoded(&inputs, &[2.0, 9.0, 0.5]).plain[3..6], [0.0; 3], "an unseen category");
        assert_eq!(encoded(&inputs, &[2.0, 9.0, 0.5]).names.len(), 1);
        assert!(inputs.is_sound());
    }

    #[test]
    fn places_stay_while_classes_and_columns_come() {
        let mut inputs = learned(&[N], &[&[1.0], &[2.0]]);
        let before = encoded(&inputs, &[1.5]);
        inputs.grow(&[N, N], 1 << 20);
        inputs.admit(2);
        let after = encoded(&inputs, &[1.5]);
        let (old, shape) = (2 + 1 + 8, inputs.shape());
        assert_eq!(before.labelled32[..old], after.labelled32[..old]);
        assert_eq!((shape.plain, shape.labelled), (3, 3 + 13));
        assert!(inputs.is_sound());
    }

    #[test]
    fn without_room_nothing_is_added() {
        let mut inputs = Inputs::new(Task::Classification);
        inputs.grow(&[C, C], COLUMN_BYTES);
        inputs.admit(0);
        inputs.learn(&row(&[1.0, 1.0]), &Known::default(), Target::Class(ClassId(0)), 0);
        assert_eq!((inputs.columns.len(), inputs.shape().plain), (1, 1));
    }

    #[test]
    fn mostly_zeros_is_told_after_a_while() {
        let zeros: Vec<&[f64]> = vec![&[0.0, 1.0, 0.0]; SPARSE_AFTER as usize];
        assert!(learned(&[N, N, N], &zeros).shape().sparse);
        assert!(!learned(&[N, N, N], &zeros[1..]).shape().sparse);
        assert_eq!(encoded(&learned(&[N, N, N], &zeros), &[0.0, 0.5, GAP]).sparse, [(mix(1), 0.5)]);
    }
}
