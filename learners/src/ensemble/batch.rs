//! A batch, member by member, as in [`committee`](crate::committee): members, then the combiner. A class that is new ends the
//! batch.

use features::{ClassId, Rows, Target};

use super::{Combiner, Ensemble, Room, hear};
use crate::{Learner, Outcome, Scratch, threads};

/// Rows at most; fewer where there are many classes.
const ROWS: usize = 128;
/// Numbers that members may say about a batch.
const SAID: usize = 1 << 18;

impl Ensemble {
    /// Predicts and learns rows from `from` on; how many. None: the next one is to be taken by itself. `batch` is memory for
    /// what the members say.
    pub(super) fn study_some(
        &mut self,
        rows: &Rows,
        from: usize,
        threads: usize,
        (room, batch): (&mut Room, &mut Vec<f64>),
        outcomes: &mut Vec<Outcome>,
    ) -> usize {
        let classes = self.classes;
        let each = if let Combiner::Council(_) = self.combiner { 1 } else { classes };
        let is_known = |target| match target {
            Target::Class(ClassId(class)) => (class as usize) < classes,
            Target::Value(_) => true,
        };
        let most = (SAID / (self.learners.len() * each).max(1)).clamp(1, ROWS);
        let count = rows.targets()[from..].iter().take(most).take_while(|target| is_known(**target)).count();
        if count == 0 {
            return 0;
        }
        batch.clear();
        batch.resize(self.learners.len() * count * each, 0.0);
        room.scratches.resize_with(self.learners.len(), Scratch::default);
        let members = self.learners.iter_mut().zip(&mut room.scratches).zip(batch.chunks_exact_mut(count * each));
        threads::each(threads, members, |((learner, scratch), said)| {
            let mut part = std::mem::take(&mut scratch.prediction);
            for (i, said) in (from..).zip(said.chunks_exact_mut(each)) {
                let (row, target) = rows.get(i);
                learner.predict_then_learn(&row, target, 1.0, scratch, &mut part);
                match target {
                    Target::Class(_) => hear(&part, said),
                    Target::Value(_) => said[0] = part.value,
                }
            }
            scratch.prediction = part;
        });
        for n in 0..count {
            let (_, target) = rows.get(from + n);
            room.said.clear();
            let of_row = batch.chunks_exact(each).skip(n).step_by(count);
            of_row.for_each(|said| room.said.extend_from_slice(said));
            self.combine(classes, room);
            outcomes.push(Outcome::of(&room.answer, target));
            self.weigh(classes, room, target, 1.0, self.combiner.learned());
        }
        count
    }
}
