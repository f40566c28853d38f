//! Window re-fit: a model of smartcore or linfa fitted again and again to the newest rows, in the background.
//!
//! The newest `window` labelled rows are kept. At each `every`-th row a fit of them starts on a thread; the model it
//! yields is taken over exactly `lag` rows later, where the learner waits for it if it must: when a row is predicted by
//! which model depends on the rows alone, never on the thread's timing. A fit that fails or panics leaves the old model
//! in place. Until there is one, classes are predicted by their shares and values by their mean. A row's weight counts
//! for those alone: the libraries' models take each row as one.
//!
//! A running fit is saved as the rows it was started from; whoever restores it runs it again and gets the same model
//! (on the same family of processors: the libraries use the system's maths, and vector instructions).
//!
//! Missing numbers are the window's mean, names are indices (trees) or columns of their own for the 16 most frequent
//! (linear models), numbers are standardised for linear models and cut at 10 deviations. smartcore's trees carry no
//! class shares, so a forest's probabilities are its trees' votes and a single tree's are coarse.
//!
//! Rows are kept in a quarter of `max_bytes` (fewer than `window`, if they are wide); a running fit holds as much, the
//! fitted model at most another quarter.
//!
//! Breiman, Random forests, 2001; Zou and Hastie, Regularization and variable selection via the elastic net, 2005.

mod encode;
mod fit;
mod forest;
mod job;
mod linear;
mod window;

use std::sync::Arc;

use features::{Kind, Row, Target, Task};
use serde::{Deserialize, Serialize};

use crate::{Learner, Majority, Mean, Params, Prediction, RestoreError, Scratch, Section, SpecError};

use fit::{FitSpec, Fitted, ModelKind};
use job::{Job, JobData};
use window::Window;

/// How the fits went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fits {
    /// Models taken over.
    pub adopted: u64,
    /// Fits that yielded none.
    pub failed: u64,
    /// Why the last of those did not.
    pub last_failure: Option<String>,
}

/// What is saved in one piece.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// Labelled rows so far.
    seen: u64,
    kinds: Vec<Kind>,
    shares: Majority,
    mean: Mean,
    fits: Fits,
}

/// The window re-fit learner.
#[derive(Clone, Debug)]
pub struct Refit {
    spec: FitSpec,
    /// Rows kept for a fit.
    window_rows: usize,
    /// Rows from one start of a fit to the next.
    every: u64,
    /// Rows from the start of a fit to the use of its model, at most `every`.
    lag: u64,
    state: State,
    window: Window,
    job: Option<Job>,
    fitted: Option<Arc<Fitted>>,
}

impl Refit {
    /// Builds it from its parameters.
    ///
    /// # Errors
    /// A parameter out of its range.
    pub fn build(params: &Params<'_>, task: Task) -> Result<Self, SpecError> {
        let linear = if task == Task::Classification { "logistic" } else { "elastic_net" };
        let model = match params.choice("model", &["random_forest", "decision_tree", linear])? {
            0 => ModelKind::RandomForest,
            1 => ModelKind::DecisionTree,
            _ => ModelKind::Linear,
        };
        let every = params.whole("every", 1_000, 10, 1_000_000)?;
        let spec = FitSpec {
            model,
            task,
            seed: params.seed()?,
            trees: params.whole("trees", 10, 1, 100)? as u16,
            depth: params.whole("depth", 12, 2, 20)? as u16,
            leaf: params.whole("leaf", 5, 3, 1_000)? as usize,
            penalty: params.number("penalty", 0.001, 1e-6, 1e3)?,
            max_bytes: params.max_bytes()? / 4,
        };
        Ok(Self {
            spec,
            window_rows: params.whole("window", 2_000, 20, 10_000)? as usize,
            every,
            lag: params.whole("lag", every.min(500), 0, every)?,
            state: State::default(),
            window: Window::default(),
            job: None,
            fitted: None,
        })
    }

    /// How the fits went.
    pub fn fits(&self) -> &Fits {
        &self.state.fits
    }

    /// Starts a fit if it is time.
    fn start(&mut self) {
        if self.state.seen.is_multiple_of(self.every) {
            let (started, kinds) = (self.state.seen, self.state.kinds.clone());
            self.job = Some(Job::start(self.spec, JobData { started, kinds, window: self.window.clone() }));
        }
    }

    /// Takes over the running fit's model if it is time.
    fn adopt(&mut self) {
        let Some(job) = self.job.take_if(|job| self.state.seen >= job.started() + self.lag) else { return };
        match job.wait(&self.spec) {
            Ok(fitted) => {
                self.fitted = Some(Arc::clone(fitted));
                self.state.fits.adopted += 1;
            }
            Err(e) => {
                self.state.fits.failed += 1;
                self.state.fits.last_failure = Some(e.to_string().chars().take(200).collect());
            }
        }
    }
}

impl Learner for Refit {
    fn grow(&mut self, kinds: &[Kind]) {
        self.state.kinds = kinds.to_vec();
    }

    fn learn(&mut self, row: &Row<'_>, target: Target, weight: f64) {
        self.state.seen += 1;
        self.state.shares.learn(row, target, weight);
        self.state.mean.learn(row, target, weight);
        self.window.push(row.values, self.state.kinds.len(), target, self.window_rows, self.spec.max_bytes);
        self.adopt();
        self.start();
        self.adopt();
    }

    fn predict_into(&self, row: &Row<'_>, scratch: &mut Scratch, out: &mut Prediction) {
        match (&self.fitted, self.spec.task) {
            (Some(fitted), _) => fitted.predict_into(row.values, scratch, out),
            (None, Task::Classification) => self.state.shares.predict_into(row, scratch, out),
            (None, Task::Regression) => self.state.mean.predict_into(row, scratch, out),
        }
    }

    fn bytes(&self) -> usize {
        let state = self.state.shares.bytes() + size_of_val(&*self.state.kinds);
        let job = self.job.as_ref().map_or(0, Job::bytes);
        let failure = self.state.fits.last_failure.as_ref().map_or(0, String::len);
        size_of::<Self>() + state + failure + self.window.bytes() + job + self.fitted.as_ref().map_or(0, |f| f.bytes())
    }

    fn save(&self, out: &mut Vec<Section>) {
        out.push(Section::of("state", 1, &self.state));
        out.push(Section::of("window", 1, &self.window));
        out.push(Section::of("job", 1, &self.job.as_ref().map(Job::data)));
        out.push(Section::of("fitted", 1, &self.fitted));
    }

    fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let corrupt = |name: &str| RestoreError::Corrupt { name: name.to_owned(), message: "it does not fit".into() };
        let state: State = Section::read(sections, "state", 1)?;
        let window: Window = Section::read(sections, "window", 1)?;
        let job: Option<JobData> = Section::read(sections, "job", 1)?;
        let fitted: Option<Arc<Fitted>> = Section::read(sections, "fitted", 1)?;
        if !window.is_sound() {
            return Err(corrupt("window"));
        }
        if job.as_ref().is_some_and(|job| !job.window.is_sound()) {
            return Err(corrupt("job"));
        }
        if fitted.as_ref().is_some_and(|fitted| !fitted.is_sound()) {
            return Err(corrupt("fitted"));
        }
        (self.state, self.window, self.fitted) = (state, window, fitted);
        self.job = job.map(|data| Job::start(self.spec, data));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
