//! Bytes in and out: where records come from and where dead letters go. Kafka is named in this crate alone.

mod admin;
mod batch;
mod batch_consumer;
mod client;
mod csv_json;
mod dead_letters;
mod discovery;
mod file_source;
mod kafka_source;
mod mock_broker;
mod poll_thread;
mod producer;
mod sink;
mod source;

pub use admin::Admin;
pub use client::Options;
pub use dead_letters::DeadLetter;
pub use file_source::{FileOptions, FileSource};
pub use kafka_source::{KafkaConfig, KafkaSource};
pub use mock_broker::MockBroker;
pub use producer::{Header, Outgoing, Producer, SinkError};
pub use sink::Sink;
pub use source::{Source, SourceError, SourceEvent};
