//! The fold on two threads: while some batches are learned, the next ones are read.

use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use features::Record;
use fold::{Chunk, Fold, Learning, Position, Reading, Rejected};

/// Batches read and not yet learned, at most: enough that neither thread waits for the other's next turn on a busy
/// machine, few enough that a whole fold is soon to be had.
const AHEAD: usize = 4;

/// What the thread that learns is asked for.
enum Task {
    Take(Box<Learning>),
    Learn(Box<Chunk>),
    GiveBack,
}

enum State {
    Whole(Box<Fold>),
    /// The other half is with the thread that learns.
    Apart(Box<Reading>),
    /// Only while it changes from one to the other.
    Between,
}

/// Hears of every batch once it is learned, before the fold can be asked for.
pub type Hear = Arc<dyn Fn(&Chunk) + Send + Sync>;

/// A fold that is whole when it is asked for, and learns behind its owner's back otherwise.
pub struct Halves {
    state: State,
    tasks: Sender<Task>,
    given_back: Receiver<Box<Learning>>,
    /// Chunks that were learned; their memory is used again.
    spare: (Sender<Chunk>, Receiver<Chunk>),
    hear: Hear,
}

impl Halves {
    /// Starts the thread that learns.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(fold: Fold, thread_name: String, hear: Hear) -> io::Result<Self> {
        let (tasks, to_do) = bounded(AHEAD);
        let (give_back, given_back) = bounded(1);
        let spare = bounded(AHEAD);
        let (learned, heard) = (spare.0.clone(), Arc::clone(&hear));
        thread::Builder::new().name(thread_name).spawn(move || {
            let mut half: Option<Box<Learning>> = None;
            for task in to_do {
                match task {
                    Task::Take(learning) => half = Some(learning),
                    Task::Learn(mut chunk) => {
                        half.as_mut().expect("it was given").train(&mut chunk);
                        heard(&chunk);
                        // One too many is thrown away.
                        let _ = learned.try_send(*chunk);
                    }
                    Task::GiveBack => {
                        // Fails only if nobody wants it any more.
                        let _ = give_back.send(half.take().expect("it was given"));
                    }
                }
            }
        })?;
        Ok(Self { state: State::Whole(Box::new(fold)), tasks, given_back, spare, hear })
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
            self.ask(Task::GiveBack);
            let learning = self.given_back.recv().expect(PANICKED);
            self.state = State::Whole(Box::new(Fold::whole(*reading, *learning)));
        }
        match &mut self.state {
            State::Whole(fold) => fold,
            _ => unreachable!("it was just made whole"),
        }
    }

    /// Folds a batch. Returns what cannot be learned from; the rest is learned by the time the fold is asked for.
    pub fn fold_batch(&mut self, batch: &[Record]) -> Vec<Rejected> {
        let mut chunk = self.spare.1.try_recv().unwrap_or_default();
        let mut reading = match std::mem::replace(&mut self.state, State::Between) {
            State::Apart(reading) => reading,
            State::Whole(fold) => match fold.apart() {
                Ok((reading, learning)) => {
                    self.ask(Task::Take(Box::new(learning)));
                    Box::new(reading)
                }
                Err(mut fold) => {
                    fold.decode(batch, &mut chunk);
                    fold.train(&mut chunk);
                    (self.hear)(&chunk);
                    self.state = State::Whole(fold);
                    let rejected = chunk.take_rejected();
                    let _ = self.spare.0.try_send(chunk);
                    return rejected;
                }
            },
            State::Between => unreachable!("a panic has ended the trainer"),
        };
        reading.decode(batch, &mut chunk);
        let rejected = chunk.take_rejected();
        self.ask(Task::Learn(Box::new(chunk)));
        self.state = State::Apart(reading);
        rejected
    }

    fn ask(&self, task: Task) {
        self.tasks.send(task).expect(PANICKED);
    }
}

const PANICKED: &str = "the thread that learns has panicked";

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
        let mut halves = Halves::start(fold(), "learn".into(), Arc::new(|_| ())).unwrap();
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
