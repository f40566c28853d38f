//! What a checkpoint costs, in CPU time: of the trainer, which serialises, and of the store thread, which hashes and writes
//! what changed.

use checkpoints::OWN_FILE_FROM_BYTES;
use features::{PartitionId, Record, TopicId};
use fold::{Chunk, Fold, Horizon, Labels, Position, Sections};
use perennial::pipeline::all_to_store;
use rustix::time::{ClockId, clock_gettime};

use super::*;

const TURNS: u64 = 20;

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn record(topic: u16, offset: u64, payload: String) -> Record {
    let from = PartitionId { topic: TopicId(topic), partition: 0 };
    Record { from, offset: offset as i64, payload: Some(payload.into()), ..Record::default() }
}

fn learn(fold: &mut Fold, records: impl Iterator<Item = Record>) {
    let mut chunk = Chunk::default();
    fold.decode(&records.collect::<Vec<_>>(), &mut chunk);
    fold.train(&mut chunk);
}

/// Bytes of state, and milliseconds of CPU to serialise and to store it: medians of as many checkpoints as turns.
fn cost(mut fold: Fold, mut turn: impl FnMut(&mut Fold, u64)) -> (usize, f64, f64) {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(&StateDir::open(dir.path()).unwrap()).unwrap();
    let (mut serialised, mut stored, mut bytes) = (Vec::new(), Vec::new(), 0);
    for i in 0..TURNS {
        turn(&mut fold, i);
        let begun = cpu_ms();
        let sections = all_to_store(fold.save_to(Sections::leaving_out(OWN_FILE_FROM_BYTES)));
        serialised.push(cpu_ms() - begun);
        let whole: usize = sections.0.iter().map(|section| section.bytes.len()).sum();
        bytes = whole + sections.1.iter().map(|section| section.length as usize).sum::<usize>();
        let begun = cpu_ms();
        store.commit(&Checkpoint::new("m", fold.version(), 0, vec![], sections, fold::NOT_THE_MODEL)).unwrap();
        store.prune("m", &Keep { last: 3, hourly: 0, daily: 0, compact: false }).unwrap();
        stored.push(cpu_ms() - begun);
    }
    let median = |mut ms: Vec<f64>| {
        ms.sort_by(f64::total_cmp);
        ms[ms.len() / 2]
    };
    let (serialised, stored) = (median(serialised), median(stored));
    println!("{bytes} bytes of state: {serialised:.1} ms of CPU to serialise, {stored:.1} ms to hash, write and prune");
    // Far above what was measured (docs/benchmarks.md): the machine may be busy.
    assert!(serialised < 100.0 && stored < 200.0, "{serialised} ms, {stored} ms");
    (bytes, serialised, stored)
}

#[test]
fn a_checkpoint_of_ten_megabytes_of_waiting_rows_is_cheap() {
    let mut model = model("m", &["t"]);
    model.fold.wait_for_labels(Horizon::Now, Labels { topic: "l".into(), at_most_ms: 1 << 40, ..Labels::default() });
    let label = |id: u64| record(1, id, format!(r#"{{"id":{id},"target":"{}"}}"#, ["a", "b"][(id % 2) as usize]));
    let labels = |turn: u64| (0..1_000).map(move |i| label(100 + turn * 1_000 + i));
    let (bytes, _, _) = cost(restart::learned(&model.fold), |fold, turn| learn(fold, labels(turn)));
    assert!((9 << 20..14 << 20).contains(&bytes), "{bytes} bytes of state");
}

#[test]
fn a_checkpoint_of_a_learner_of_which_every_part_has_changed_is_cheap() {
    let mut model = model("m", &["t"]);
    model.fold.learner = "auto".parse().unwrap();
    model.fold.challengers.clear();
    let mut fold = Fold::genesis(model.fold, Position::new()).unwrap();
    let event = |i: u64| {
        let value = |column: u64| ((i * (2 * column + 1) * 2_654_435_761) >> 16) % 1_000;
        let inputs: Vec<_> = (0..40).map(|column| format!(r#""x{column}":{}"#, value(column))).collect();
        let target = ["a", "b"][usize::from(value(1) + value(2) > 1_000)];
        record(0, i, format!(r#"{{"id":{i},"ts":{i},{},"target":"{target}"}}"#, inputs.join(",")))
    };
    learn(&mut fold, (0..2_000).map(event));
    let (bytes, _, _) = cost(fold, |fold, turn| learn(fold, (0..100).map(|i| event(2_000 + turn * 100 + i))));
    assert!(bytes > 1 << 20, "{bytes} bytes of state");
}
