//! Asks every thread to finish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to finish that all threads can see. Once made it stays.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<AtomicBool>);

impl Shutdown {
    /// Asks everybody to finish.
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody has asked.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
