//! Who may be listened to.

use std::net::SocketAddr;

/// Whether `addr` may be listened on: loopback always, any other address with a token or `--insecure` only.
///
/// # Errors
/// What to do about it.
pub fn listen_allowed(addr: SocketAddr, token: Option<&str>, insecure: bool) -> Result<(), String> {
    if addr.ip().is_loopback() || insecure || token.is_some_and(|token| !token.is_empty()) {
        return Ok(());
    }
    Err(format!(
        "http.listen: {addr} can be reached from other machines: set http.token_file, listen on 127.0.0.1, or pass --insecure"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_addresses_than_loopback_need_a_token_or_a_word() {
        let addr = |text: &str| text.parse::<SocketAddr>().unwrap();
        for loopback in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
            assert_eq!(listen_allowed(addr(loopback), None, false), Ok(()));
        }
        for open in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1"] {
            assert!(listen_allowed(addr(open), None, false).unwrap_err().contains(open));
            assert!(listen_allowed(addr(open), Some(""), false).is_err(), "an empty token is none");
            assert_eq!(listen_allowed(addr(open), Some("secret"), false), Ok(()));
            assert_eq!(listen_allowed(addr(open), None, true), Ok(()));
        }
    }
}
