//! A batch, member by member, as in [`committee`](crate::committee): inputs, members, combiner. An input that is new ends
//! the batch.

use features::{Rows, Target};

use super::{Forecaster, Room};
use crate::forecasts::LARGEST;
use crate::inputs::Encoded;
use crate::members::Work;
use crate::{Outcome, threads};

/// Rows at most.
const ROWS: usize = 128;

/// Memory used again and again; no part of the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    xs: Vec<Encoded>,
    targets: Vec<f64>,
    /// By member, then row.
    said: Vec<f64>,
}

impl Forecaster {
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
        let count = targets.len();
        if count > 0 {
            said.clear();
            said.resize(self.seats.len() * count, f64::NAN);
            room.works.resize_with(self.seats.len(), Work::default);
            let members = self.seats.iter_mut().zip(&mut room.works).zip(said.chunks_exact_mut(count));
            threads::each(threads, members.filter(|((seat, _), _)| seat.on), |((seat, work), said)| {
                for ((x, y), said) in xs.iter().zip(&*targets).zip(said) {
                    *said = seat.member.predict(x, work);
                    seat.member.learn(x, work, *y, 1.0);
                }
            });
        }
        for (n, &y) in targets.iter().enumerate() {
            room.said.clear();
            room.said.extend(said.iter().skip(n).step_by(count));
            self.combine(xs[n].known.value, room);
            outcomes.push(Outcome::of(&room.answer, Target::Value(y)));
            match self.single {
                true => self.council.see(y),
                false => self.council.learn(&room.said, &mut room.council, y),
            }
        }
        self.fit();
        count
    }

    /// Makes inputs of rows, and takes in what they teach of columns and targets.
    fn take_in(&mut self, rows: &Rows, from: usize, batch: &mut Batch) {
        batch.targets.clear();
        for (n, i) in (from..rows.len()).take(ROWS).enumerate() {
            let (row, target) = rows.get(i);
            let Target::Value(y) = target else { return };
            let y = y.clamp(-LARGEST, LARGEST);
            if batch.xs.len() == n {
                batch.xs.push(Encoded::default());
            }
            let x = &mut batch.xs[n];
            self.inputs.known(&row, &mut x.known);
            self.inputs.encode(&row, x);
            batch.targets.push(y);
            let space = self.inputs_budget().saturating_sub(self.inputs.bytes());
            self.inputs.learn(&row, &x.known, Target::Value(y), space);
            if self.inputs.shape() != self.shape {
                return;
            }
        }
    }
}
