//! What the fuzz targets do with their input: a function each, so that a plain test can replay a corpus.

pub mod config;
pub mod event;
pub mod http;
pub mod journal;
pub mod sections;
