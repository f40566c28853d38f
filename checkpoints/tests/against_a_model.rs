//! Whatever is committed, pruned, pinned and reopened in whatever order: the store holds what a map would hold.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use checkpoints::{
    Candidate, Checkpoint, CheckpointStore, FileStore, Keep, Section, StateDir, hash_sections, retained,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Goes on by this many versions and minutes; each section is (name, content, length).
    Commit(u64, i64, Vec<(u8, u8, usize)>),
    Prune(usize, usize, usize),
    Pin(prop::sample::Index, bool),
    Reopen,
    /// The database of manifests is lost while nobody looks.
    LoseDatabase,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![0usize..200, 65_530usize..65_545, Just(150_000)];
    let sections = prop::collection::vec((0u8..6, 0u8..2, length), 0..6);
    prop_oneof![
        6 => (0u64..3, 0i64..90, sections).prop_map(|(v, m, s)| Step::Commit(v, m, s)),
        3 => (0usize..5, 0usize..3, 0usize..2).prop_map(|(l, h, d)| Step::Prune(l, h, d)),
        2 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(i, on)| Step::Pin(i, on)),
        1 => Just(Step::Reopen),
        1 => Just(Step::LoseDatabase),
    ]
}

fn checkpoint(version: u64, minutes: i64, parts: &[(u8, u8, usize)]) -> Checkpoint {
    let parts: BTreeMap<u8, _> = parts.iter().map(|p| (p.0, p)).collect();
    let section = |p: &(u8, u8, usize)| Section { name: format!("s{}", p.0), version: 1, bytes: vec![p.1; p.2] };
    let sections: Vec<Section> = parts.values().map(|p| section(p)).collect();
    Checkpoint {
        model: "m".into(),
        version,
        created_at_ms: minutes * 60_000,
        state_hash: hash_sections(&sections, &[]),
        model_hash: hash_sections(&sections, &["s0"]),
        meta: minutes.to_le_bytes().to_vec(),
        sections,
        unchanged: Vec::new(),
    }
}

fn open(dir: &std::path::Path) -> FileStore {
    FileStore::open(&StateDir::open(dir).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_store_is_a_map(steps in prop::collection::vec(step(), 1..25)) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Some(open(dir.path()));
        let (mut model, mut pins) = (BTreeMap::new(), BTreeSet::new());
        let (mut version, mut minutes) = (0, 0);
        for step in steps {
            let s = store.as_ref().unwrap();
            match step {
                Step::Commit(versions, later, parts) => {
                    (version, minutes) = (version + versions, minutes + later);
                    let c = checkpoint(version, minutes, &parts);
                    s.commit(&c).unwrap();
                    model.insert(version, c);
                }
                Step::Prune(last, hourly, daily) => {
                    let keep = Keep { last, hourly, daily, compact: false };
                    let candidates: Vec<_> = model.values().map(|c: &Checkpoint| Candidate {
                        version: c.version,
                        created_at_ms: c.created_at_ms,
                        is_pinned: pins.contains(&c.version),
                        is_damaged: false,
                    }).collect();
                    let stay = retained(&candidates, &keep);
                    let pruned = s.prune("m", &keep).unwrap();
                    let gone: Vec<u64> = model.keys().copied().filter(|v| !stay.contains(v)).collect();
                    prop_assert_eq!(pruned.versions, gone);
                    model.retain(|v, _| stay.contains(v));
                }
                Step::Pin(which, is_pinned) => if !model.is_empty() {
                    let version = *which.get(&model.keys().copied().collect::<Vec<_>>());
                    s.pin("m", version, is_pinned).unwrap();
                    if is_pinned { pins.insert(version); } else { pins.remove(&version); }
                }
                Step::Reopen => {
                    store = None;
                    store = store.or_else(|| Some(open(dir.path())));
                }
                Step::LoseDatabase => {
                    // What was replaced or pruned without its files being removed must not come back: prune first.
                    s.prune("m", &Keep { last: usize::MAX, hourly: 0, daily: 0, compact: false }).unwrap();
                    store = None;
                    std::fs::remove_dir_all(dir.path().join("manifests")).unwrap();
                    store = store.or_else(|| Some(open(dir.path())));
                }
            }
            let s = store.as_ref().unwrap();
            let listed = s.list("m").unwrap();
            prop_assert_eq!(listed.iter().map(|l| l.manifest.version).collect::<Vec<_>>(), model.keys().copied().collect::<Vec<_>>());
            prop_assert!(listed.iter().all(|l| l.is_pinned == pins.contains(&l.manifest.version)));
            let loaded = s.latest("m").unwrap();
            prop_assert_eq!(loaded.checkpoint.as_ref(), model.values().last());
            prop_assert!(loaded.skipped.is_empty());
        }
        for (version, c) in &model {
            prop_assert_eq!(&store.as_ref().unwrap().at("m", *version).unwrap(), c);
        }
    }
}
