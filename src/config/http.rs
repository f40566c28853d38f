//! `[http]`: where predictions are served.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::walk::{Key, key, set};

/// How to serve HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// The address. Another than loopback needs a token, or `--insecure`.
    pub listen: SocketAddr,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Bytes of a request's body.
    pub max_body: usize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8501)), token_file: None, max_body: 16 << 20 }
    }
}

impl HttpConfig {
    /// Whether others than this machine can reach it and no token keeps them out.
    pub fn is_open(&self) -> bool {
        self.token_file.is_none() && !self.listen.ip().is_loopback()
    }
}

pub(super) const KEYS: &[Key<HttpConfig>] = &[
    key("listen", |c, n| set(&mut c.listen, n.address())),
    key("token_file", |c, n| {
        c.token_file = n.maybe()?.map(PathBuf::from);
        match &c.token_file {
            Some(path) => match std::fs::read_to_string(path) {
                Ok(token) if token.trim().is_empty() => Err(n.error(format!("{} is empty", n.shown())).into()),
                Ok(_) => Ok(()),
                Err(error) => Err(n.error(format!("cannot read {}: {error}", n.shown())).into()),
            },
            None => Ok(()),
        }
    }),
    key("max_body", |c, n| set(&mut c.max_body, n.size(1 << 10..=1 << 30).map(|x| x as usize))),
];
