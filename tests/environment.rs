//! The environment fails under the built binary: the disk is full, cannot be written, there are no file handles, somebody
//! starts it twice. It answers all the while, goes on by itself, and in the end has learned every event once: a witness's
//! prediction is the sum of the ids it has learned. The broker is the embedded one, in the test's process.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod support;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use streams::{MockBroker, Outgoing, Producer};
use support::service::{self, Service};

const WITHIN: Duration = Duration::from_secs(30);

/// A folder, a broker in this process, and a configuration of one witness.
struct World {
    dir: tempfile::TempDir,
    broker: MockBroker,
    producer: Producer,
    sent: u64,
}

impl World {
    fn new() -> Self {
        let broker = MockBroker::start(&[("t", 1), ("w-dead-letters", 1)]).unwrap();
        let producer = Producer::start(&broker.bootstrap, &Vec::new(), "t").unwrap();
        Self { dir: tempfile::tempdir().unwrap(), broker, producer, sent: 0 }
    }

    /// The configuration's file, for a state folder and a port.
    fn config(&self, name: &str, state: &Path, port: u16) -> PathBuf {
        let text = format!(
            "version = 1\nstate_dir = \"{}\"\n[kafka]\nbrokers = \"{}\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n\
             [models.w]\ntopics = [\"t\"]\ntask = \"regression\"\ntarget = \"co\"\nfeatures = [\"id\"]\nid = \"id\"\n\
             learner = \"witness\"\ndecay = {{ on_drift = \"alert\" }}\ncheckpoint_every = \"200ms\"\n\
             publish_every = \"20ms\"\n",
            state.display(),
            self.broker.bootstrap
        );
        let file = self.dir.path().join(format!("{name}.toml"));
        fs::write(&file, text).unwrap();
        file
    }

    fn start(&self, config: &Path, port: u16) -> Service {
        Service::start(config, port, &self.dir.path().join("log"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    fn send(&mut self, events: u64) {
        for id in self.sent..self.sent + events {
            let payload = Some(format!(r#"{{"id":{id},"co":1.5}}"#).into_bytes());
            self.producer.send(&Outgoing { payload, ..Outgoing::default() }, WITHIN).unwrap();
        }
        self.producer.flush(WITHIN).unwrap();
        self.sent += events;
    }

    /// Sends events a few at a time: each few are an entry of the journal, whose last page has room for some more.
    fn trickle(&mut self) {
        (0..200).for_each(|_| self.send(5));
    }

    /// Waits until all that was sent is learned, each event once.
    fn wait_for_all(&self, service: &mut Service) {
        service.wait_for("/api/models/w", WITHIN, |answer| (answer["events"] == self.sent).then_some(()));
        let sum = (0..self.sent).sum::<u64>() as f64;
        assert_eq!(answer(service)["prediction"], sum, "the sum of the ids learned");
        service.wait_for("/readyz", WITHIN, |answer| (answer["ready"] == true).then_some(()));
    }

    /// Waits until a checkpoint holds all that was sent.
    fn wait_for_checkpoint(&self, service: &mut Service) {
        let all = self.sent + 1;
        service.wait_for("/api/models/w", WITHIN, |answer| (answer["checkpoint"]["version"] == all).then_some(()));
    }

    /// Waits until the log says this behind a place.
    fn wait_for_log(&self, behind: usize, part: &str) {
        let until = Instant::now() + WITHIN;
        while !self.log()[behind..].contains(part) {
            assert!(Instant::now() < until, "it does not say {part:?}:\n{}", &self.log()[behind..]);
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// It answers at once.
fn answer(service: &Service) -> Value {
    let answer = service.post("/api/models/w/predict", &json!({"features": {"id": 1}}));
    let answer = answer.unwrap_or_else(|| panic!("no answer:\n{}", service.last_words()));
    assert!(answer["prediction"].is_number(), "{answer}");
    answer
}

/// The model is not ready for a reason that has this in it.
fn wait_for_reason(service: &mut Service, part: &str) {
    service.wait_for("/readyz", WITHIN, |answer| {
        let reasons = answer["models"]["w"]["reasons"].as_array()?;
        reasons.iter().any(|reason| reason.as_str().is_some_and(|reason| reason.contains(part))).then_some(())
    });
}

/// A small disk of its own.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, options: &str) -> Self {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at).status().unwrap();
        assert!(mounted.success(), "a tmpfs is mounted by root alone");
        Self(at)
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut filler = File::create(&path).unwrap();
        for bytes in [1 << 16, 4_096, 1] {
            while filler.write_all(&vec![0; bytes]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever failed may still hold files there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The feared failure: a full disk ends learning for good, or tears what is saved.
#[test]
#[ignore = "needs root for a tmpfs: run tests/run"]
fn on_a_full_disk_learning_pauses_and_goes_on_by_itself() {
    let mut world = World::new();
    let disk = Disk::mount(world.dir.path().join("small"), "size=24m");
    let (state, port) = (disk.0.join("state"), service::free_port());
    let config = world.config("w", &state, port);
    world.send(3_000);
    let mut service = world.start(&config, port);
    world.wait_for_all(&mut service);
    let filler = disk.fill();
    world.trickle();
    wait_for_reason(&mut service, "No space left");
    let told = answer(&service);
    assert_eq!(told["stale"], true, "{told}");
    assert!(told["version"].as_u64() < Some(4_001), "{told}");
    // A while like that, and more to learn.
    world.send(1_000);
    thread::sleep(Duration::from_secs(3));
    answer(&service);
    fs::remove_file(&filler).unwrap();
    world.wait_for_all(&mut service);
    assert!(answer(&service).get("stale").is_none());
    // Killed on a full disk, too, it comes back, and says what is missing until there is room.
    let filler = disk.fill();
    world.trickle();
    wait_for_reason(&mut service, "No space left");
    service.kill9();
    fs::remove_file(&filler).unwrap();
    let mut service = world.start(&config, port);
    world.wait_for_all(&mut service);
    service.stop();
    let shown = service::run_json(&["state", "show", "--state", state.to_str().unwrap(), "--model", "w", "--json"]);
    assert_eq!(shown["events"], world.sent);
}

#[test]
#[ignore = "needs root for a tmpfs: run tests/run"]
fn a_disk_that_cannot_be_written_is_named() {
    let mut world = World::new();
    world.send(10);
    let disk = Disk::mount(world.dir.path().join("small"), "size=8m,ro");
    let port = service::free_port();
    let config = world.config("w", &disk.0.join("state"), port);
    let output = service::run(&["run", "--config", config.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("Read-only file system") && said.contains(disk.0.to_str().unwrap()), "{said}");
}

/// A disk that fails while a file stands there that says with which number: `failing_disk.c`.
struct FailingDisk {
    library: PathBuf,
    with: PathBuf,
    below: PathBuf,
    log: PathBuf,
}

impl FailingDisk {
    fn build(world: &World, below: PathBuf) -> Self {
        let [library, with, log] = ["failing_disk.so", "with", "log"].map(|name| world.dir.path().join(name));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/failing_disk.c");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
        assert!(built.unwrap().success());
        Self { library, with, below, log }
    }

    fn start(&self, config: &Path, port: u16) -> Service {
        let env: [(&str, &Path); 3] =
            [("LD_PRELOAD", &self.library), ("FAILING_BELOW", &self.below), ("FAILING_WITH", &self.with)];
        Service::start_with(config, port, &self.log, &env)
    }

    /// An error number of Linux; the name of a call behind it: that call alone.
    fn fails(&self, with: &str) {
        fs::write(&self.with, with).unwrap();
    }

    fn is_well_again(&self) {
        fs::remove_file(&self.with).unwrap();
    }
}

fn verify(config: &Path) {
    let proof = service::run(&["state", "verify", "--config", config.to_str().unwrap(), "--model", "w", "--json"]);
    let said = String::from_utf8_lossy(&proof.stdout).into_owned();
    assert_eq!(proof.status.code(), Some(0), "{said} {}", String::from_utf8_lossy(&proof.stderr));
}

/// The feared failure: a write or fsync that fails once is believed later, because the system has forgotten the bytes by
/// then.
#[test]
fn a_disk_that_fails_while_it_is_used_pauses_learning_and_it_goes_on_by_itself() {
    let mut world = World::new();
    let (state, port) = (world.dir.path().join("state"), service::free_port());
    let config = world.config("w", &state, port);
    let disk = FailingDisk::build(&world, state);
    let mut service = disk.start(&config, port);
    for (number, said) in [("30", "Read-only file system"), ("5", "Input/output error")] {
        world.send(500);
        world.wait_for_all(&mut service);
        disk.fails(number);
        (0..10).for_each(|_| world.send(5));
        wait_for_reason(&mut service, said);
        let told = answer(&service);
        assert_eq!(told["stale"], true, "{told}");
        thread::sleep(Duration::from_secs(2));
        answer(&service);
        disk.is_well_again();
        world.wait_for_all(&mut service);
        world.wait_for_checkpoint(&mut service);
        // Killed on such a disk, it comes back.
        disk.fails(number);
        (0..10).for_each(|_| world.send(5));
        wait_for_reason(&mut service, said);
        service.kill9();
        disk.is_well_again();
        service = disk.start(&config, port);
        world.wait_for_all(&mut service);
    }
    service.stop();
    verify(&config);
}

/// The feared failure: the database of manifests stays in error for the rest of the life, or takes the thread with it.
#[test]
fn when_manifests_cannot_be_written_it_learns_on_and_saves_again_when_they_can() {
    let mut world = World::new();
    let (state, port) = (world.dir.path().join("state"), service::free_port());
    let config = world.config("w", &state, port);
    let disk = FailingDisk::build(&world, state.join("manifests"));
    let mut service = disk.start(&config, port);
    for with in ["5", "5 fsync", "5 sync_file_range", "28 pwrite64"] {
        world.send(500);
        world.wait_for_all(&mut service);
        world.wait_for_checkpoint(&mut service);
        let before = world.log().len();
        disk.fails(with);
        world.send(500);
        world.wait_for_log(before, "no checkpoint taken");
        world.wait_for_all(&mut service);
        disk.is_well_again();
        world.send(10);
        world.wait_for_checkpoint(&mut service);
    }
    service.kill9();
    let mut service = disk.start(&config, port);
    world.wait_for_all(&mut service);
    service.stop();
    verify(&config);
}

/// The feared failure: without a handle for a moment the database of manifests is given up for the rest of the life.
#[test]
#[ignore = "needs prlimit: run tests/run"]
fn without_file_handles_it_learns_on_and_saves_again_when_there_are_some() {
    let mut world = World::new();
    let (state, port) = (world.dir.path().join("state"), service::free_port());
    let config = world.config("w", &state, port);
    world.send(1_000);
    let mut service = world.start(&config, port);
    world.wait_for_all(&mut service);
    let limit = |files: &str| {
        let done = Command::new("prlimit").args(["--pid", &service.id().to_string(), files]).status().unwrap();
        assert!(done.success());
    };
    // Fewer than it has open: none can be opened any more.
    limit("--nofile=16:4096");
    let before = world.log().len();
    world.send(1_000);
    world.wait_for_log(before, "no checkpoint taken");
    limit("--nofile=4096:4096");
    world.send(100);
    world.wait_for_all(&mut service);
    world.wait_for_checkpoint(&mut service);
    service.kill9();
    let mut service = world.start(&config, port);
    world.wait_for_all(&mut service);
    service.stop();
}

#[test]
fn a_second_process_on_one_folder_is_refused_and_the_first_does_not_notice() {
    let mut world = World::new();
    let (state, port) = (world.dir.path().join("state"), service::free_port());
    let config = world.config("w", &state, port);
    world.send(100);
    let mut service = world.start(&config, port);
    world.wait_for_all(&mut service);
    let second = world.config("second", &state, service::free_port());
    let output = service::run(&["run", "--config", second.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains(&format!("another perennial process holds {}", state.display())), "{said}");
    world.send(100);
    world.wait_for_all(&mut service);
    service.stop();
}

#[test]
fn two_folders_on_one_topic_are_two_models_that_are_the_same() {
    let mut world = World::new();
    world.send(1_000);
    let states = ["one", "two"].map(|name| {
        let (state, port) = (world.dir.path().join(name), service::free_port());
        (world.config(name, &state, port), state, port)
    });
    let mut services = states.each_ref().map(|(config, _, port)| world.start(config, *port));
    world.send(1_000);
    for service in &mut services {
        world.wait_for_all(service);
    }
    services.into_iter().for_each(Service::stop);
    let hashes = states.map(|(_, state, _)| {
        let shown = service::run_json(&["state", "show", "--state", state.to_str().unwrap(), "--model", "w", "--json"]);
        assert_eq!(shown["events"], world.sent);
        shown["model_hash"].clone()
    });
    assert_eq!(hashes[0], hashes[1]);
}
