//! The shape of the code, held against docs/architecture.md: who depends on whom, who names what, paths that exist.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const CRATES: &[(&str, &[&str])] = &[
    ("features", &[]),
    ("learners", &["features"]),
    ("fold", &["features", "learners"]),
    ("streams", &["features"]),
    ("checkpoints", &[]),
    ("simulations", &["features"]),
];

/// Library → where it may be named.
const NAMED_ONLY_IN: &[(&str, &[&str])] = &[
    ("rdkafka", &["streams/"]),
    ("sled", &["checkpoints/src/manifest.rs"]),
    ("axum", &["src/serve/"]),
    ("tonic", &["src/serve/"]),
    ("ureq", &["src/alerts/", "src/demo/asker.rs"]),
    ("arc_swap", &["src/live.rs", "src/registry.rs"]),
    ("smartcore", &["learners/src/refit/"]),
    ("linfa", &["learners/src/refit/"]),
    ("tokio", &["src/serve/", "src/service.rs", "src/control.rs", "src/history/"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every source file of the project's own code, as (path from the root, text).
fn sources() -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> = CRATES.iter().map(|(name, _)| root().join(name).join("src")).collect();
    folders.push(root().join("src"));
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, text(&path)));
            }
        }
    }
    assert!(found.len() > 50, "only {} sources found", found.len());
    found
}

/// The code without its comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn names(code: &str, library: &str) -> bool {
    code.match_indices(library).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + library.len()..];
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
            && (after.starts_with("::") || after.starts_with(';') || after.starts_with('_') && library == "linfa")
    })
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let unsafes = sources().into_iter().filter(|(_, text)| code(text).contains("unsafe {"));
    assert_eq!(unsafes.map(|(name, _)| name).collect::<Vec<_>>(), ["streams/src/batch_consumer.rs"]);
}

#[test]
fn dependencies_go_one_way() {
    let in_house: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in CRATES {
        let manifest = text(&root().join(name).join("Cargo.toml"));
        let section = manifest.split("[dependencies]").nth(1).unwrap();
        let section = section.split("\n[").next().unwrap();
        for line in section.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if in_house.contains(dependency) {
                assert!(allowed.contains(&dependency), "{name} may not depend on {dependency}");
            }
        }
    }
}

#[test]
fn libraries_are_named_where_they_belong() {
    let sources = sources();
    for (library, places) in NAMED_ONLY_IN {
        let users: Vec<&str> =
            sources.iter().filter(|(_, text)| names(&code(text), library)).map(|(path, _)| path.as_str()).collect();
        for user in &users {
            assert!(places.iter().any(|place| user.starts_with(place)), "{user} names {library}");
        }
        assert!(!users.is_empty() || *library == "tonic", "nobody names {library}: is the check blind?");
    }
}

#[test]
fn the_fold_sees_no_clock_and_no_hash_order() {
    for (path, text) in sources() {
        if !["features/", "learners/", "fold/", "simulations/"].iter().any(|pure| path.starts_with(pure)) {
            continue;
        }
        let code = code(&text);
        for forbidden in
            ["SystemTime", "Instant::now", "Timestamp::now", "thread_rng", "rand::rng(", "std::env", "HashSet"]
        {
            assert!(!code.contains(forbidden), "{path} uses {forbidden}");
        }
    }
}

#[test]
fn files_hold_one_idea() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 500, "{path} has {lines} lines: is there a second idea in it?");
    }
}

/// What stands in backticks or as a link and looks like a path must exist.
#[test]
fn every_path_that_the_docs_name_exists() {
    let mut pages = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { pages.push(path) }
        }
    }
    let mut checked = 0;
    for page in pages {
        let text = text(&page);
        let quoted = text.split('`').skip(1).step_by(2);
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for name in quoted.chain(linked) {
            let is_path = name.contains('/')
                && !name.contains([' ', '{', '<', ':', '*', '#'])
                && !name.starts_with(['/', '.', '-', '~'])
                && !name.starts_with("target/");
            let top = name.split('/').next().unwrap_or_default();
            let known = root().join(top).exists() || name.ends_with(".rs") || name.ends_with(".md");
            if is_path && known {
                assert!(root().join(name).exists(), "{} names {name}, which is not there", page.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} paths found");
}

/// The architecture page stays within two pages.
#[test]
fn the_architecture_fits_on_two_pages() {
    let lines = text(&root().join("docs/architecture.md")).lines().count();
    assert!(lines <= 110, "docs/architecture.md has {lines} lines");
}
