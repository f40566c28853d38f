//! The pipeline on the embedded broker, in this process: what a user meets without Java.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod carry;
mod change;
mod clock;
mod compact;
mod cost;
mod damage;
mod gap;
mod restart;
mod sinks;
mod waiting;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use checkpoints::{
    Checkpoint, CheckpointError, CheckpointStore, Committed, FileStore, Keep, Listed, Loaded, Pruned, StateDir,
};
use features::{Start, Task};
use fold::{ModelSnapshot, OnDrift, What};
use perennial::config::{Every, KafkaConfig, ModelConfig, StopAt};
use perennial::control::{Answer, Command, Done, Refused};
use perennial::live::Answering;
use perennial::metrics::Metrics;
use perennial::pipeline::{self, Plan, Running};
use perennial::registry::{ModelHandle, Registry};
use perennial::replay::Replay;
use perennial::service::plan;
use perennial::status::Phase;
use simulations::Scenario;
use streams::{FileOptions, FileSource, MockBroker, Outgoing, Producer};

const WITHIN: Duration = Duration::from_secs(60);

fn model(name: &str, topics: &[&str]) -> ModelConfig {
    let scenario = Scenario::by_name("sea").unwrap();
    let mut model =
        ModelConfig::new(name, topics.iter().map(|&t| t.into()).collect(), Task::Classification, scenario.target);
    model.fold.event.id = Some(scenario.id.into());
    model.fold.event.time = Some(scenario.time.into());
    model.fold.learner = "hoeffding_tree".parse().unwrap();
    model.fold.challengers = vec!["linear".parse().unwrap(), "no_change".parse().unwrap()];
    model.runtime.checkpoint_every = Every::Events(700);
    model.runtime.publish_every = Every::Time(Duration::from_millis(5));
    model.runtime.keep = Keep { last: 3, hourly: 0, daily: 0, compact: false };
    model
}

struct World {
    running: Option<Running>,
    registry: Registry,
}

/// Starts models on state in `dir`, as the service does.
fn start(broker: &MockBroker, dir: &Path, models: &[ModelConfig]) -> anyhow::Result<World> {
    start_on(broker, dir, models, |store| Arc::new(store))
}

fn start_on(
    broker: &MockBroker,
    dir: &Path,
    models: &[ModelConfig],
    wrap: impl FnOnce(FileStore) -> Arc<dyn CheckpointStore>,
) -> anyhow::Result<World> {
    start_at(broker, dir, models, wrap, || 0)
}

fn start_at(
    broker: &MockBroker,
    dir: &Path,
    models: &[ModelConfig],
    wrap: impl FnOnce(FileStore) -> Arc<dyn CheckpointStore>,
    now_ms: fn() -> i64,
) -> anyhow::Result<World> {
    let kafka = KafkaConfig { brokers: broker.bootstrap.clone(), ..KafkaConfig::default() };
    let plans: Vec<Plan> = models.iter().map(|model| plan(model, &kafka, Duration::from_millis(200))).collect();
    let state = StateDir::open(dir)?;
    let store = wrap(FileStore::open(&state)?);
    let (running, registry) = pipeline::start(plans, &state, &store, &Arc::new(Metrics::default()), now_ms)?;
    Ok(World { running: Some(running), registry })
}

impl World {
    fn stop(mut self) {
        self.running.take().unwrap().stop();
    }

    /// Waits until the model has folded so many records and partitions.
    fn wait(&self, model: &str, version: u64) {
        self.wait_until(model, |served| served >= version);
        assert_eq!(self.version(model), version);
    }

    fn version(&self, model: &str) -> u64 {
        self.registry.get(model).unwrap().live.load().map_or(0, |served| served.newest.version)
    }

    fn handle(&self) -> Arc<ModelHandle> {
        self.registry.get("m").unwrap()
    }

    /// The model that answers.
    fn answering(&self) -> Arc<ModelSnapshot> {
        Arc::clone(&self.handle().live.load().unwrap().model)
    }

    fn ask(&self, command: Command) -> Answer {
        self.handle().control.ask(command, "a test").unwrap().blocking_recv().unwrap()
    }

    fn wait_until(&self, model: &str, done: impl Fn(u64) -> bool) {
        let until = Instant::now() + WITHIN;
        while !done(self.version(model)) {
            let status = self.registry.get(model).unwrap().status.get();
            assert!(Instant::now() < until, "version {} of {model}: {status:?}", self.version(model));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_phase(&self, model: &str, phase: &Phase) {
        let until = Instant::now() + WITHIN;
        while self.registry.get(model).unwrap().status.get().phase != *phase {
            let status = self.registry.get(model).unwrap().status.get();
            assert!(Instant::now() < until, "{status:?} is not {phase:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn send(broker: &MockBroker, topic: &str, partition: i32, payloads: impl IntoIterator<Item = String>) {
    let producer = Producer::start(&broker.bootstrap, &Vec::new(), topic).unwrap();
    for payload in payloads {
        let outgoing =
            Outgoing { partition: Some(partition), payload: Some(payload.into_bytes()), ..Outgoing::default() };
        producer.send(&outgoing, WITHIN).unwrap();
    }
    producer.flush(WITHIN).unwrap();
}

fn events(total: u64) -> Vec<String> {
    Scenario::by_name("sea").unwrap().events(3, total).map(|event| event.json).collect()
}

/// The hash of what a model has learned, from its newest checkpoint.
fn model_hash(dir: &Path, model: &str) -> ([u8; 32], [u8; 32]) {
    let state = StateDir::open_existing(dir).unwrap();
    let checkpoint = FileStore::open(&state).unwrap().latest(model).unwrap().checkpoint.unwrap();
    (checkpoint.model_hash, checkpoint.state_hash)
}

#[test]
fn run_and_replay_of_the_same_records_are_the_same_model() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let events = events(3_000);
    send(&broker, "t", 0, events.clone());
    let world = start(&broker, &dir.path().join("state"), &[model("m", &["t"])]).unwrap();
    world.wait("m", 3_001);
    world.stop();

    let file = dir.path().join("events.jsonl");
    fs::write(&file, events.join("\n")).unwrap();
    let source = FileSource::open(vec![file], FileOptions::default()).unwrap();
    let replayed = Replay::start("m", model("m", &["t"]).fold, None, None).unwrap().run(source, |_| {}).unwrap();
    assert_eq!(replayed.version, 3_000, "a file's partition is no decision");
    let (learned, _) = model_hash(&dir.path().join("state"), "m");
    assert_eq!(replayed.model_hash, pipeline::hex(&learned));
}

/// Stopped and started again and again, at other places and batch by batch, it is what it would have been.
#[test]
fn restarts_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let (one, many) = (dir.path().join("one"), dir.path().join("many"));
    let mut sent = 1;
    for (i, part) in events(4_000).chunks(800).enumerate() {
        send(&broker, "t", 0, part.to_vec());
        sent += part.len() as u64;
        let world = start(&broker, &many, &[model("m", &["t"])]).unwrap();
        world.wait("m", sent);
        if i == 2 {
            // The checkpoints of this life are lost: it goes on from genesis along the journal.
            world.stop();
            fs::remove_dir_all(many.join("manifests")).unwrap();
            fs::remove_dir_all(many.join("models/m/blobs")).unwrap();
        } else {
            world.stop();
        }
    }
    let world = start(&broker, &one, &[model("m", &["t"])]).unwrap();
    world.wait("m", sent);
    world.stop();
    assert_eq!(model_hash(&one, "m"), model_hash(&many, "m"));
}

#[test]
fn a_topic_may_come_later_and_models_share_a_process() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("a", 2)]).unwrap();
    let models = [model("early", &["a"]), model("both", &["a", "late"])];
    let world = start(&broker, dir.path(), &models).unwrap();
    let events = events(1_000);
    send(&broker, "a", 0, events[..500].to_vec());
    send(&broker, "a", 1, events[500..].to_vec());
    world.wait("early", 1_002);
    world.wait("both", 1_002);
    broker.create_topic("late", 1).unwrap();
    send(&broker, "late", 0, events[..100].to_vec());
    world.wait("both", 1_103);
    world.wait_phase("both", &Phase::Live);
    world.stop();
}

#[test]
fn a_partition_of_garbage_is_stopped_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 2), ("m-dead-letters", 1)]).unwrap();
    let mut model = model("m", &["t"]);
    model.runtime.dead_letters.stop_partition_at = StopAt { share: 0.5, of_last: 100 };
    let world = start(&broker, dir.path(), &[model]).unwrap();
    send(&broker, "t", 0, (0..5_000).map(|i| format!("garbage {i}")));
    let stopped = |world: &World| world.registry.get("m").unwrap().status.get().stopped_partitions;
    let until = Instant::now() + WITHIN;
    while stopped(&world).is_empty() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    let reasons = world.registry.get("m").unwrap().reasons();
    assert!(reasons.iter().any(|r| r.contains("t/0: 50 % of the last 100 records were unusable")), "{reasons:?}");
    send(&broker, "t", 1, events(500));
    let learned = || world.registry.get("m").unwrap().live.load().map_or(0, |served| served.model.counts.events);
    while learned() < 500 {
        assert!(Instant::now() < until, "{} events", learned());
        std::thread::sleep(Duration::from_millis(5));
    }
    let rejected = world.registry.get("m").unwrap().live.load().unwrap().model.counts.rejected;
    assert!(rejected < 5_000, "all of the garbage was drained into the dead letters");
    world.stop();
}

#[test]
fn what_decides_the_fold_may_not_change_silently() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    send(&broker, "t", 0, events(10));
    let world = start(&broker, dir.path(), &[model("m", &["t"])]).unwrap();
    world.wait("m", 11);
    world.stop();
    let mut other = model("m", &["t"]);
    other.fold.seed = 2;
    other.fold.event.limits.classes = 7;
    let refused = start(&broker, dir.path(), &[other]).err().unwrap().to_string();
    for part in ["seed (1 is now 2)", "limits", "set it on a learner", "state reset --model m"] {
        assert!(refused.contains(part), "{refused}");
    }
    let mut free = model("m", &["t"]);
    free.runtime.checkpoint_every = Every::Time(Duration::from_secs(1));
    start(&broker, dir.path(), &[free]).unwrap().stop();
}

/// `latest` is where a new model begins; what appears while a model that has begun is down is not skipped.
#[test]
fn what_appears_while_it_is_down_is_learned_from_its_first_record() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let mut model = model("m", &["t", "late"]);
    model.fold.start = Start::Latest;
    send(&broker, "t", 0, events(10));
    let world = start(&broker, dir.path(), &[model.clone()]).unwrap();
    let until = Instant::now() + WITHIN;
    // The partition is a decision; the ten records before it are not learned.
    while world.version("m") < 1 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    world.stop();
    broker.create_topic("late", 1).unwrap();
    send(&broker, "late", 0, events(5));
    let world = start(&broker, dir.path(), &[model]).unwrap();
    world.wait("m", 1 + 1 + 5);
    world.stop();
}

/// A version is pinned, learning goes on beside it, another learner is promoted: all of it outlives restarts, even one
/// that has lost every checkpoint but the pinned one's journal.
#[test]
fn what_a_person_decides_is_in_the_journal_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let mut models = [model("m", &["t"])];
    models[0].fold.on_drift = OnDrift::Alert;
    let events = events(4_000);
    send(&broker, "t", 0, events[..2_000].to_vec());
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 2_001);
    world.stop();
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait_phase("m", &Phase::Live);
    let until = Instant::now() + WITHIN;
    let oldest = loop {
        assert!(Instant::now() < until);
        if let Some(oldest) = world.handle().status.get().versions.last() {
            break oldest.checkpoint.version;
        }
    };
    assert!(oldest < 2_001);
    assert_eq!(world.ask(Command::Follow), Err(Refused::NothingToChange));
    assert_eq!(world.ask(Command::Rollback { version: 3 }), Err(Refused::UnknownVersion));
    let known = ["hoeffding_tree", "linear", "no_change"].map(str::to_owned).to_vec();
    assert_eq!(world.ask(Command::Promote { learner: "arf".into() }), Err(Refused::UnknownLearner { known }));
    let done = world.ask(Command::Rollback { version: oldest }).unwrap();
    assert_eq!(done, Done { version: 2_002, live: Answering::Pinned(oldest) });
    assert_eq!((world.answering().version, world.version("m")), (oldest, 2_002), "shown when it answers");

    send(&broker, "t", 0, events[2_000..].to_vec());
    world.wait("m", 4_002);
    assert_eq!(world.answering().version, oldest);
    let done = world.ask(Command::Promote { learner: "linear".into() }).unwrap();
    assert_eq!(done, Done { version: 4_003, live: Answering::Pinned(oldest) });
    world.stop();

    let world = start(&broker, dir.path(), &models).unwrap();
    assert_eq!(world.answering().version, oldest, "pinned from the first moment, and never pruned");
    world.wait_phase("m", &Phase::Live);
    assert_eq!(world.ask(Command::Follow).unwrap(), Done { version: 4_004, live: Answering::Follow("linear".into()) });
    assert_eq!((world.answering().version, world.answering().learner.as_str()), (4_004, "linear"));
    let told: Vec<_> = world.answering().happenings.iter().map(|happening| happening.what.clone()).collect();
    assert!(told.contains(&What::Pinned { version: oldest }) && told.contains(&What::Followed), "{told:?}");
    world.stop();

    let decided = model_hash(dir.path(), "m");
    fs::remove_dir_all(dir.path().join("manifests")).unwrap();
    fs::remove_dir_all(dir.path().join("models/m/blobs")).unwrap();
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 4_004);
    world.stop();
    assert_eq!(model_hash(dir.path(), "m"), decided, "decisions are folded again where they were");
}

/// Waits until these versions, and no others, are kept for ever.
fn wait_pinned(dir: &Path, versions: &[u64]) {
    let until = Instant::now() + WITHIN;
    let pins = || -> Vec<u64> {
        let names = fs::read_dir(dir.join("models/m/pins")).unwrap().map(|file| file.unwrap().file_name());
        names.map(|name| name.to_str().unwrap().parse().unwrap()).collect()
    };
    while pins() != versions {
        assert!(Instant::now() < until, "{:?} are pinned, not {versions:?}", pins());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A crash between a pin and its decision, or between a decision and the end of a pin, leaves no version behind for ever.
#[test]
fn what_is_kept_for_ever_is_what_answers() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let models = [model("m", &["t"])];
    send(&broker, "t", 0, events(1_000));
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 1_001);
    world.stop();
    send(&broker, "t", 0, events(1_000));
    let world = start(&broker, dir.path(), &models).unwrap();
    world.wait("m", 2_001);
    let oldest = world.handle().status.get().versions.last().unwrap().checkpoint.version;
    world.ask(Command::Rollback { version: oldest }).unwrap();
    world.stop();
    {
        let store = FileStore::open(&StateDir::open_existing(dir.path()).unwrap()).unwrap();
        let kept = store.list("m").unwrap();
        assert!(kept.len() > 1);
        kept.iter().for_each(|kept| store.pin("m", kept.manifest.version, true).unwrap());
    }
    let world = start(&broker, dir.path(), &models).unwrap();
    wait_pinned(dir.path(), &[oldest]);
    world.ask(Command::Follow).unwrap();
    wait_pinned(dir.path(), &[]);
    world.stop();
}

/// A store that notes how large the journal is when a version is no longer to be kept.
struct Watched {
    store: FileStore,
    journal: PathBuf,
    unpinned_at: Arc<Mutex<Option<u64>>>,
}

fn bytes_in(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

impl CheckpointStore for Watched {
    fn commit(&self, checkpoint: &Checkpoint) -> Result<Committed, CheckpointError> {
        self.store.commit(checkpoint)
    }

    fn latest(&self, model: &str) -> Result<Loaded, CheckpointError> {
        self.store.latest(model)
    }

    fn at(&self, model: &str, version: u64) -> Result<Checkpoint, CheckpointError> {
        self.store.at(model, version)
    }

    fn list(&self, model: &str) -> Result<Vec<Listed>, CheckpointError> {
        self.store.list(model)
    }

    fn pin(&self, model: &str, version: u64, is_pinned: bool) -> Result<(), CheckpointError> {
        if !is_pinned {
            *self.unpinned_at.lock().unwrap() = Some(bytes_in(&self.journal));
        }
        self.store.pin(model, version, is_pinned)
    }

    fn prune(&self, model: &str, keep: &Keep) -> Result<Pruned, CheckpointError> {
        self.store.prune(model, keep)
    }

    fn remove(&self, model: &str) -> Result<(), CheckpointError> {
        self.store.remove(model)
    }
}

/// Were it given up before, a crash between the two would bring back a pin whose version may be gone.
#[test]
fn a_pinned_version_is_given_up_only_when_that_is_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let broker = MockBroker::start(&[("t", 1)]).unwrap();
    let unpinned_at = Arc::new(Mutex::new(None));
    let (journal, at) = (dir.path().join("models/m/journal"), Arc::clone(&unpinned_at));
    let wrap =
        |store| -> Arc<dyn CheckpointStore> { Arc::new(Watched { store, journal: journal.clone(), unpinned_at: at }) };
    send(&broker, "t", 0, events(1_000));
    let world = start_on(&broker, dir.path(), &[model("m", &["t"])], wrap).unwrap();
    world.wait("m", 1_001);
    let until = Instant::now() + WITHIN;
    let version = loop {
        assert!(Instant::now() < until);
        if let Some(kept) = world.handle().status.get().versions.first() {
            break kept.checkpoint.version;
        }
    };
    world.ask(Command::Rollback { version }).unwrap();
    let before = bytes_in(&journal);
    assert_eq!(*unpinned_at.lock().unwrap(), None);
    world.ask(Command::Follow).unwrap();
    while unpinned_at.lock().unwrap().is_none() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(unpinned_at.lock().unwrap().unwrap() > before, "the decision was not yet in the journal");
    world.stop();
    wait_pinned(dir.path(), &[]);
}
