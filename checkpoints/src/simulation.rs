//! The whole protocol on the worst disk: seeded lives of one model, with crashes, delays and failing writes anywhere.
//!
//! The feared failure: what was said to be durable is not, what left the process is forgotten, a checkpoint that verifies
//! is not the state it claims to be. A life folds records of a log that can be read again into a toy state, journals them,
//! takes checkpoints, prunes; it is killed, or the power is cut, at any operation of the disk. After every death the next
//! life must find: the journal it was promised, no other; a checkpoint no older than the newest promised; no file too
//! many; and by folding the tail, the state of one that never died.
//!
//! A failing seed prints its actions, shrunk. `SEED=17 cargo test -p checkpoints one_seed -- --ignored --nocapture` prints
//! those of one seed and what came of each.

mod actions;
mod toy;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use actions::{Action, actions};
use world::World;

use crate::worst_disk::WorstDisk;

const SEEDS: u64 = 3_000;

/// Runs actions from an empty disk; the error says what was broken.
fn run(disk: &WorstDisk, actions: &[Action], told: &mut dyn FnMut(String)) -> Result<World, String> {
    let mut world = World::new(disk.clone());
    for action in actions {
        let outcome = world.act(action).map_err(|broken| format!("{action:?}: {broken}"))?;
        told(format!("{action:?}: {outcome}"));
    }
    world.finish().map_err(|broken| format!("at the end: {broken}"))?;
    Ok(world)
}

fn broken_by(actions: &[Action], lies: bool) -> Option<String> {
    let disk = WorstDisk::new();
    if lies {
        disk.lie();
    }
    match catch_unwind(AssertUnwindSafe(|| run(&disk, actions, &mut |_| {}))) {
        Ok(Ok(_)) => None,
        Ok(Err(broken)) => Some(broken),
        Err(_) => Some("a panic".into()),
    }
}

/// Leaves away, in ever smaller pieces, what is not needed for a failure.
fn shrink(mut actions: Vec<Action>, fails: impl Fn(&[Action]) -> bool) -> Vec<Action> {
    let mut piece = actions.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < actions.len() {
            let without: Vec<Action> = [&actions[..at], &actions[(at + piece).min(actions.len())..]].concat();
            if fails(&without) { actions = without } else { at += piece }
        }
        if piece == 1 {
            return actions;
        }
        piece = piece.div_ceil(2);
    }
}

fn describe(seed: u64, lies: bool, broken: &str) -> String {
    let shrunk = shrink(actions(seed), |some| broken_by(some, lies).is_some());
    let list: Vec<String> = shrunk.iter().map(|action| format!("  {action:?}")).collect();
    let now = broken_by(&shrunk, lies).unwrap_or_default();
    format!("seed {seed}: {broken}\nshrunk to {} actions ({now}):\n{}", shrunk.len(), list.join("\n"))
}

#[test]
fn thousands_of_seeds_lose_nothing_and_double_nothing() {
    let mut seen = world::Seen::default();
    let seeds = std::env::var("SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let actions = actions(seed);
        let disk = WorstDisk::new();
        match catch_unwind(AssertUnwindSafe(|| run(&disk, &actions, &mut |_| {}))) {
            Ok(Ok(world)) => seen.add(&world.seen),
            _ => panic!("{}", describe(seed, false, &broken_by(&actions, false).unwrap_or_default())),
        }
    }
    println!("{seen:?}");
    // The simulation is worth as much as what it meets.
    for (what, times) in seen.all() {
        assert!(times >= seeds / 100, "{what}: {times} times only");
    }
}

/// A disk that forgets in spite of an fsync cannot be worked on: were the simulation blind, it would not notice.
#[test]
fn a_disk_that_lies_is_noticed_and_the_failure_is_shrunk() {
    let (seed, broken) = (0..50).find_map(|seed| Some((seed, broken_by(&actions(seed), true)?))).unwrap();
    let described = describe(seed, true, &broken);
    let lines = described.lines().count();
    assert!(lines < 14, "{described}");
}

#[test]
#[ignore = "prints one seed"]
fn one_seed() {
    let seed = std::env::var("SEED").map_or(0, |seed| seed.parse().unwrap());
    let outcome = run(&WorstDisk::new(), &actions(seed), &mut |line| println!("{line}"));
    if let Err(broken) = outcome {
        println!("{}", describe(seed, false, &broken));
    }
}
