//! Bytes in and out: where records come from and where dead letters go. Kafka is named in this crate alone.

mod source;

pub use source::{Source, SourceError, SourceEvent};
