//! What a checkpoint of 10 MB costs, in CPU time: of the trainer, which serialises, and of the store thread, which hashes
//! and writes what changed.

use features::{PartitionId, Record, TopicId};
use fold::{Chunk, Horizon, Labels};
use perennial::pipeline::to_store;
use rustix::time::{ClockId, clock_gettime};

use super::*;

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

#[test]
fn a_checkpoint_of_ten_megabytes_is_cheap() {
    let dir = tempfile::tempdir().unwrap();
    let mut model = model("m", &["t"]);
    model.fold.wait_for_labels(Horizon::Now, Labels { topic: "l".into(), at_most_ms: 1 << 40, ..Labels::default() });
    let mut fold = restart::learned(&model.fold);
    let state = StateDir::open(dir.path()).unwrap();
    let store = FileStore::open(&state).unwrap();
    let (mut chunk, mut serialised, mut stored, mut bytes) = (Chunk::default(), Vec::new(), Vec::new(), 0);
    for turn in 0..20_i64 {
        let record = |topic: u16, offset: i64, payload: String| Record {
            from: PartitionId { topic: TopicId(topic), partition: 0 },
            offset,
            payload: Some(payload.into()),
            ..Record::default()
        };
        let labels = (0..1_000).map(|i| 100 + turn * 1_000 + i);
        let labels =
            labels.map(|id| record(1, id, format!(r#"{{"id":{id},"target":"{}"}}"#, ["a", "b"][(id % 2) as usize])));
        fold.decode(&labels.collect::<Vec<_>>(), &mut chunk);
        fold.train(&mut chunk);
        let begun = cpu_ms();
        let sections = to_store(fold.save());
        serialised.push(cpu_ms() - begun);
        bytes = sections.iter().map(|section| section.bytes.len()).sum();
        let begun = cpu_ms();
        let (state_hash, model_hash) = checkpoints::hash_both(&sections, fold::NOT_THE_MODEL);
        let (model, version, meta) = ("m".to_owned(), fold.version(), Vec::new());
        let checkpoint = Checkpoint { model, version, created_at_ms: 0, state_hash, model_hash, meta, sections };
        store.commit(&checkpoint).unwrap();
        store.prune("m", &Keep { last: 3, hourly: 0, daily: 0 }).unwrap();
        stored.push(cpu_ms() - begun);
    }
    let median = |ms: &mut Vec<f64>| {
        ms.sort_by(f64::total_cmp);
        ms[ms.len() / 2]
    };
    let (serialised, stored) = (median(&mut serialised), median(&mut stored));
    println!("{bytes} bytes of state: {serialised:.1} ms of CPU to serialise, {stored:.1} ms to hash, write and prune");
    assert!((9 << 20..14 << 20).contains(&bytes), "{bytes} bytes of state");
    // Far above what was measured (docs/benchmarks.md): the machine may be busy.
    assert!(serialised < 100.0 && stored < 200.0, "{serialised} ms, {stored} ms");
}
