//! A restart with much in the journal: what was saved answers at once, marked stale, however long catching up takes.

use checkpoints::{Entry as Frame, FileJournal, Journal};
use features::{NextOffset, PartitionId, Record, TopicId};
use fold::{Chunk, Decision, Entry, Fold, Horizon, Labels, NOT_THE_MODEL, Position, Run};
use perennial::pipeline::{Meta, to_store};

use super::*;

const BEHIND: u64 = 10_000_000;
/// Records under one entry: catching up fills them.
const ENTRY: u64 = 1_000;

/// State of about 10 MB, most of it rows that wait for labels.
pub fn learned(config: &fold::FoldConfig) -> Fold {
    let mut fold = Fold::genesis(config.clone(), Position::new()).unwrap();
    for topic in 0..2 {
        let from = PartitionId { topic: TopicId(topic), partition: 0 };
        fold.decide(&Decision::AddPartition { from, start: NextOffset(0) });
    }
    let record = |topic: u16, offset: usize, payload: String| Record {
        from: PartitionId { topic: TopicId(topic), partition: 0 },
        offset: offset as i64,
        payload: Some(payload.into()),
        ..Record::default()
    };
    let mut records: Vec<Record> = events(160_000).into_iter().enumerate().map(|(i, e)| record(0, i, e)).collect();
    let labels = (0..100).map(|id| record(1, id, format!(r#"{{"id":{id},"target":"{}"}}"#, ["a", "b"][id % 2])));
    records.extend(labels);
    let mut chunk = Chunk::default();
    for batch in records.chunks(1_000) {
        fold.decode(batch, &mut chunk);
        fold.train(&mut chunk);
    }
    fold
}

#[test]
fn ten_million_events_behind_a_checkpoint_do_not_keep_it_from_answering() {
    let dir = tempfile::tempdir().unwrap();
    let mut model = model("m", &["t"]);
    model.fold.wait_for_labels(Horizon::Now, Labels { topic: "l".into(), at_most_ms: 1 << 40, ..Labels::default() });
    let fold = learned(&model.fold);
    let version = fold.version();
    {
        let state = StateDir::open(dir.path()).unwrap();
        let mut journal = FileJournal::open(&state, "m", FileJournal::ROTATE_AT_BYTES).unwrap();
        let config = Box::new(model.fold.clone());
        let genesis = Entry::Genesis { fold_version: fold::FOLD_VERSION, config, start: Position::new() };
        journal.append(&Frame { from: 0, to: 0, payload: genesis.encode() }).unwrap();
        let mut end = 0;
        let from = PartitionId::default();
        while end < version + BEHIND {
            let to = if end == 0 { version } else { end + ENTRY };
            let run =
                Run { from, first: NextOffset(end as i64), next: NextOffset(to as i64), records: (to - end) as u32 };
            let entry = Entry::Records {
                runs: vec![run],
                digest: *blake3::hash(&to.to_le_bytes()).as_bytes().first_chunk().unwrap(),
            };
            journal.append(&Frame { from: end, to, payload: entry.encode() }).unwrap();
            end = to;
        }
        journal.sync().unwrap();
        let sections = (to_store(fold.save()), vec![]);
        let checkpoint = Checkpoint::new("m", version, 0, Meta::of(&fold).encode(), sections, NOT_THE_MODEL);
        let bytes: usize = checkpoint.sections.iter().map(|section| section.bytes.len()).sum();
        assert!((9 << 20..14 << 20).contains(&bytes), "{bytes} bytes of state");
        FileStore::open(&state).unwrap().commit(&checkpoint).unwrap();
    }
    // Nobody is there to read the records from.
    let kafka = KafkaConfig { brokers: "127.0.0.1:1".into(), ..KafkaConfig::default() };
    let begun = Instant::now();
    let state = StateDir::open(dir.path()).unwrap();
    let store: Arc<dyn CheckpointStore> = Arc::new(FileStore::open(&state).unwrap());
    let plans = vec![plan(&model, &kafka, Duration::from_millis(200))];
    let (running, registry) = pipeline::start(plans, &state, &store, &Arc::new(Metrics::default()), || 0).unwrap();
    let handle = registry.get("m").unwrap();
    let served = handle.live.load().unwrap();
    let took = begun.elapsed();
    println!("{} ms until it answers, with {BEHIND} events to fold again", took.as_millis());
    assert!(served.has_learned() && served.model.version == version && handle.status.is_stale());
    assert!(took < Duration::from_secs(2), "{took:?}");
    let until = Instant::now() + WITHIN;
    let replaying = Phase::Replaying { version, until: version + BEHIND };
    while handle.status.get().phase != replaying {
        assert!(Instant::now() < until, "{:?}", handle.status.get().phase);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(handle.status.is_stale());
    running.stop();
}
