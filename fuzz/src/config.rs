//! Configuration files, and the environment laid over them.
//!
//! Input: the file's text; behind a zero byte lines `NAME=value` of the environment.

use std::collections::BTreeMap;

use perennial::config::Config;

/// Nothing panics; every error says something; the same text is read the same way.
pub fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0).map(String::from_utf8_lossy);
    let text = parts.next().unwrap_or_default();
    let lines = parts.next().unwrap_or_default();
    let env: BTreeMap<String, String> = lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    match (Config::parse(&text, &env), Config::parse(&text, &env)) {
        (Ok(config), Ok(again)) => {
            assert!(!config.models.is_empty());
            assert!(config == again);
        }
        (Err(errors), Err(again)) => {
            assert!(!errors.is_empty());
            let said: Vec<String> = errors.iter().map(|error| format!("{error:?}")).collect();
            assert_eq!(said, again.iter().map(|error| format!("{error:?}")).collect::<Vec<_>>());
        }
        _ => panic!("the same text is read in two ways"),
    }
}
