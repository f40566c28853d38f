//! A model's history on disk: one file, replaced as a whole. Damaged or of another layout: begun anew.

use std::fs;
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::model::ModelHistory;

const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Out<'a> {
    format: u32,
    history: &'a ModelHistory,
}

#[derive(Deserialize)]
struct In {
    format: u32,
    history: ModelHistory,
}

fn path(folder: &Path, model: &str) -> PathBuf {
    folder.join(format!("{model}.json"))
}

/// What was saved of a model; `None` if nothing was.
///
/// # Errors
/// It cannot be read, or makes no sense.
pub(super) fn read(folder: &Path, model: &str) -> io::Result<Option<ModelHistory>> {
    let file = match fs::File::open(path(folder, model)) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let saved: In = serde_json::from_reader(BufReader::new(file))?;
    if saved.format != FORMAT {
        return Err(io::Error::other(format!("format {}, expected {FORMAT}", saved.format)));
    }
    Ok(Some(saved.history))
}

/// Saves a model's history in place of what was saved before. Not fsynced: it is a cache.
///
/// # Errors
/// The file system refuses.
pub(super) fn write(folder: &Path, model: &str, history: &ModelHistory) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = BufWriter::new(NamedTempFile::new_in(folder)?);
    serde_json::to_writer(&mut file, &Out { format: FORMAT, history })?;
    file.flush()?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(path(folder, model)).map_err(|e| e.error)?;
    Ok(())
}

/// Takes away what was saved of a model.
///
/// # Errors
/// The file system refuses.
pub(super) fn remove(folder: &Path, model: &str) -> io::Result<()> {
    match fs::remove_file(path(folder, model)) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Sample, Truth};

    #[test]
    fn what_was_saved_is_read_and_damage_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("history");
        assert_eq!(read(&folder, "air").unwrap(), None);
        let mut history = ModelHistory::default();
        for at_ms in (0..100_000).step_by(250) {
            history.tiers.push(&Sample { at_ms, loss: [("a".into(), 0.1)].into(), ..Sample::default() });
        }
        history.add_truth(Truth { at_event: 3, at_ms: 4, kind: "abrupt".into() });
        write(&folder, "air", &history).unwrap();
        write(&folder, "air", &history).unwrap();
        assert_eq!(read(&folder, "air").unwrap(), Some(history));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left there");

        let text = fs::read_to_string(path(&folder, "air")).unwrap();
        fs::write(path(&folder, "air"), &text[..text.len() / 2]).unwrap();
        assert!(read(&folder, "air").is_err());
        fs::write(path(&folder, "air"), text.replace("\"format\":1", "\"format\":9")).unwrap();
        assert!(read(&folder, "air").unwrap_err().to_string().contains("format 9"));
    }
}
