//! What a checkpoint costs: 10 MB of state in ten large and twelve small sections, one large section changing.
//!
//! `cargo run --release -p checkpoints --example commit_cost [FOLDER]`; the folder decides the disk that is measured.

use std::time::Instant;

use checkpoints::{Checkpoint, CheckpointStore, Entry, FileJournal, FileStore, Journal, Keep, Section, StateDir};

const COMMITS: u64 = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "target/commit_cost".into());
    let state = StateDir::open(&dir)?;
    let store = FileStore::open(&state)?;
    let section = |name: String, seed: u64, n: u64| {
        let bytes = (0..n).map(|i| ((i * 0x9e37_79b9) >> 11 ^ seed) as u8).collect();
        Section { name, version: 1, bytes }
    };
    let mut sections: Vec<Section> = (0..10).map(|i| section(format!("large-{i}"), i * 77, 1 << 20)).collect();
    sections.extend((0..12).map(|i| section(format!("small-{i}"), i, 500)));
    let (mut millis, mut prunes, mut last) = (Vec::new(), Vec::new(), None);
    for version in 1..=COMMITS {
        sections[0] = section("large-0".into(), version, 1 << 20);
        let c = Checkpoint::new("cost", version, 0, vec![7; 100], (sections.clone(), vec![]), &[]);
        let start = Instant::now();
        last = Some(store.commit(&c)?);
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        store.prune("cost", &Keep { last: 3, hourly: 0, daily: 0, compact: false })?;
        prunes.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let median = |mut x: Vec<f64>| {
        x.sort_by(f64::total_cmp);
        x[x.len() / 2]
    };
    println!(
        "first commit {:.1} ms, median {:.1} ms, prune {:.1} ms",
        millis[0],
        median(millis.clone()),
        median(prunes)
    );
    println!("the last one: {last:?}");

    let mut journal = FileJournal::open(&state, "cost", FileJournal::ROTATE_AT_BYTES)?;
    let mut millis = Vec::new();
    for i in 0..COMMITS {
        let start = Instant::now();
        journal.append(&Entry { from: i, to: i + 1, payload: vec![1; 16] })?;
        journal.sync()?;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("journal append + sync: median {:.2} ms; 28 bytes an entry and its payload", median(millis));
    drop(journal);
    store.remove("cost")?;
    Ok(())
}
