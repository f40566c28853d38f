//! The corpora that the fuzz targets have grown (`fuzz/`), replayed without a fuzzer: what once broke something, or reached
//! something new, breaks nothing today.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod targets;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    for input in &inputs {
        // The last one printed is the one that broke it.
        println!("{}", input.display());
        run(&fs::read(input).unwrap());
    }
    assert!(inputs.len() >= 10, "{target}: {} inputs", inputs.len());
}

#[test]
fn event() {
    replay("event", targets::event::run);
}

#[test]
fn sections() {
    replay("sections", targets::sections::run);
}

#[test]
fn journal() {
    replay("journal", targets::journal::run);
}

#[test]
fn config() {
    replay("config", targets::config::run);
}

#[test]
fn http() {
    replay("http", targets::http::run);
}
