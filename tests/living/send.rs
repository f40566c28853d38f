//! Lines on their way to topics, as far as a test has sent them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::Duration;

use streams::{Outgoing, Producer};

use crate::support::service;
use crate::worlds::Line;

/// The embedded broker, fed by our own producer.
pub fn send(brokers: &str, lines: &[Line]) {
    let mut topics: Vec<&str> = lines.iter().map(|line| line.topic).collect();
    topics.sort_unstable();
    topics.dedup();
    for topic in topics {
        let producer = Producer::start(brokers, &Vec::new(), topic).unwrap();
        for line in lines.iter().filter(|line| line.topic == topic) {
            let payload = Some(line.json.clone().into_bytes());
            let outgoing = Outgoing { partition: Some(0), payload, ..Outgoing::default() };
            producer.send(&outgoing, Duration::from_secs(60)).unwrap();
        }
        producer.flush(Duration::from_secs(60)).unwrap();
    }
}

/// confluent-kafka in a process of its own (see send.py).
pub struct Sender {
    child: Child,
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
    rest: std::vec::IntoIter<Line>,
}

impl Sender {
    /// Lines to send, in the order of their steps.
    pub fn start(brokers: &str, lines: Vec<Line>) -> Self {
        let mut child = service::sender(brokers);
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { lines: child.stdin.take().unwrap(), answers, child, rest: lines.into_iter() }
    }

    /// Sends what comes before a step and was not sent yet; returns when Kafka has it.
    pub fn send_until(&mut self, step: u64) {
        while self.rest.as_slice().first().is_some_and(|line| line.step < step) {
            let line = self.rest.next().unwrap();
            writeln!(self.lines, "{}\t{}", line.topic, line.json).unwrap();
        }
        writeln!(self.lines).unwrap();
        self.lines.flush().unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "ok\n", "the producer has failed");
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
