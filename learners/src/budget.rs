//! What an event may cost `auto`, in operations: counted, never timed, so that the same members take part everywhere.
//!
//! `budget=cheap`, `normal` and `rich` are lists of members. `budget=20` asks for twenty microseconds an event: members
//! of the rich list (of the cheap one below [`FEW`]) take part in their order as long as their operations for the columns
//! and classes at hand, at [`A_MICROSECOND`], fit beside inputs and combiner; one that does not fit any more is left out
//! for good. Machines differ: what is kept to is the operations.

use crate::{Params, SpecError};

/// Operations that count as a microsecond.
pub(crate) const A_MICROSECOND: f64 = 1_000.0;
/// Microseconds below which only cheap members are asked.
const FEW: f64 = 15.0;
const MOST: f64 = 100_000.0;

/// Which members, and how many operations an event they may take together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) list: List,
    pub(crate) operations: f64,
}

/// A list of members; each holds the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    Cheap,
    Normal,
    Rich,
}

impl Budget {
    /// Reads `budget`.
    pub(crate) fn read(params: &Params<'_>) -> Result<Self, SpecError> {
        let all = |list| Ok(Self { list, operations: f64::INFINITY });
        let text = params.text("budget", "normal");
        match text {
            "cheap" => all(List::Cheap),
            "normal" => all(List::Normal),
            "rich" => all(List::Rich),
            _ => match text.parse::<f64>() {
                Ok(micros) if (1.0..=MOST).contains(&micros) => Ok(Self {
                    list: if micros < FEW { List::Cheap } else { List::Rich },
                    operations: micros * A_MICROSECOND,
                }),
                _ => {
                    let expected = format!("cheap, normal, rich, or microseconds an event from 1 to {MOST}");
                    Err(params.bad("budget", expected, text))
                }
            },
        }
    }
}
