//! The state as sections, and back.

use std::sync::Arc;

use features::{EventTime, Schema};
use learners::{Learner, RestoreError, Section};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::machine::Slot;
use crate::{Counts, Fold, FoldConfig, GenesisError, Position};

/// The behaviour of the fold and its learners: states of one number go on bit for bit, another number is another fold.
pub const FOLD_VERSION: u32 = 1;

/// Sections that say where the log stands, not what was learned: a model's hash leaves them out.
pub const NOT_THE_MODEL: &[&str] = &[PROGRESS];

const PROGRESS: &str = "progress";
const SCHEMA: &str = "schema";

/// Why a saved state cannot be taken over.
#[derive(Debug, Error)]
pub enum RestoreFoldError {
    /// The configuration has no fold.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A section cannot be read.
    #[error(transparent)]
    Section(#[from] RestoreError),
    /// The schema cannot be read.
    #[error("section schema: {0}")]
    Schema(String),
}

#[derive(Serialize, Deserialize)]
struct Progress {
    version: u64,
    position: Position,
    counts: Counts,
    last_event: EventTime,
}

impl Fold {
    /// The whole state as sections of unique names.
    pub fn save(&self) -> Vec<Section> {
        let progress = Progress {
            version: self.version,
            position: self.position.clone(),
            counts: self.counts,
            last_event: self.last_event,
        };
        let mut sections = vec![
            Section::of(PROGRESS, 1, &progress),
            Section { name: SCHEMA.into(), version: 1, bytes: self.schema.save() },
        ];
        for (i, slot) in self.slots.iter().enumerate() {
            let from = sections.len();
            slot.learner.save(&mut sections);
            slot.monitor.save(&mut sections);
            for section in &mut sections[from..] {
                section.name = format!("{}{}", prefix(i, slot), section.name);
            }
        }
        sections
    }

    /// The state that [`Fold::save`] wrote, under the same configuration.
    ///
    /// # Errors
    /// A section that is missing or unreadable, or a configuration that has no fold.
    pub fn restore(config: FoldConfig, sections: &[Section]) -> Result<Self, RestoreFoldError> {
        let progress: Progress = Section::read(sections, PROGRESS, 1)?;
        let mut fold = Self::genesis(config, progress.position)?;
        let saved = sections.iter().find(|s| s.name == SCHEMA).ok_or_else(|| RestoreError::Missing(SCHEMA.into()))?;
        let spec = Arc::new(fold.config.event.clone());
        let schema = Schema::restore(spec, &saved.bytes).map_err(|e| RestoreFoldError::Schema(e.to_string()))?;
        fold.version = progress.version;
        fold.counts = progress.counts;
        fold.last_event = progress.last_event;
        for (i, slot) in fold.slots.iter_mut().enumerate() {
            let prefix = prefix(i, slot);
            let own: Vec<Section> = sections
                .iter()
                .filter_map(|s| Some(Section { name: s.name.strip_prefix(&prefix)?.to_owned(), ..s.clone() }))
                .collect();
            slot.learner.grow(&schema.kinds());
            slot.learner.restore(&own)?;
            slot.monitor.restore(&own)?;
        }
        fold.schema = Arc::new(schema);
        Ok(fold)
    }
}

/// What the names of a learner's sections begin with: its place and name. (Parameters are part of genesis.)
fn prefix(place: usize, slot: &Slot) -> String {
    format!("{place}.{}/", slot.spec.name)
}
