//! The twin of the database of manifests, with its promises: a transaction is whole or not there; durable when `write`
//! returns; after an error it may have happened. How the real one keeps them is its own tests' matter: it is killed and
//! damaged there.

use std::collections::BTreeMap;
use std::io;
use std::sync::MutexGuard;

use super::{Random, State, WorstDisk};
use crate::error::CheckpointError;
use crate::index::Index;

pub(super) type Rows = BTreeMap<(String, u64), Vec<u8>>;

#[derive(Debug, Default)]
pub(super) struct IndexState {
    pub(super) seen: Rows,
    pub(super) kept: Rows,
    pub(super) pending: Vec<Transaction>,
    /// It could not be opened again.
    pub(super) is_closed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Transaction {
    model: String,
    put: Vec<(u64, Vec<u8>)>,
    gone: Vec<u64>,
}

impl Transaction {
    pub(super) fn apply(&self, rows: &mut Rows) {
        rows.extend(self.put.iter().map(|(version, value)| ((self.model.clone(), *version), value.clone())));
        for version in &self.gone {
            rows.remove(&(self.model.clone(), *version));
        }
    }
}

impl IndexState {
    /// A log of transactions: a first part of them is found after a crash.
    pub(super) fn settle(&mut self, random: &mut Random) {
        let found = random.below(self.pending.len() as u64 + 1) as usize;
        for transaction in self.pending.drain(..).take(found) {
            transaction.apply(&mut self.kept);
        }
        self.seen = self.kept.clone();
    }
}

impl WorstDisk {
    fn open_index(&self) -> Result<MutexGuard<'_, State>, CheckpointError> {
        let mut state = self.state();
        state.live().map_err(refused)?;
        match state.index.is_closed {
            true => Err(CheckpointError::Database("it is closed".into())),
            false => Ok(state),
        }
    }
}

fn refused(e: io::Error) -> CheckpointError {
    CheckpointError::Database(e.to_string())
}

impl Index for WorstDisk {
    fn all(&self, model: &str) -> Result<Vec<(u64, Vec<u8>)>, CheckpointError> {
        let state = self.open_index()?;
        let rows = state.index.seen.iter().filter(|((of, _), _)| of == model);
        Ok(rows.map(|((_, version), value)| (*version, value.clone())).collect())
    }

    fn write(&self, model: &str, put: &[(u64, Vec<u8>)], gone: &[u64]) -> Result<(), CheckpointError> {
        let state = &mut *self.open_index()?;
        let transaction = Transaction { model: model.to_owned(), put: put.to_vec(), gone: gone.to_vec() };
        // Each of its steps: transaction, flush, fsync.
        for step in 0..3 {
            state.write().map_err(refused)?;
            if step == 0 {
                transaction.apply(&mut state.index.seen);
                state.index.pending.push(transaction.clone());
            }
        }
        if !state.lies {
            for transaction in state.index.pending.drain(..) {
                transaction.apply(&mut state.index.kept);
            }
        }
        Ok(())
    }

    fn reopen(&mut self) -> Result<bool, CheckpointError> {
        let state = &mut *self.state();
        state.index.is_closed = true;
        state.write().map_err(refused)?;
        state.index.settle(&mut state.random);
        state.index.is_closed = false;
        Ok(false)
    }
}
