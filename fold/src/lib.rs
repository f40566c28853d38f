//! The pure function of the log: `state = fold(genesis(FoldConfig), journal, log)`. No I/O, no threads, no clock.

mod config;
mod snapshot;

pub use config::FoldConfig;
pub use snapshot::{Counts, ModelSnapshot, Position, Role, Standing};
