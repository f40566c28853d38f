//! The machine's clock jumps by years between any two looks at it: only dates and ages are told wrong.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

/// 2026 one time, 1999 the next, then 2062: never the order that time has.
fn jumping() -> i64 {
    static LOOKS: AtomicI64 = AtomicI64::new(0);
    let years = [56, 29, 92][(LOOKS.fetch_add(1, Ordering::Relaxed) % 3) as usize];
    years * 365 * 86_400_000
}

#[test]
fn a_clock_that_jumps_changes_neither_what_is_learned_nor_which_checkpoint_is_the_newest() {
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let (steady, jumps) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    send(&broker, "t", 0, events(3_000));
    let mut model = model("m", &["t"]);
    model.runtime.keep = Keep { last: 3, hourly: 2, daily: 2, compact: false };
    let world = start(&broker, steady.path(), &[model.clone()]).unwrap();
    world.wait("m", 3_001);
    world.stop();
    for version in [3_001, 4_001] {
        let world = start_at(&broker, jumps.path(), &[model.clone()], |store| Arc::new(store), jumping).unwrap();
        if version > 3_001 {
            send(&broker, "t", 0, events(1_000));
        }
        world.wait("m", version);
        let served = world.handle().live.load().unwrap();
        assert!(served.age_ms(0) >= 0, "an age is never negative");
        world.stop();
        if version == 3_001 {
            assert_eq!(model_hash(steady.path(), "m"), model_hash(jumps.path(), "m"));
        }
        let state = StateDir::open_existing(jumps.path()).unwrap();
        let store = FileStore::open(&state).unwrap();
        assert_eq!(store.latest("m").unwrap().checkpoint.unwrap().version, version);
        assert!(store.list("m").unwrap().len() >= 3);
    }
}
