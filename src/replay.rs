//! Folds files as `run` folds Kafka, in one thread, and tells how well it predicted and what it cost.

use std::fmt;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use checkpoints::{Checkpoint, CheckpointStore, FileJournal, FileStore, Journal, StateDir};
use features::{NextOffset, PartitionId, Record, Task};
use fold::{Chunk, Entry, Fold, FoldConfig, Position, digest, runs_of};
use learners::{Outcome, Report};
use serde::Serialize;
use streams::{FileSource, Source, SourceEvent};

use crate::cli::CliError;
use crate::pipeline::{Meta, Opened, Order, Step, hex, open, to_store};

/// Rows decoded, then trained on, at a time.
const CHUNK: usize = 4_096;

/// What came of a replay. What does not apply to the task is absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The files' names.
    pub file: String,
    /// Classification or regression.
    pub task: Task,
    /// The learner's specification.
    pub learner: String,
    /// Events learned from.
    pub events: u64,
    /// Rows that could not be learned from.
    pub rejected: u64,
    /// Its scores over all events.
    #[serde(flatten)]
    pub report: Report,
    /// CPU time of training (all threads), without decoding.
    pub cpu_seconds: f64,
    /// Events a second of it.
    pub events_per_cpu_second: f64,
    /// Time from the first row to the last.
    pub wall_seconds: f64,
    /// Bytes the learner holds.
    pub model_bytes: usize,
    /// The most memory the process has held; 0 where the system does not tell.
    pub peak_rss_bytes: u64,
    /// How often the learner's loss has drifted.
    pub drifts: u64,
    /// Rows folded.
    pub version: u64,
    /// Hash of what was learned, without positions: equal to that of a `run` over the same records.
    pub model_hash: String,
    /// Hash of the whole state.
    pub state_hash: String,
}

/// A replay about to run.
pub struct Replay {
    name: String,
    fold: Fold,
    chunk: Chunk,
    kept: Option<Kept>,
    predictions: Option<BufWriter<std::fs::File>>,
    cpu: Duration,
}

/// A state folder that the replay goes on from and saves to.
struct Kept {
    store: FileStore,
    journal: FileJournal,
}

impl Replay {
    /// Begins at genesis, or goes on from what `state` holds.
    ///
    /// # Errors
    /// The learner cannot be built; the state is not of this model; a file cannot be made.
    pub fn start(
        name: &str,
        config: FoldConfig,
        state: Option<&Path>,
        predictions: Option<&Path>,
    ) -> Result<Self, CliError> {
        let start: Position = [(PartitionId::default(), NextOffset(0))].into();
        let (fold, kept) = match state {
            None => (Fold::genesis(config, start).map_err(|e| CliError::Usage(e.to_string()))?, None),
            Some(dir) => {
                let unavailable = |e: &dyn fmt::Display| CliError::Unavailable(e.to_string());
                let state = StateDir::open(dir).map_err(|e| unavailable(&e))?;
                let store = FileStore::open(&state).map_err(|e| unavailable(&e))?;
                let Opened { mut fold, mut tail, journal, .. } =
                    open(&state, &store, name, &config, &start).map_err(|e| unavailable(&e))?;
                let mut order = Order::new(Duration::ZERO);
                loop {
                    match tail.step(&mut order).map_err(|e| unavailable(&e))? {
                        Step::End => break,
                        // A configuration that was adopted just now.
                        Step::Decide(decision) => fold.decide(&decision),
                        Step::Fold(_) | Step::Skip(_) | Step::Wait => {
                            let what =
                                "its journal goes on behind its last checkpoint: a replay was cut short; reset it";
                            return Err(CliError::Unavailable(format!("model {name}: {what}")));
                        }
                    }
                }
                (fold, Some(Kept { store, journal }))
            }
        };
        let predictions = predictions
            .map(|path| {
                let file = std::fs::File::create(path)
                    .map_err(|e| CliError::Unavailable(format!("--predictions {}: {e}", path.display())))?;
                let mut out = BufWriter::new(file);
                let header = match fold.config().event.task {
                    Task::Classification => "row,predicted,probability",
                    Task::Regression => "row,predicted",
                };
                writeln!(out, "{header}").map_err(anyhow::Error::from)?;
                Ok::<_, CliError>(out)
            })
            .transpose()?;
        Ok(Self { name: name.to_owned(), fold, chunk: Chunk::default(), kept, predictions, cpu: Duration::ZERO })
    }

    /// Lets a learner of many members take so many threads.
    pub fn on_threads(mut self, threads: usize) -> Self {
        self.fold.on_threads(threads);
        self
    }

    /// Folds all rows; `progress` hears of the number of events now and then.
    ///
    /// # Errors
    /// A row's file cannot be read, or what is to be kept cannot be written.
    pub fn run(mut self, mut source: FileSource, progress: impl Fn(u64)) -> Result<Summary, CliError> {
        let unavailable = |e: streams::SourceError| CliError::Unavailable(e.to_string());
        let began = Instant::now();
        let from: Vec<_> = self.fold.position().iter().map(|(from, next)| (*from, *next)).collect();
        source.assign(&from).map_err(unavailable)?;
        let mut rows: Vec<Record> = Vec::with_capacity(CHUNK);
        loop {
            match source.poll(Duration::ZERO).map_err(unavailable)? {
                Some(SourceEvent::Records(records)) => {
                    rows.extend(records);
                    if rows.len() >= CHUNK {
                        let rest = rows.split_off(CHUNK);
                        self.fold(&rows)?;
                        rows = rest;
                        progress(self.fold.counts().events);
                    }
                }
                Some(SourceEvent::End) => break,
                Some(SourceEvent::Gap { wanted, high, .. }) => {
                    let message = format!("the state goes on at row {}, the files have {high}", wanted.0);
                    return Err(CliError::Unavailable(message));
                }
                _ => {}
            }
        }
        self.fold(&rows)?;
        if let Some(out) = &mut self.predictions {
            out.flush().map_err(anyhow::Error::from)?;
        }
        self.finish(began.elapsed())
    }

    fn fold(&mut self, rows: &[Record]) -> Result<(), CliError> {
        if rows.is_empty() {
            return Ok(());
        }
        if let Some(kept) = &mut self.kept {
            let entry = Entry::Records { runs: runs_of(rows, self.fold.position()), digest: digest(rows) };
            let from = self.fold.version();
            let frame = checkpoints::Entry { from, to: from + entry.versions(), payload: entry.encode() };
            kept.journal.append(&frame).map_err(anyhow::Error::from)?;
        }
        self.fold.decode(rows, &mut self.chunk);
        let before = cpu_time();
        self.fold.train(&mut self.chunk);
        self.cpu += cpu_time().saturating_sub(before);
        let Some(out) = &mut self.predictions else { return Ok(()) };
        let classes = self.fold.schema().classes();
        for (outcome, row) in self.chunk.outcomes().iter().zip(self.chunk.learned()) {
            let row = rows[*row].offset;
            let written = match outcome {
                None => Ok(()),
                Some(outcome) => match outcome {
                    Outcome::Value(x) => writeln!(out, "{row},{x}"),
                    Outcome::Class { predicted: None, .. } => writeln!(out, "{row},,"),
                    Outcome::Class { predicted: Some(class), confidence, .. } => {
                        writeln!(out, "{row},{},{confidence}", csv_cell(classes.name(class.0).unwrap_or_default()))
                    }
                },
            };
            written.map_err(anyhow::Error::from)?;
        }
        Ok(())
    }

    fn finish(mut self, wall: Duration) -> Result<Summary, CliError> {
        let (version, now_ms) = (self.fold.version(), jiff::Timestamp::now().as_millisecond());
        let (meta, sections) = (Meta::of(&self.fold).encode(), (to_store(self.fold.save()), Vec::new()));
        let checkpoint = Checkpoint::new(&self.name, version, now_ms, meta, sections, fold::NOT_THE_MODEL);
        let (state_hash, model_hash) = (checkpoint.state_hash, checkpoint.model_hash);
        if let Some(kept) = &mut self.kept {
            kept.journal.sync().map_err(anyhow::Error::from)?;
            kept.store.commit(&checkpoint).map_err(anyhow::Error::from)?;
        }
        let counts = self.fold.counts();
        let standing = self.fold.snapshot().standings.swap_remove(0);
        let cpu_seconds = self.cpu.as_secs_f64();
        Ok(Summary {
            file: String::new(),
            task: self.fold.config().event.task,
            learner: standing.learner,
            events: counts.events,
            rejected: counts.rejected,
            report: Report::clone(&standing.report),
            cpu_seconds,
            events_per_cpu_second: if cpu_seconds > 0.0 { counts.events as f64 / cpu_seconds } else { 0.0 },
            wall_seconds: wall.as_secs_f64(),
            model_bytes: standing.bytes,
            peak_rss_bytes: peak_rss(),
            drifts: standing.drifts,
            version,
            model_hash: hex(&model_hash),
            state_hash: hex(&state_hash),
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} events, {} rejected, learner {}", self.file, self.events, self.rejected, self.learner)?;
        let shown: Vec<_> = self.report.all.named().map(|(name, x)| format!("{name} {x:.4}")).collect();
        writeln!(f, "{}", shown.join(", "))?;
        writeln!(f, "{} drifts, {} bytes", self.drifts, self.model_bytes)?;
        write!(f, "{:.0} events a CPU-second; model {}", self.events_per_cpu_second, self.model_hash)
    }
}

/// A cell of a CSV file, quoted where it must be.
fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// CPU time of this process, all threads.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The most memory this process has held, as Linux tells it.
fn peak_rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|kib| kib.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).map_or(0, |kib| kib << 10)
}
