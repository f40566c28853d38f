//! One fit in the background: from which rows, and what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use features::Kind;
use serde::{Deserialize, Serialize};

use super::fit::{FitError, FitSpec, Fitted, fit};
use super::window::Window;

/// All that a fit depends on, but for the specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct JobData {
    /// The number of labelled rows when it was started.
    pub(super) started: u64,
    /// The columns' kinds at that moment.
    pub(super) kinds: Vec<Kind>,
    /// The rows at that moment.
    pub(super) window: Window,
}

impl JobData {
    /// A field's values, without the missing ones.
    pub(super) fn column(&self, field: usize) -> impl Iterator<Item = f64> {
        self.window.rows().filter_map(move |(row, _)| row.get(field).copied().filter(|x| !x.is_nan()))
    }
}

type Done = OnceLock<Result<Arc<Fitted>, FitError>>;

/// A fit that a thread is busy with. Copies share it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    data: Arc<JobData>,
    done: Arc<Done>,
}

impl Job {
    /// Starts a thread that fits.
    pub(super) fn start(spec: FitSpec, data: JobData) -> Self {
        let job = Self { data: Arc::new(data), done: Arc::default() };
        let theirs = job.clone();
        // Where no thread can be had, whoever asks for the result computes it.
        let _ = std::thread::Builder::new().name("refit".into()).spawn(move || {
            theirs.wait(&spec);
        });
        job
    }

    /// The number of labelled rows when it was started.
    pub(super) fn started(&self) -> u64 {
        self.data.started
    }

    /// What it was started from.
    pub(super) fn data(&self) -> &JobData {
        &self.data
    }

    /// Waits for the result. Only the first to come fits; the others wait for it. A fit ends by itself: iterations,
    /// depth and rows are bounded.
    pub(super) fn wait(&self, spec: &FitSpec) -> &Result<Arc<Fitted>, FitError> {
        self.done.get_or_init(|| {
            let fitted = catch_unwind(AssertUnwindSafe(|| fit(spec, &self.data)));
            fitted.unwrap_or(Err(FitError::Panicked)).map(Arc::new)
        })
    }

    /// Bytes held: the rows count in full, though the learner's window shares most of them.
    pub(super) fn bytes(&self) -> usize {
        size_of::<JobData>() + size_of_val(&*self.data.kinds) + self.data.window.bytes()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use features::Target;

    /// Rows whose label is their number.
    pub(in super::super) fn data(kinds: &[Kind], rows: &[&[f64]]) -> JobData {
        let mut window = Window::default();
        for (i, row) in rows.iter().enumerate() {
            window.push(row, kinds.len(), Target::Value(i as f64), rows.len(), usize::MAX);
        }
        JobData { started: rows.len() as u64, kinds: kinds.to_vec(), window }
    }
}
