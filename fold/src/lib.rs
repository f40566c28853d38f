//! The pure function of the log: `state = fold(genesis(FoldConfig), journal, log)`. No I/O, no threads, no clock.
//!
//! A batch of records goes [`Fold::decode`] (records → rows of a [`Chunk`]) → [`Fold::train`] (every learner predicts,
//! is scored, learns). What is not a fact of the log (which records were folded in which order, decisions) is in the
//! [`Entry`]s of the journal.

mod change;
mod chunk;
mod config;
mod entry;
mod happening;
mod late_report;
mod learning;
mod living;
mod machine;
mod merge;
mod reading;
mod saved;
mod sections;
mod served;
mod slot;
mod snapshot;
mod told;
pub mod waiting;

pub use change::Refusal;
pub use chunk::{Chunk, Rejected};
pub use config::{FoldConfig, Horizon, Labels, OnDrift};
pub use entry::{Decision, Entry, EntryError, Run, digest, runs_of};
pub use happening::{Happening, What};
pub use late_report::LateReport;
pub use learning::Learning;
pub use machine::{Fold, GenesisError};
pub use merge::merge;
pub use reading::Reading;
pub use saved::{CARRIED_FROM, FOLD_VERSION, NOT_THE_MODEL, RestoreFoldError};
pub use sections::{Sealed, Sections, Unchanged};
pub use served::Served;
pub use snapshot::{Counts, LabelCounts, Live, ModelSnapshot, Position, Role, Standing};
pub use told::{Answer, Said, Scored, Tell, Told};
