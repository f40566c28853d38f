//! Records that the log no longer holds when they are to be read.
//!
//! The mock broker holds 5 MiB a partition and drops the oldest: what a retention time does.

use super::*;

/// Enough for the oldest records to be dropped.
fn flood(broker: &MockBroker, topic: &str) -> Vec<String> {
    let padded = |event: String| format!("{},\"pad\":\"{}\"}}", event.trim_end_matches('}'), "x".repeat(900));
    let flood: Vec<String> = events(9_000).into_iter().map(padded).collect();
    send(broker, topic, 0, flood.clone());
    flood
}

fn padded(name: &str, topic: &str) -> ModelConfig {
    let mut model = model(name, &[topic]);
    model.fold.event.ignore = vec!["pad".into()];
    model
}

fn start_accepting(broker: &MockBroker, dir: &Path, models: &[ModelConfig], accept: &str) -> World {
    let kafka = KafkaConfig { brokers: broker.bootstrap.clone(), ..KafkaConfig::default() };
    let plan = |model: &ModelConfig| {
        let mut plan = plan(model, &kafka, Duration::from_millis(200));
        plan.pace.accept_gap = model.name == accept;
        plan
    };
    let state = StateDir::open(dir).unwrap();
    let store: Arc<dyn CheckpointStore> = Arc::new(FileStore::open(&state).unwrap());
    let plans = models.iter().map(plan).collect();
    let (running, registry) = pipeline::start(plans, &state, &store, &Arc::new(Metrics::default()), || 0).unwrap();
    World { running: Some(running), registry }
}

/// Waits until the model has stopped; why.
fn stopped(world: &World, model: &str) -> String {
    let until = Instant::now() + WITHIN;
    loop {
        if let Phase::Stopped { reason } = world.registry.get(model).unwrap().status.get().phase {
            return reason;
        }
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The numbers in "records FIRST..NEXT are gone".
fn gone(reason: &str) -> (u64, u64) {
    let range = reason.split("records ").nth(1).unwrap().split(' ').next().unwrap();
    let (first, next) = range.split_once("..").unwrap();
    (first.parse().unwrap(), next.parse().unwrap())
}

#[test]
fn a_gap_stops_its_model_alone_and_is_recorded_once_it_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1), ("calm", 1)]).unwrap();
    let models = [padded("m", "t"), padded("other", "calm")];
    send(&broker, "t", 0, events(100));
    send(&broker, "calm", 0, events(100));
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 101);
    world.wait("other", 101);
    world.stop();
    let total = 100 + flood(&broker, "t").len() as u64;
    send(&broker, "calm", 0, events(100));

    let world = start(&broker, dir.path(), &models).unwrap();
    let reason = stopped(&world, "m");
    let (first, next) = gone(&reason);
    assert!(first == 100 && next > 100 && reason.contains("t/0") && reason.contains("--accept-gap"), "{reason}");
    assert_eq!(world.version("m"), 101, "what was learned is still served");
    world.wait("other", 201);
    world.stop();

    let world = start_accepting(&broker, dir.path(), &models, "m");
    // What is left, and the decision.
    world.wait("m", 101 + 1 + total - next);
    let told: Vec<_> = world.registry.get("m").unwrap().live.load().unwrap().newest.happenings.to_vec();
    let gap = What::Gap { topic: 0, partition: 0, first: 100, next: next as i64 };
    assert!(told.iter().any(|happening| happening.what == gap && happening.version == 102), "{told:?}");
    world.stop();
    let hashes = model_hash(dir.path(), "m");
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait_phase("m", &Phase::Live);
    assert_eq!(world.version("m"), 101 + 1 + total - next);
    world.stop();
    assert_eq!(model_hash(dir.path(), "m"), hashes);
}

/// The journal goes on behind the newest checkpoint, and what it would be folded from is gone.
#[test]
fn records_gone_from_behind_a_checkpoint_are_left_out_and_their_decisions_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let mut models = [padded("m", "t")];
    // By hand alone.
    models[0].fold.on_drift = OnDrift::Alert;
    send(&broker, "t", 0, events(1_000));
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 1_001);
    world.wait_phase("m", &Phase::Live);
    world.ask(Command::Promote { learner: "linear".into() }).unwrap();
    world.stop();
    fs::remove_dir_all(dir.path().join("manifests")).unwrap();
    fs::remove_dir_all(dir.path().join("models/m/blobs")).unwrap();
    let total = 1_000 + flood(&broker, "t").len() as u64;

    let world = start(&broker, dir.path(), &models).unwrap();
    let (first, next) = gone(&stopped(&world, "m"));
    assert!(first == 0 && next > 1_000);
    world.stop();
    for accept in ["m", "nobody"] {
        let world = start_accepting(&broker, dir.path(), &models, accept);
        world.wait("m", 1_002 + 1 + total - next);
        assert_eq!(world.answering().counts.events, total - next, "learned from what is left");
        let told: Vec<_> = world.answering().happenings.iter().map(|happening| happening.what.clone()).collect();
        let by_hand = |what: &What| matches!(what, What::Promotion { evidence: None, .. });
        assert_eq!(told.iter().filter(|what| by_hand(what)).count(), 1, "{told:?}");
        world.stop();
    }
    // Also when it is folded again from before the gap.
    let hashes = model_hash(dir.path(), "m");
    fs::remove_dir_all(dir.path().join("manifests")).unwrap();
    fs::remove_dir_all(dir.path().join("models/m/blobs")).unwrap();
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 1_002 + 1 + total - next);
    world.stop();
    assert_eq!(model_hash(dir.path(), "m"), hashes);
}
