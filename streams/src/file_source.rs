//! Files as a source: .csv, .csv.gz, .jsonl and .jsonl.gz, one after the other, as partition 0 of topic 0. A record's offset is its row's
//! number across all files, beginning with 0; headers and empty lines do not count.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use features::{NextOffset, PartitionId, Record};
use flate2::bufread::MultiGzDecoder;

use crate::csv_json::Header;
use crate::{Source, SourceError, SourceEvent};

/// Records of one event.
const BATCH_RECORDS: usize = 1_000;
/// Bytes of one line of JSON.
const LINE_BYTES: usize = 64 << 20;

/// What to read of the files.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileOptions {
    /// At most so many rows; `None` = all.
    pub limit: Option<u64>,
}

/// Reads files in the order given.
pub struct FileSource {
    paths: Vec<PathBuf>,
    options: FileOptions,
    told: bool,
    reading: Option<Rows>,
}

impl FileSource {
    /// Checks that each file can be opened and is of a kind that can be read.
    ///
    /// # Errors
    /// Which file cannot, and why.
    pub fn open(paths: Vec<PathBuf>, options: FileOptions) -> Result<Self, SourceError> {
        paths.iter().try_for_each(|path| Open::file(path).map(drop))?;
        Ok(Self { paths, options, told: false, reading: None })
    }
}

impl Source for FileSource {
    fn poll(&mut self, _wait: Duration) -> Result<Option<SourceEvent>, SourceError> {
        if !self.told {
            self.told = true;
            return Ok(Some(SourceEvent::Discovered { from: PartitionId::default(), start: NextOffset(0) }));
        }
        let Some(rows) = &mut self.reading else { return Ok(None) };
        if let Some(wanted) = rows.skip()? {
            let high = rows.next;
            self.reading = None;
            return Ok(Some(SourceEvent::Gap { from: PartitionId::default(), wanted, low: 0, high }));
        }
        let mut records = Vec::with_capacity(BATCH_RECORDS);
        while records.len() < BATCH_RECORDS {
            let offset = rows.next;
            let Some(payload) = rows.next_row()? else { break };
            records.push(Record { offset, payload: Some(payload.into()), ..Record::default() });
        }
        if records.is_empty() {
            self.reading = None;
            return Ok(Some(SourceEvent::End));
        }
        Ok(Some(SourceEvent::Records(records)))
    }

    fn assign(&mut self, partitions: &[(PartitionId, NextOffset)]) -> Result<(), SourceError> {
        if let Some((_, first)) = partitions.iter().find(|(from, _)| *from == PartitionId::default()) {
            let limit = self.options.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
            let paths = self.paths.clone().into_iter();
            self.reading = Some(Rows { paths, open: None, next: 0, first: first.0, limit });
        }
        Ok(())
    }
}

/// The rows of all files.
struct Rows {
    paths: std::vec::IntoIter<PathBuf>,
    open: Option<Open>,
    next: i64,
    first: i64,
    limit: i64,
}

impl Rows {
    /// Comes to the first row wanted; `Some` = there are not so many rows.
    fn skip(&mut self) -> Result<Option<NextOffset>, SourceError> {
        while self.next < self.first {
            if self.next_row()?.is_none() {
                return Ok(Some(NextOffset(self.first)));
            }
        }
        Ok(None)
    }

    fn next_row(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        while self.next < self.limit {
            let open = match &mut self.open {
                Some(open) => open,
                None => match self.paths.next() {
                    Some(path) => self.open.insert(Open::file(&path)?),
                    None => return Ok(None),
                },
            };
            match open.next_row()? {
                Some(row) => {
                    self.next += 1;
                    return Ok(Some(row));
                }
                None => self.open = None,
            }
        }
        Ok(None)
    }
}

/// One file being read.
struct Open {
    path: PathBuf,
    rows: Kind,
}

enum Kind {
    Csv { reader: Box<csv::Reader<Box<dyn BufRead + Send>>>, header: Header, row: csv::ByteRecord },
    Lines { reader: Box<dyn BufRead + Send>, line: u64 },
}

impl Open {
    fn file(path: &Path) -> Result<Self, SourceError> {
        let failed = |message: String| SourceError::File { path: path.display().to_string(), message };
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let (kind, packed) = name.strip_suffix(".gz").map_or((&*name, false), |inner| (inner, true));
        let csv = match kind.rsplit_once('.') {
            Some((_, "csv")) => true,
            Some((_, "jsonl")) => false,
            _ => return Err(failed("expected .csv, .csv.gz, .jsonl or .jsonl.gz".into())),
        };
        let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(|e| failed(e.to_string()))?);
        let reader: Box<dyn BufRead + Send> = if packed {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        let rows = if csv {
            let mut reader = Box::new(csv::ReaderBuilder::new().from_reader(reader));
            let header = Header::new(reader.byte_headers().map_err(|e| failed(e.to_string()))?.iter());
            Kind::Csv { reader, header, row: csv::ByteRecord::new() }
        } else {
            Kind::Lines { reader, line: 0 }
        };
        Ok(Self { path: path.to_owned(), rows })
    }

    fn next_row(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        let path = &self.path;
        let failed = |message: String| SourceError::File { path: path.display().to_string(), message };
        match &mut self.rows {
            Kind::Csv { reader, header, row } => {
                let some = reader.read_byte_record(row).map_err(|e| failed(e.to_string()))?;
                Ok(some.then(|| header.object(row.iter())))
            }
            Kind::Lines { reader, line } => loop {
                let mut text = Vec::new();
                *line += 1;
                let at = |message: String| failed(format!("line {line}: {message}"));
                let bound = LINE_BYTES as u64 + 1;
                let read = reader.take(bound).read_until(b'\n', &mut text).map_err(|e| at(e.to_string()))?;
                if read > LINE_BYTES {
                    return Err(at(format!("more than {LINE_BYTES} bytes")));
                }
                if *line == 1 && text.starts_with(b"\xef\xbb\xbf") {
                    text.drain(..3);
                }
                text.truncate(text.trim_ascii_end().len());
                if !text.is_empty() {
                    return Ok(Some(text));
                }
                if read == 0 {
                    return Ok(None);
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::TempDir;

    use super::*;

    fn write(dir: &TempDir, name: &str, text: &str) -> PathBuf {
        let path = dir.path().join(name);
        if name.ends_with(".gz") {
            let mut packed = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap();
        } else {
            std::fs::write(&path, text).unwrap();
        }
        path
    }

    /// Everything after `assign` at `first`: the rows as text with their offsets, and how it ended.
    fn read(source: &mut FileSource, first: i64) -> (Vec<(i64, String)>, SourceEvent) {
        source.assign(&[(PartitionId::default(), NextOffset(first))]).unwrap();
        let mut rows = Vec::new();
        loop {
            match source.poll(Duration::ZERO).unwrap() {
                Some(SourceEvent::Records(records)) => rows.extend(
                    records.into_iter().map(|r| (r.offset, String::from_utf8(r.payload.unwrap().to_vec()).unwrap())),
                ),
                Some(end @ (SourceEvent::End | SourceEvent::Gap { .. })) => return (rows, end),
                Some(SourceEvent::Discovered { start, .. }) => assert_eq!(start, NextOffset(0)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn files_of_every_kind_are_one_stream_of_rows() {
        let dir = tempfile::tempdir().unwrap();
        let paths = vec![
            write(&dir, "1.csv", "\u{feff}t, day,\"q\"\"\"\n1.5,mon,\n+2,\"a,\"\"b\",\"x\ny\"\n"),
            write(&dir, "2.jsonl.gz", "\u{feff}{\"t\":1}\r\n\n  \nnot json\n{\"t\":2}"),
            write(&dir, "3.CSV.gz", "t\n\n7\n"),
            write(&dir, "4.csv", "only,a,header\n"),
        ];
        let rows = [
            r#"{"t":1.5,"day":"mon","q\"":null}"#,
            r#"{"t":2.0,"day":"a,\"b","q\"":"x\ny"}"#,
            r#"{"t":1}"#,
            "not json",
            r#"{"t":2}"#,
            r#"{"t":7}"#,
        ];
        let rows: Vec<(i64, String)> = (0..).zip(rows.map(String::from)).collect();
        let mut source = FileSource::open(paths.clone(), FileOptions::default()).unwrap();
        assert!(matches!(source.poll(Duration::ZERO), Ok(Some(SourceEvent::Discovered { .. }))));
        assert_eq!(source.poll(Duration::ZERO).unwrap(), None, "nothing is assigned");
        assert_eq!(read(&mut source, 0), (rows.clone(), SourceEvent::End));
        assert_eq!(source.poll(Duration::ZERO).unwrap(), None);
        assert_eq!(read(&mut source, 4), (rows[4..].to_vec(), SourceEvent::End));
        assert_eq!(read(&mut source, 6), (vec![], SourceEvent::End));
        let gap = SourceEvent::Gap { from: PartitionId::default(), wanted: NextOffset(7), low: 0, high: 6 };
        assert_eq!(read(&mut source, 7), (vec![], gap));
        let mut some = FileSource::open(paths, FileOptions { limit: Some(3) }).unwrap();
        assert_eq!(read(&mut some, 1), (rows[1..3].to_vec(), SourceEvent::End));
    }

    #[test]
    fn long_files_come_in_batches_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let text: String = std::iter::once("n\n".to_owned()).chain((0..2_500).map(|n| format!("{n}\n"))).collect();
        let mut source = FileSource::open(vec![write(&dir, "n.csv", &text)], FileOptions::default()).unwrap();
        let (rows, end) = read(&mut source, 0);
        assert_eq!(end, SourceEvent::End);
        assert!(rows.into_iter().eq((0..2_500).map(|n| (n, format!("{{\"n\":{n}}}")))));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let message = |path: PathBuf| match FileSource::open(vec![path], FileOptions::default()) {
            Err(e) => e.to_string(),
            Ok(mut source) => {
                source.assign(&[(PartitionId::default(), NextOffset(0))]).unwrap();
                let events = std::iter::repeat_with(|| source.poll(Duration::ZERO)).take(5);
                events.filter_map(Result::err).next().expect("it is broken").to_string()
            }
        };
        assert!(message(dir.path().join("none.csv")).contains("none.csv: No such file"));
        assert!(message(write(&dir, "x.parquet", "")).ends_with("expected .csv, .csv.gz, .jsonl or .jsonl.gz"));
        let ragged = message(write(&dir, "ragged.csv", "a,b\n1,2\n3\n"));
        assert!(ragged.contains("ragged.csv") && ragged.contains("line: 3"), "{ragged}");
        std::fs::write(dir.path().join("cut.jsonl.gz"), [0x1f, 0x8b, 8]).unwrap();
        assert!(message(dir.path().join("cut.jsonl.gz")).contains("cut.jsonl.gz: line 1"));
    }
}
