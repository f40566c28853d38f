//! A real Apache Kafka for tests: nodes that are broker and controller, started from the jars that `tests/run` fetched.
//!
//! Its data survive `stop`, `kill9` and `restart`; dropping it kills the process.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const UP_WITHIN: Duration = Duration::from_secs(60);
const DOWN_WITHIN: Duration = Duration::from_secs(30);

/// The listeners of a node, its ports left open.
const LISTENERS: &str = "listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT";

/// A running node.
pub struct RealKafka {
    /// What clients connect to: every node of its cluster.
    pub brokers: String,
    port: u16,
    dir: PathBuf,
    process: Option<Child>,
}

impl RealKafka {
    /// Formats storage under `dir`, starts a node on free ports of 127.0.0.1 and waits until it answers.
    pub fn start(dir: &Path) -> Self {
        Self::cluster(dir, 1).remove(0)
    }

    /// The same with a second door: it listens on port `listens` too, and tells who comes there that it is at `said`.
    pub fn with_door(dir: &Path, listens: u16, said: u16) -> Self {
        let door = format!(
            "listeners=PLAINTEXT://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller}},DOOR://127.0.0.1:{listens}
advertised.listeners=PLAINTEXT://127.0.0.1:{{port}},DOOR://127.0.0.1:{said}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DOOR:PLAINTEXT"
        );
        Self::nodes(dir, 1, &door).remove(0)
    }

    /// The same for so many nodes of one cluster; what is written is on all of them, and on most before it is acknowledged.
    pub fn cluster(dir: &Path, nodes: usize) -> Vec<Self> {
        Self::nodes(dir, nodes, LISTENERS)
    }

    fn nodes(dir: &Path, nodes: usize, listeners: &str) -> Vec<Self> {
        let ports: Vec<(u16, u16)> = (0..nodes).map(|_| (free_port(), free_port())).collect();
        let brokers: Vec<String> = ports.iter().map(|(port, _)| format!("127.0.0.1:{port}")).collect();
        let mut cluster: Vec<Self> = ports
            .iter()
            .enumerate()
            .map(|(n, &(port, _))| {
                let dir = dir.join(format!("node-{n}"));
                fs::create_dir_all(&dir).expect("the folder for Kafka can be made");
                fs::write(dir.join("server.properties"), properties(n, &ports, listeners, &dir.join("data")))
                    .expect("server.properties can be written");
                fs::write(dir.join("log4j2.properties"), include_str!("kafka/log4j2.properties"))
                    .expect("log4j2.properties can be written");
                Self { brokers: brokers.join(","), port, dir, process: None }
            })
            .collect();
        let id = java(&cluster[0].dir, &["kafka.tools.StorageTool", "random-uuid"]).output().expect("java runs");
        let id = String::from_utf8(id.stdout).expect("the id is text");
        for node in &mut cluster {
            let arguments = ["kafka.tools.StorageTool", "format", "-t", id.trim(), "-c", "server.properties"];
            let format = java(&node.dir, &arguments).output().expect("java runs");
            assert!(format.status.success(), "formatting: {}", String::from_utf8_lossy(&format.stderr));
            node.launch();
        }
        cluster.iter_mut().for_each(Self::wait_until_up);
        cluster
    }

    /// Starts the node again on its data and ports (after `stop` or `kill9`) and waits until it answers.
    pub fn restart(&mut self) {
        self.launch();
        self.wait_until_up();
    }

    /// Starts it without waiting: of a cluster most nodes have to be there before any answers.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "stop it first");
        let log = File::options().create(true).append(true).open(self.log()).expect("the log can be opened");
        let child = java(&self.dir, &["kafka.Kafka", "server.properties"])
            .stdout(log.try_clone().expect("a file handle can be cloned"))
            .stderr(log)
            .spawn()
            .expect("java runs");
        self.process = Some(child);
    }

    /// Waits until it answers.
    pub fn wait_until_up(&mut self) {
        let until = Instant::now() + UP_WITHIN;
        while !answers(self.port) {
            let ended = self.process.as_mut().and_then(|child| child.try_wait().expect("it is our child"));
            assert!(ended.is_none(), "Kafka ended ({ended:?}):\n{}", self.last_words());
            assert!(Instant::now() < until, "Kafka does not answer:\n{}", self.last_words());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it in an orderly way.
    pub fn stop(&mut self) {
        let mut child = self.process.take().expect("it runs");
        let asked = Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
        assert!(asked.success(), "the process is gone:\n{}", self.last_words());
        let until = Instant::now() + DOWN_WITHIN;
        while child.try_wait().expect("it is our child").is_none() {
            if Instant::now() > until {
                child.kill().expect("it is our child");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        let mut child = self.process.take().expect("it runs");
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
    }

    /// Lets it neither answer nor hang up, as a stuck machine would; [`RealKafka::thaw`] ends that.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// It goes on as if nothing had been.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill runs").success());
    }

    fn log(&self) -> PathBuf {
        self.dir.join("kafka.out")
    }

    fn last_words(&self) -> String {
        let all = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for RealKafka {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn java(dir: &Path, arguments: &[&str]) -> Command {
    let libs = std::env::var_os("PERENNIAL_KAFKA_LIBS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/kafka/libs"), PathBuf::from);
    assert!(libs.join("kafka_2.13-4.1.0.jar").exists(), "Kafka's jars are not in {}: run tests/run", libs.display());
    let mut command = Command::new("java");
    command
        .current_dir(dir)
        .args(["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .args(["-Dlog4j2.configurationFile=log4j2.properties", "-cp"])
        .arg(libs.join("*"))
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn properties(node: usize, ports: &[(u16, u16)], listeners: &str, data: &Path) -> String {
    let voter = |(n, (_, controller)): (usize, &(u16, u16))| format!("{}@127.0.0.1:{controller}", n + 1);
    let voters: Vec<String> = ports.iter().enumerate().map(voter).collect();
    let (voters, id, (port, controller)) = (voters.join(","), node + 1, ports[node]);
    let (replicas, most) = (ports.len(), ports.len() / 2 + 1);
    let listeners = listeners.replace("{port}", &port.to_string()).replace("{controller}", &controller.to_string());
    format!(
        "process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
{listeners}
controller.listener.names=CONTROLLER
log.dirs={}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=2097152
default.replication.factor={replicas}
min.insync.replicas={most}
offsets.topic.num.partitions=1
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={most}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={most}
",
        data.display()
    )
}

/// A port below those that outgoing connections take, so that it is still free when a node comes back to it.
pub fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 1_000) as u16 * 10;
    for _ in 0..10_000 {
        let port = 20_000 + (first + TRIED.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between 20000 and 30000");
}

/// Whether the node answers a metadata request (version 0, all topics) and names itself as a broker.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        // Length; key 3, version 0, correlation 7, no client id; no topics named.
        let request = [0, 0, 0, 14, 0, 3, 0, 0, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0];
        stream.write_all(&request)?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head[7] == 7 && head[8..12] != [0; 4])
    };
    ask().unwrap_or(false)
}
