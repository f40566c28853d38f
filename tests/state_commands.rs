//! `perennial state` as scripts use it, on states that `replay` has made: any past version is found, taken along, proved.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use checkpoints::StateDir;
use serde_json::Value;

fn perennial(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_perennial")).args(args).output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = perennial(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(args: &[&str]) -> (i32, String) {
    let output = perennial(args);
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

struct Stage {
    folder: tempfile::TempDir,
    file: String,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.jsonl");
        let simulated = perennial(&["simulate", "sea", "--events", "3_000", "--out", text(&file)]);
        assert!(simulated.status.success(), "{}", String::from_utf8_lossy(&simulated.stderr));
        let file = text(&file).to_owned();
        Self { folder, file }
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }

    fn replay(&self, state: &str, limit: u64) -> Value {
        let target = simulations::Scenario::by_name("sea").unwrap().target;
        let (limit, state) = (limit.to_string(), self.path(state));
        let learner = ["--learner", "hoeffding_tree", "--target", target, "--task", "classification"];
        json(&[&["replay", &self.file, "--state", &state, "--limit", &limit, "--json"][..], &learner].concat())
    }
}

#[test]
fn a_version_that_was_never_saved_is_found_by_folding_again() {
    let stage = Stage::new();
    let whole = stage.replay("whole", 3_000);
    let early = stage.replay("early", 1_234);
    let state = stage.path("whole");
    let show = ["state", "show", "--state", &state, "--json"];
    assert_eq!(json(&show)["state_hash"], whole["state_hash"]);
    let past = json(&[&show[..], &["--version", "1234", "--input", &stage.file]].concat());
    assert_eq!((&past["state_hash"], &past["kept"]), (&early["state_hash"], &Value::Bool(false)));
    assert_eq!(past["position"]["file"]["0"], 1_234);
    let (code, message) = refused(&[&show[..], &["--version", "1234"]].concat());
    assert!(code == 69 && message.contains("--input FILE") && message.contains("kept are: 3000"), "{code} {message}");
    let (code, message) = refused(&[&show[..], &["--version", "9999", "--input", &stage.file]].concat());
    assert!(code == 69 && message.contains("the journal ends at version 3000"), "{code} {message}");
    assert_eq!(json(&[&show[..], &["--at", "2999-01-01T00:00:00Z"]].concat())["version"], 3_000);
    assert_eq!(refused(&[&show[..], &["--at", "2001-01-01T00:00:00Z"]].concat()).0, 69);

    let proof = json(&["state", "verify", "--state", &state, "--input", &stage.file, "--json"]);
    assert_eq!((&proof["from"], &proof["versions"]), (&Value::from("genesis"), &serde_json::json!([3_000])));
    // One number in the file is another one: the log is not what was learned from.
    let changed = fs::read_to_string(&stage.file).unwrap().replacen(":1", ":2", 1);
    fs::write(&stage.file, changed).unwrap();
    let (code, message) = refused(&["state", "verify", "--state", &state, "--input", &stage.file]);
    assert!(code == 3 && message.contains("the log changed at file/0"), "{code} {message}");
}

#[test]
fn an_exported_version_goes_on_elsewhere_as_if_it_had_never_left() {
    let stage = Stage::new();
    let whole = stage.replay("whole", 3_000);
    let early = stage.replay("early", 1_234);
    let (state, out, there) = (stage.path("whole"), stage.path("early.model"), stage.path("there"));
    let export = ["state", "export", "--state", &state, "--out", &out, "--json"];
    let exported = json(&[&export[..], &["--version", "1234", "--input", &stage.file]].concat());
    assert_eq!(exported["state_hash"], early["state_hash"]);
    let imported = perennial(&["state", "import", &out, "--state", &there]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let shown = json(&["state", "show", "--state", &there, "--json"]);
    assert_eq!((&shown["version"], &shown["state_hash"]), (&Value::from(1_234), &early["state_hash"]));
    json(&["state", "verify", "--state", &there, "--input", &stage.file, "--json"]);
    assert_eq!(stage.replay("there", 3_000)["state_hash"], whole["state_hash"]);

    let (code, message) = refused(&["state", "import", &out, "--state", &there]);
    assert!(code == 69 && message.contains("has a model replay already"), "{code} {message}");
    let mut bytes = fs::read(&out).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&out, &bytes).unwrap();
    let elsewhere = stage.path("elsewhere");
    let (code, message) = refused(&["state", "import", &out, "--state", &elsewhere]);
    assert!(code == 69 && message.contains("its hash does not match"), "{code} {message}");
    fs::write(&out, &bytes[..middle]).unwrap();
    assert_eq!(refused(&["state", "import", &out, "--state", &elsewhere]).0, 69);
    assert!(!Path::new(&elsewhere).exists(), "nothing was left behind");
}

/// While a process owns the folder, it is looked at all the same; what would change it is refused.
#[test]
fn a_folder_in_use_is_looked_at_and_not_changed() {
    let stage = Stage::new();
    let whole = stage.replay("whole", 3_000);
    let (state, out) = (stage.path("whole"), stage.path("whole.model"));
    let _owner = StateDir::open(&state).unwrap();
    assert_eq!(json(&["state", "list", "--state", &state, "--json"])["state_hash"], whole["state_hash"]);
    let told = perennial(&["state", "list", "--state", &state]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains(" old ") && told.contains("file/0:3000") && told.contains("journal"), "{told}");
    let exported = json(&["state", "export", "--state", &state, "--out", &out, "--json"]);
    assert_eq!(exported["version"], 3_000);
    for command in [&["state", "reset", "--state", &state, "--yes"][..], &["state", "import", &out, "--state", &state]]
    {
        let (code, message) = refused(command);
        assert!(code == 69 && message.contains("another perennial process holds"), "{code} {message}");
    }
}
