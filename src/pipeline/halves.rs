//! The fold on two threads: while one batch is learned, the next one is read.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use features::Record;
use fold::{Chunk, Fold, Learning, Position, Reading, Rejected};

enum State {
    Whole(Box<Fold>),
    /// The other half is with the thread that learns.
    Apart(Box<Reading>),
    /// Only while it changes from one to the other.
    Between,
}

/// A fold that is whole when it is asked for, and learns behind its owner's back otherwise.
pub struct Halves {
    state: State,
    chunk: Chunk,
    to_learn: Sender<(Learning, Chunk)>,
    learned: Receiver<(Learning, Chunk)>,
}

impl Halves {
    /// Starts the thread that learns.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(fold: Fold, thread_name: String) -> io::Result<Self> {
        let (to_learn, tasks) = bounded::<(Learning, Chunk)>(1);
        let (done, learned) = bounded(1);
        thread::Builder::new().name(thread_name).spawn(move || {
            for (mut learning, mut chunk) in tasks {
                learning.train(&mut chunk);
                if done.send((learning, chunk)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { state: State::Whole(Box::new(fold)), chunk: Chunk::default(), to_learn, learned })
    }

    /// Records and decisions read.
    pub fn version(&self) -> u64 {
        match &self.state {
            State::Whole(fold) => fold.version(),
            State::Apart(reading) => reading.version(),
            State::Between => unreachable!("a panic has ended the trainer"),
        }
    }

    /// How far each partition has been read.
    pub fn position(&self) -> &Position {
        match &self.state {
            State::Whole(fold) => fold.position(),
            State::Apart(reading) => reading.position(),
            State::Between => unreachable!("a panic has ended the trainer"),
        }
    }

    /// The whole fold, once it has learned all that was read.
    pub fn fold(&mut self) -> &mut Fold {
        if let State::Apart(_) = self.state
            && let State::Apart(reading) = std::mem::replace(&mut self.state, State::Between)
        {
            let (learning, _) = self.take_back();
            self.state = State::Whole(Box::new(Fold::whole(*reading, learning)));
        }
        match &mut self.state {
            State::Whole(fold) => fold,
            _ => unreachable!("it was just made whole"),
        }
    }

    /// Folds a batch. Returns what cannot be learned from; the rest is learned by the time the fold is asked for.
    pub fn fold_batch(&mut self, batch: &[Record]) -> Vec<Rejected> {
        let (mut reading, learning) = match std::mem::replace(&mut self.state, State::Between) {
            State::Apart(reading) => (reading, None),
            State::Whole(fold) => match fold.apart() {
                Ok((reading, learning)) => (Box::new(reading), Some(learning)),
                Err(mut fold) => {
                    fold.decode(batch, &mut self.chunk);
                    fold.train(&mut self.chunk);
                    self.state = State::Whole(fold);
                    return self.chunk.take_rejected();
                }
            },
            State::Between => unreachable!("a panic has ended the trainer"),
        };
        let mut chunk = std::mem::take(&mut self.chunk);
        reading.decode(batch, &mut chunk);
        let rejected = chunk.take_rejected();
        let learning = learning.unwrap_or_else(|| {
            let (learning, spare) = self.take_back();
            self.chunk = spare;
            learning
        });
        self.to_learn.send((learning, chunk)).expect("it waits for work as long as this side lives");
        self.state = State::Apart(reading);
        rejected
    }

    fn take_back(&self) -> (Learning, Chunk) {
        self.learned.recv().expect("the thread that learns has panicked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModelConfig;
    use features::Task;

    #[test]
    fn side_by_side_it_becomes_what_it_becomes_one_after_the_other() {
        let event = |i: i64| {
            let label = ["a", "b"][(i.wrapping_mul(2_654_435_761) >> 7 & 1) as usize];
            let json = if i % 50 == 7 { "{".into() } else { format!(r#"{{"x":{i},"f{}":1,"y":"{label}"}}"#, i % 9) };
            Record { offset: i, payload: Some(json.into()), ..Record::default() }
        };
        let mut config = ModelConfig::new("m", vec!["t".into()], Task::Classification, "y").fold;
        config.learner = "hoeffding_tree".parse().unwrap();
        let fold = || Fold::genesis(config.clone(), Position::new()).unwrap();
        let (mut alone, mut chunk) = (fold(), Chunk::default());
        let mut halves = Halves::start(fold(), "learn".into()).unwrap();
        for (n, batch) in (0..40).map(|n| (n, (n * 60..n * 60 + 60).map(event).collect::<Vec<_>>())) {
            alone.decode(&batch, &mut chunk);
            alone.train(&mut chunk);
            assert_eq!(halves.fold_batch(&batch), chunk.rejected());
            assert_eq!((halves.version(), halves.position()), (alone.version(), alone.position()));
            if n % 7 == 0 {
                assert_eq!(halves.fold().save(), alone.save());
            }
        }
        assert_eq!(halves.fold().save(), alone.save());
    }
}
