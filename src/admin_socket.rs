//! The socket in the state folder through which a command reaches the process that owns it. Who may write to the folder
//! may ask. One [`StateChange`] as a line of JSON there; `{"Ok": what came of it}` or `{"Err": why not}` back.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use tracing::warn;

use crate::state_change::StateChange;

const NAME: &str = "ADMIN";
/// Bytes of a request, and of an answer, at most.
const LONGEST: u64 = 64 << 10;
/// A command has its request ready when it connects.
const ASKS_WITHIN: Duration = Duration::from_secs(2);
/// The model finishes, is changed and is opened again.
const ANSWERS_WITHIN: Duration = Duration::from_secs(300);

/// The owner's end.
#[derive(Debug)]
pub struct AdminSocket(UnixListener);

impl AdminSocket {
    /// Makes it in a state folder that this process owns.
    ///
    /// # Errors
    /// The file system refuses; its path is longer than that of a socket may be (107 bytes).
    pub fn bind(folder: &Path) -> io::Result<Self> {
        let path = folder.join(NAME);
        // An earlier owner's, who was killed.
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Has a request answered, if one waits.
    pub fn attend(&self, answer: impl FnOnce(&StateChange) -> anyhow::Result<String>) {
        let Ok((stream, _)) = self.0.accept() else { return };
        if let Err(e) = reply(stream, answer) {
            warn!("a command that asked through the state folder got no answer: {e}");
        }
    }
}

fn reply(mut stream: UnixStream, answer: impl FnOnce(&StateChange) -> anyhow::Result<String>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(ASKS_WITHIN))?;
    stream.set_write_timeout(Some(ASKS_WITHIN))?;
    let mut line = String::new();
    BufReader::new((&stream).take(LONGEST)).read_line(&mut line)?;
    let answer = match serde_json::from_str(&line) {
        Ok(change) => answer(&change).map_err(|e| format!("{e:#}")),
        Err(e) => Err(format!("expected a change of state as one line of JSON: {e}")),
    };
    writeln!(stream, "{}", serde_json::to_string(&answer)?)
}

/// Has the process that owns a state folder change it; `None`: it takes no requests. Returns its answer.
///
/// # Errors
/// It does not answer in time.
pub fn ask(folder: &Path, change: &StateChange) -> io::Result<Option<Result<String, String>>> {
    let Ok(mut stream) = UnixStream::connect(folder.join(NAME)) else { return Ok(None) };
    stream.set_write_timeout(Some(ASKS_WITHIN))?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    writeln!(stream, "{}", serde_json::to_string(change)?)?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
    Ok(Some(serde_json::from_str(&line)?))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::state_change::NewState;

    #[test]
    fn a_request_is_answered_and_nonsense_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let change = StateChange { model: "m".into(), to: NewState::Nothing };
        assert_eq!(ask(folder.path(), &change).unwrap(), None);
        drop(AdminSocket::bind(folder.path()).unwrap());
        assert_eq!(ask(folder.path(), &change).unwrap(), None, "its owner has gone");
        let socket = AdminSocket::bind(folder.path()).unwrap();
        socket.attend(|_| unreachable!("nobody asks"));
        let path = folder.path().to_owned();
        let asking = thread::spawn(move || {
            let answer = ask(&path, &change).unwrap();
            let mut stream = UnixStream::connect(path.join(NAME)).unwrap();
            stream.write_all(b"{}\n").unwrap();
            let mut told = String::new();
            stream.read_to_string(&mut told).unwrap();
            (answer, told)
        });
        while !asking.is_finished() {
            socket.attend(|change| anyhow::bail!("no state of {}", change.model));
            thread::yield_now();
        }
        let (answer, told) = asking.join().unwrap();
        assert_eq!(answer, Some(Err("no state of m".into())));
        assert!(told.contains("missing field `model`"), "{told}");
    }
}
