//! Where the records of a simulated world go: a file of JSON lines, a table, or a topic.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use features::{Fields, Value};
use flate2::Compression;
use flate2::write::GzEncoder;
use simulations::Event;
use streams::{Admin, Outgoing, Producer, SinkError};

use crate::cli::CliError;

/// How long Kafka may take to accept what was sent.
const WITHIN: Duration = Duration::from_secs(30);

/// Takes records one by one.
pub(super) struct Sink {
    /// A file's path, or topic and brokers.
    name: String,
    to: To,
}

enum To {
    Lines(Bytes),
    Table { out: Box<csv::Writer<Bytes>>, fields: Fields, header: bool },
    Topic(Producer),
}

impl Sink {
    /// A file by its ending; "-" is standard output.
    ///
    /// # Errors
    /// The ending is none of ours, or the file cannot be made.
    pub(super) fn file(path: &Path) -> Result<Self, CliError> {
        let name = path.to_string_lossy().into_owned();
        let (plain, packed) = name.strip_suffix(".gz").map_or((&*name, false), |plain| (plain, true));
        let csv = plain.ends_with(".csv");
        if !(csv || plain.ends_with(".jsonl") || name == "-") {
            return Err(CliError::Usage(format!(
                "expected a file ending in .jsonl, .jsonl.gz, .csv or .csv.gz, got {name:?}"
            )));
        }
        let file = || File::create(path).map(BufWriter::new);
        let bytes = match (name == "-", packed) {
            (true, _) => Ok(Bytes::Standard(io::stdout())),
            (false, false) => file().map(Bytes::Plain),
            (false, true) => file().map(|file| Bytes::Packed(GzEncoder::new(file, Compression::default()))),
        };
        let bytes = bytes.map_err(|error| CliError::Unavailable(format!("{name}: {error}")))?;
        let to = if csv {
            let out = Box::new(csv::Writer::from_writer(bytes));
            To::Table { out, fields: Fields::default(), header: false }
        } else {
            To::Lines(bytes)
        };
        Ok(Self { name, to })
    }

    /// A topic; made with one partition if it does not exist.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub(super) fn topic(brokers: &str, topic: &str) -> Result<Self, CliError> {
        let start = || {
            let admin = Admin::start(brokers, &[])?;
            if !admin.topic_exists(topic)? {
                admin.create_topic(topic, 1, &[])?;
            }
            Producer::start(brokers, &[], topic)
        };
        let producer = start().map_err(|error: SinkError| no_kafka(&error, brokers))?;
        Ok(Self { name: format!("{topic} at {brokers}"), to: To::Topic(producer) })
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has columns, and so no room for what is not JSON.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.to, To::Table { .. })
    }

    /// Takes a record.
    ///
    /// # Errors
    /// File or brokers do not take it.
    pub(super) fn put(&mut self, event: Event) -> Result<(), CliError> {
        let name = &self.name;
        let failed = |error: io::Error| CliError::Unavailable(format!("{name}: {error}"));
        match &mut self.to {
            To::Lines(out) => out.write_all(event.json.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(failed),
            To::Table { out, fields, header } => row(out, fields, header, &event).map_err(failed),
            To::Topic(producer) => {
                let key = (!event.key.is_empty()).then(|| event.key.into_bytes());
                // The record's time is now: by the time within the event, retention would delete it at once.
                let outgoing = Outgoing { key, payload: Some(event.json.into_bytes()), ..Outgoing::default() };
                producer.send(&outgoing, WITHIN).map_err(|error| no_kafka(&error, name))
            }
        }
    }

    /// Returns when everything is where it belongs.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn finish(self) -> Result<(), CliError> {
        let name = &self.name;
        let failed = |error: io::Error| CliError::Unavailable(format!("{name}: {error}"));
        match self.to {
            To::Lines(out) => out.finish().map_err(failed),
            To::Table { out, .. } => {
                out.into_inner().map_err(|error| error.into_error()).and_then(Bytes::finish).map_err(failed)
            }
            To::Topic(producer) => producer.flush(WITHIN).map_err(|error| no_kafka(&error, name)),
        }
    }
}

fn no_kafka(error: &SinkError, brokers: &str) -> CliError {
    CliError::Unavailable(format!("{error} (brokers: {brokers})"))
}

/// All events of a scenario have the same fields in the same order; a missing value is empty.
fn row(out: &mut csv::Writer<Bytes>, fields: &mut Fields, header: &mut bool, event: &Event) -> io::Result<()> {
    fields.parse(event.json.as_bytes()).map_err(io::Error::other)?;
    if !*header {
        out.write_record(fields.iter().map(|(name, _)| name))?;
        *header = true;
    }
    out.write_record(fields.iter().map(|(_, value)| match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(x) => x.to_string(),
        Value::Text(text) => text.to_owned(),
    }))?;
    Ok(())
}

enum Bytes {
    Standard(io::Stdout),
    Plain(BufWriter<File>),
    Packed(GzEncoder<BufWriter<File>>),
}

impl Bytes {
    fn finish(self) -> io::Result<()> {
        match self {
            Self::Standard(mut out) => out.flush(),
            Self::Plain(mut out) => out.flush(),
            Self::Packed(out) => out.finish()?.flush(),
        }
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::Plain(out) => out.write(bytes),
            Self::Packed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::Plain(out) => out.flush(),
            Self::Packed(out) => out.flush(),
        }
    }
}
