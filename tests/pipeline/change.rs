//! A configuration that changes between two lives.

use super::*;

/// Adopted once, at the journal's end; in force after every restart, also one that begins at genesis again.
#[test]
fn a_configuration_that_can_be_taken_is_adopted_as_a_decision() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1), ("more", 1)]).unwrap();
    let events = events(3_000);
    send(&broker, "t", 0, events[..1_000].to_vec());
    // Nobody is to be promoted by evidence on the way.
    let mut first = model("m", &["t"]);
    first.fold.on_drift = OnDrift::Alert;
    let world = start(&broker, dir.path(), &[first]).unwrap();
    world.wait("m", 1_001);
    world.stop();

    let mut other = model("m", &["t", "more"]);
    other.fold.min_gain_ppm += 1;
    other.fold.challengers = vec!["naive_bayes".parse().unwrap(), "no_change".parse().unwrap()];
    other.fold.on_drift = OnDrift::Alert;
    send(&broker, "t", 0, events[1_000..2_000].to_vec());
    send(&broker, "more", 0, events[2_000..].to_vec());
    let world = start(&broker, dir.path(), &[other.clone()]).unwrap();
    // The configuration and the partition of the new topic are decisions.
    world.wait("m", 3_003);
    let learners: Vec<String> = world.answering().standings.iter().map(|standing| standing.learner.clone()).collect();
    assert_eq!(learners, ["hoeffding_tree", "no_change", "naive_bayes"]);
    assert_eq!(world.answering().standings[2].since, 1_000, "it began with the change");
    let told: Vec<_> = world.answering().happenings.iter().map(|happening| happening.what.clone()).collect();
    assert!(told.contains(&What::Configured { learner: "hoeffding_tree".into() }), "{told:?}");
    world.stop();
    let hashes = model_hash(dir.path(), "m");

    let world = start(&broker, dir.path(), &[other.clone()]).unwrap();
    world.wait_phase("m", &Phase::Live);
    assert_eq!(world.version("m"), 3_003, "nothing has changed again");
    world.stop();
    fs::remove_dir_all(dir.path().join("manifests")).unwrap();
    fs::remove_dir_all(dir.path().join("models/m/blobs")).unwrap();
    let world = start(&broker, dir.path(), &[other]).unwrap();
    world.wait("m", 3_003);
    world.stop();
    assert_eq!(model_hash(dir.path(), "m"), hashes);

    // Back to what it was: topics cannot be taken away.
    let refused = start(&broker, dir.path(), &[model("m", &["t"])]).err().unwrap().to_string();
    assert!(refused.contains("topics") && refused.contains("can only be appended"), "{refused}");
}
