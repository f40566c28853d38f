//! The built binary, started and stopped as a user, an operator or the kernel would.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running `perennial run`.
pub struct Service {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Service {
    /// Starts it with a configuration whose `http.listen` is `127.0.0.1:port`; its messages are appended to `log`.
    pub fn start(config: &Path, port: u16, log: &Path) -> Self {
        Self::start_with(config, port, log, &[])
    }

    /// The same with something more in its environment.
    pub fn start_with(config: &Path, port: u16, log: &Path, env: &[(&str, &Path)]) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = perennial()
            .envs(env.iter().copied())
            .args(["run", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}"), log: log.into() }
    }

    /// Kills it as a power cut would.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in its tracks; [`Service::thaw`] lets it go on.
    pub fn freeze(&self) {
        signal("-STOP", &self.child);
    }

    /// It goes on as if nothing had been.
    pub fn thaw(&self) {
        signal("-CONT", &self.child);
    }

    /// Asks it to finish and waits for it.
    pub fn stop(mut self) {
        signal("-TERM", &self.child);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "it ended with {status}:\n{}", self.last_words());
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A GET; `None` while it does not answer.
    pub fn get(&self, path: &str) -> Option<Value> {
        agent().get(format!("{}{path}", self.url)).call().ok()?.body_mut().read_json().ok()
    }

    /// A POST; `None` while it does not answer.
    pub fn post(&self, path: &str, body: &Value) -> Option<Value> {
        agent().post(format!("{}{path}", self.url)).send_json(body).ok()?.body_mut().read_json().ok()
    }

    /// Waits until `ready` finds what it looks for in the answer to a GET.
    pub fn wait_for<T>(&mut self, path: &str, within: Duration, ready: impl Fn(&Value) -> Option<T>) -> T {
        let until = Instant::now() + within;
        loop {
            let answer = self.get(path);
            if let Some(found) = answer.as_ref().and_then(&ready) {
                return found;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("it ended with {status}:\n{}", self.last_words());
            }
            assert!(Instant::now() < until, "{path} still says {answer:?}\n{}", self.last_words());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its last messages.
    pub fn last_words(&self) -> String {
        let all = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Service {
    /// A test that fails leaves nobody behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A POST and what it answered: status and JSON; `None` if it did not.
pub fn post(url: &str, body: &Value) -> Option<(u16, Value)> {
    let mut answer = agent().post(url).send_json(body).ok()?;
    Some((answer.status().as_u16(), answer.body_mut().read_json().ok()?))
}

/// Sends a signal, as the shell's `kill` does.
pub fn signal(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(5)))
        .http_status_as_error(false)
        .build()
        .into()
}

/// The built binary.
pub fn perennial() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
    command.env("NO_COLOR", "1");
    command
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Output {
    perennial().args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// What it printed as JSON; it must have succeeded.
pub fn run_json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Sends events with confluent-kafka (see produce.py), in the background.
pub fn produce(brokers: &str, topic: &str, kind: &str, seed: u64, events: u64, rate: u64, told: &Path) -> Child {
    python("produce.py")
        .args([brokers, topic, kind, &seed.to_string(), &events.to_string(), &rate.to_string()])
        .arg(told)
        .spawn()
        .unwrap()
}

/// A process that sends what it is told to with confluent-kafka (see send.py).
pub fn sender(brokers: &str) -> Child {
    python("send.py").arg(brokers).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn python(script: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python =
        std::env::var_os("PERENNIAL_PYTHON").map_or_else(|| root.join("target/venv/bin/python"), PathBuf::from);
    assert!(python.exists(), "{} is not there: run tests/run", python.display());
    let mut command = Command::new(python);
    command.arg(root.join("tests/support").join(script));
    command
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
