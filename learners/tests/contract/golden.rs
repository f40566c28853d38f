//! Golden hashes: what each learner and detector says and holds after an everyday stream, in this release, on any
//! machine.

use std::collections::BTreeMap;
use std::process::Command;

use crate::cases::{Breadth, Case, cases};
use crate::detectors;
use crate::runner::Runner;
use crate::streams::everyday;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
const BLESS: &str = "BLESS=1 cargo test -p learners --test contract golden";

/// Re-fits by other libraries, whose bits hang on the processor's family: the same in a second process, but not golden.
const OF_THIS_MACHINE: &[&str] = &["refit"];

fn hashes(wanted: impl Fn(&Case) -> bool) -> BTreeMap<String, String> {
    let hash = |case: &Case| Runner::through(case, &everyday(case.task).events).hash().to_hex().to_string();
    cases().iter().filter(|c| c.breadth != Breadth::Short && wanted(c)).map(|c| (c.name(), hash(c))).collect()
}

fn parsed(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(name, hash)| (name.to_owned(), hash.to_owned())).collect()
}

#[test]
fn golden_hashes_are_unchanged() {
    compare("contract.txt", &hashes(|case| !OF_THIS_MACHINE.contains(&case.spec.name.as_str())));
    compare("detectors.txt", &detectors::hashes());
}

/// With the golden file, which is written first if it is to be blessed.
fn compare(file: &str, now: &BTreeMap<String, String>) {
    let file = format!("{FOLDER}/{file}");
    if std::env::var_os("BLESS").is_some() {
        let mut text = format!("# Written by {BLESS}\n");
        now.iter().for_each(|(name, hash)| text += &format!("{name} {hash}\n"));
        std::fs::write(&file, text).expect("the golden file can be written");
    }
    let golden = parsed(&std::fs::read_to_string(&file).unwrap_or_default());
    let mut failures = vec![];
    for (name, hash) in now {
        match golden.get(name) {
            Some(known) if known == hash => {}
            Some(_) => {
                failures.push(format!("{name}: the hash has changed: raise fold_version and re-bless with {BLESS}"))
            }
            None => failures.push(format!("{name}: no golden hash yet; write it with {BLESS}")),
        }
    }
    for name in golden.keys().filter(|name| !now.contains_key(*name)) {
        failures.push(format!("{name}: a golden hash of no case; write the file anew with {BLESS}"));
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// What [`a_second_process_gives_the_same_bits`] starts; by itself it only checks that there are hashes.
#[test]
fn hashes_of_this_process() {
    let hashes = hashes(|_| true);
    assert!(!hashes.is_empty());
    hashes.iter().for_each(|(name, hash)| println!("\nhash of {name} {hash}"));
}

#[test]
fn a_second_process_gives_the_same_bits() {
    let child = Command::new(std::env::current_exe().expect("this test has a file"))
        .args(["golden::hashes_of_this_process", "--exact", "--nocapture", "--test-threads=1"])
        .output()
        .expect("this test can be started again");
    let said = String::from_utf8_lossy(&child.stdout);
    let said: String =
        said.lines().filter_map(|line| line.strip_prefix("hash of ")).map(|l| format!("{l}\n")).collect();
    let (here, there) = (hashes(|_| true), parsed(&said));
    let differ: Vec<_> =
        here.iter().filter(|(name, hash)| there.get(*name) != Some(hash)).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "other bits in a second process: {differ:?}");
}
