//! `[http]`: where predictions are served.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::walk::{Key, key, set};

/// How to serve HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// The address. Another than loopback needs a token, or `--insecure`.
    pub listen: SocketAddr,
    /// Where people reach the page, e.g. behind a proxy; `None`: at `listen`.
    pub public_url: Option<String>,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Bytes of a request's body.
    pub max_body: usize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8501)),
            public_url: None,
            token_file: None,
            max_body: 16 << 20,
        }
    }
}

impl HttpConfig {
    /// Reads the token, if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or holds nothing.
    pub fn token(&self) -> io::Result<Option<String>> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let token = fs::read_to_string(path)?.trim().to_owned();
        if token.is_empty() { Err(io::Error::other("it is empty")) } else { Ok(Some(token)) }
    }
}

pub(super) const KEYS: &[Key<HttpConfig>] = &[
    key("listen", |c, n| set(&mut c.listen, n.address())),
    key("public_url", |c, n| set(&mut c.public_url, n.url("https://models.example/"))),
    key("token_file", |c, n| {
        c.token_file = n.maybe()?.map(PathBuf::from);
        c.token().map(drop).map_err(|error| n.error(format!("cannot read {}: {error}", n.shown())).into())
    }),
    key("max_body", |c, n| set(&mut c.max_body, n.size(1 << 10..=1 << 30).map(|x| x as usize))),
];
