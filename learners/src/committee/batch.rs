//! A batch, member by member: none sees another, so each may go through all rows before the next one begins, or on a thread
//! of its own. The bits are those of row by row.
//!
//! First the inputs, which hang on rows and labels alone; then the members; then the combiner. A row that changes what
//! members work on (a class or an input that is new) ends the batch.

use features::{ClassId, Rows, Target};

use super::{Committee, Room, State};
use crate::inputs::Encoded;
use crate::members::Work;
use crate::{Outcome, threads};

/// Rows at most; fewer where there are many classes.
const ROWS: usize = 128;
/// Numbers that members may say about a batch.
const SAID: usize = 1 << 18;

/// Memory used again and again; no part of the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    xs: Vec<Encoded>,
    targets: Vec<usize>,
    /// By member, then row, then class.
    said: Vec<f64>,
}

impl Committee {
    /// Predicts and learns rows from `from` on; how many. None: the next one is to be taken by itself.
    pub(super) fn study_some(
        &mut self,
        rows: &Rows,
        from: usize,
        threads: usize,
        (room, batch): (&mut Room, &mut Batch),
        outcomes: &mut Vec<Outcome>,
    ) -> usize {
        self.take_in(rows, from, batch);
        let Batch { xs, targets, said } = batch;
        let (classes, count) = (self.inputs.classes(), targets.len());
        if count > 0 {
            said.clear();
            said.resize(self.seats.len() * count * classes, 1.0 / classes as f64);
            room.works.resize_with(self.seats.len(), Work::default);
            let members = self.seats.iter_mut().zip(&mut room.works).zip(said.chunks_exact_mut(count * classes));
            threads::each(threads, members.filter(|((seat, _), _)| seat.state == State::On), |((seat, work), said)| {
                seat.member.study(xs, targets, work, said);
            });
        }
        for (n, &class) in targets.iter().enumerate() {
            room.said.clear();
            let of_row = said.chunks_exact(classes).skip(n).step_by(count);
            of_row.for_each(|said| room.said.extend_from_slice(said));
            self.combine(classes, room);
            outcomes.push(Outcome::of(&room.answer, Target::Class(ClassId(class as u32))));
            if let Some(blend) = &mut self.blend {
                let learned = blend.learned();
                blend.learn(&mut room.blend, classes, class, 1.0, learned);
            }
        }
        self.fit();
        count
    }

    /// Makes inputs of rows, and takes in what they teach of columns and labels.
    fn take_in(&mut self, rows: &Rows, from: usize, batch: &mut Batch) {
        batch.targets.clear();
        let classes = self.inputs.classes();
        let most = (SAID / (self.seats.len() * classes).max(1)).clamp(1, ROWS);
        for (n, i) in (from..rows.len()).take(most).enumerate() {
            let (row, target) = rows.get(i);
            let Target::Class(ClassId(class)) = target else { return };
            if class as usize >= classes {
                return;
            }
            if batch.xs.len() == n {
                batch.xs.push(Encoded::default());
            }
            let x = &mut batch.xs[n];
            self.inputs.known(&row, &mut x.known);
            self.inputs.encode(&row, x);
            batch.targets.push(class as usize);
            let space = self.inputs_budget().saturating_sub(self.inputs.bytes());
            self.inputs.learn(&row, &x.known, target, space);
            if self.inputs.shape() != self.shape {
                return;
            }
        }
    }
}
