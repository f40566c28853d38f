//! The state as sections, and back.

use std::sync::Arc;

use features::{EventTime, Schema};
use learners::{Learner, LearnerSpec, Promotion, RestoreError, Section, SpecError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::living::Living;
use crate::slot::Slot;
use crate::{Counts, Fold, FoldConfig, GenesisError, Live, Position, Role, Sections};

/// The behaviour of the fold and its learners: states of one number go on bit for bit, another number is another fold.
pub const FOLD_VERSION: u32 = 4;

/// The oldest fold version whose saved states this release can read, and so carry forward. Raise it when the layout of a
/// section changes without its old form being read.
pub const CARRIED_FROM: u32 = 3;

/// Sections that say where the log stands, not what was learned: a model's hash leaves them out.
pub const NOT_THE_MODEL: &[&str] = &[PROGRESS, HAPPENINGS, CONFIG];

const PROGRESS: &str = "progress";
const HAPPENINGS: &str = "happenings";
/// Only where it is no longer that of genesis.
const CONFIG: &str = "config";
const LEARNERS: &str = "learners";
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
    live: Live,
}

#[derive(Serialize, Deserialize)]
struct Learners {
    living: Living,
    born: u32,
    slots: Vec<SavedSlot>,
}

/// What a learner is, without what it has learned.
#[derive(Serialize, Deserialize)]
struct SavedSlot {
    id: u32,
    spec: LearnerSpec,
    generation: u32,
    role: Role,
    configured: bool,
    fresh: bool,
    confirmed: bool,
    since: u64,
    expires: Option<u64>,
    promotion: Option<Promotion>,
}

impl SavedSlot {
    fn of(slot: &Slot) -> Self {
        Self {
            id: slot.id,
            spec: slot.spec.clone(),
            generation: slot.generation,
            role: slot.role,
            configured: slot.configured,
            fresh: slot.fresh,
            confirmed: slot.confirmed,
            since: slot.since,
            expires: slot.expires,
            promotion: slot.promotion.clone(),
        }
    }

    fn slot(self, config: &FoldConfig) -> Result<Slot, SpecError> {
        let mut slot = Slot::new(config, self.id, &self.spec, self.role)?;
        (slot.generation, slot.configured, slot.fresh) = (self.generation, self.configured, self.fresh);
        (slot.confirmed, slot.since) = (self.confirmed, self.since);
        (slot.expires, slot.promotion) = (self.expires, self.promotion);
        Ok(slot)
    }
}

impl Fold {
    /// The whole state as sections of unique names.
    pub fn save(&self) -> Vec<Section> {
        self.save_to(Sections::default()).whole
    }

    /// The same; which of them are to be only named `sections` says.
    pub fn save_to(&self, mut sections: Sections) -> Sections {
        let progress = Progress {
            version: self.reading.version,
            position: self.reading.position.clone(),
            counts: self.reading.counts,
            last_event: self.reading.last_event,
            live: self.learning.live,
        };
        let learners = Learners {
            living: self.learning.living.clone(),
            born: self.learning.born,
            slots: self.learning.slots.iter().map(SavedSlot::of).collect(),
        };
        sections.push(Section::of(PROGRESS, 1, &progress));
        sections.push(Section { name: SCHEMA.into(), version: 1, bytes: self.reading.schema.save() });
        sections.push(Section::of(HAPPENINGS, 1, &self.learning.happenings));
        sections.push(Section::of(LEARNERS, 1, &learners));
        if self.learning.reconfigured {
            sections.push(Section::of(CONFIG, 1, &*self.learning.config));
        }
        if let Some(waiting) = &self.waiting {
            waiting.save(&mut sections);
        }
        if let Some(served) = &self.reading.served {
            served.save(&mut sections);
        }
        for slot in &self.learning.slots {
            sections.behind(&prefix(slot), |out| {
                slot.learner.save(&mut out.whole);
                slot.monitor.save(&mut out.whole);
            });
        }
        sections
    }

    /// The state that [`Fold::save`] wrote; `config` is that of genesis.
    ///
    /// # Errors
    /// A section that is missing or unreadable, or a configuration that has no fold.
    pub fn restore(config: FoldConfig, sections: &[Section]) -> Result<Self, RestoreFoldError> {
        let reconfigured = sections.iter().any(|section| section.name == CONFIG);
        let config = if reconfigured { Section::read(sections, CONFIG, 1)? } else { config };
        let progress: Progress = Section::read(sections, PROGRESS, 1)?;
        let mut fold = Self::genesis(config, progress.position)?;
        let saved = sections.iter().find(|s| s.name == SCHEMA).ok_or_else(|| RestoreError::Missing(SCHEMA.into()))?;
        let spec = Arc::new(fold.learning.config.event.clone());
        let schema = Schema::restore(spec, &saved.bytes).map_err(|e| RestoreFoldError::Schema(e.to_string()))?;
        (fold.reading.version, fold.learning.reconfigured) = (progress.version, reconfigured);
        fold.reading.counts = progress.counts;
        fold.reading.last_event = progress.last_event;
        if let Some(waiting) = &mut fold.waiting {
            waiting.restore(sections)?;
        }
        if let Some(served) = &mut fold.reading.served {
            served.restore(sections)?;
        }
        fold.learning.live = progress.live;
        fold.learning.happenings = Section::read(sections, HAPPENINGS, 1)?;
        let learners: Learners = Section::read(sections, LEARNERS, 1)?;
        (fold.learning.living, fold.learning.born, fold.learning.kinds) =
            (learners.living, learners.born, schema.kinds());
        let slots = learners.slots.into_iter().map(|slot| slot.slot(&fold.learning.config)).collect::<Result<_, _>>();
        fold.learning.slots = slots.map_err(GenesisError::from)?;
        for slot in &mut fold.learning.slots {
            let prefix = prefix(slot);
            let own: Vec<Section> = sections
                .iter()
                .filter_map(|s| Some(Section { name: s.name.strip_prefix(&prefix)?.to_owned(), ..s.clone() }))
                .collect();
            slot.learner.grow(&schema.kinds());
            slot.learner.restore(&own)?;
            slot.monitor.restore(&own)?;
        }
        fold.reading.schema = Arc::new(schema);
        Ok(fold)
    }
}

/// What the names of a learner's sections begin with.
fn prefix(slot: &Slot) -> String {
    format!("{}.{}/", slot.id, slot.spec.name)
}
