//! A section is a table of its keys: what each is called and how it is read. Adding an option is one line.

use super::error::ConfigError;
use super::suggest::did_you_mean;
use super::tree::{Node, Value};

/// What reading a value may find wrong.
pub(super) type Found = Result<(), Vec<ConfigError>>;

/// A key of a section of type `T`.
pub(super) struct Key<T> {
    pub name: &'static str,
    required: bool,
    read: fn(&mut T, &Node) -> Found,
}

/// A key with a default.
pub(super) const fn key<T>(name: &'static str, read: fn(&mut T, &Node) -> Found) -> Key<T> {
    Key { name, required: false, read }
}

/// A key without a default.
pub(super) const fn required<T>(name: &'static str, read: fn(&mut T, &Node) -> Found) -> Key<T> {
    Key { name, required: true, read }
}

/// A key whose feature is still to come. It is never accepted silently.
pub(super) const fn later<T>(name: &'static str) -> Key<T> {
    key(name, |_, node| Err(node.error("not available in this release").into()))
}

/// Puts a value in its place, unless it is wrong.
pub(super) fn set<V>(slot: &mut V, value: Result<V, impl Into<Vec<ConfigError>>>) -> Found {
    *slot = value.map_err(Into::into)?;
    Ok(())
}

/// Reads every key of `table` into `section`, collecting all errors: unknown keys, missing keys, bad values.
pub(super) fn walk<T>(keys: &[Key<T>], section: &mut T, table: &Node) -> Found {
    let table = &table.typed();
    let Value::Table(entries) = &table.value else {
        return Err(table.error(format!("expected a table, got {}", table.shown())).into());
    };
    let mut errors = Vec::new();
    for entry in entries {
        match keys.iter().find(|key| key.name == entry.key) {
            Some(key) => errors.extend((key.read)(section, &entry.node).err().unwrap_or_default()),
            None => {
                let suggestion = did_you_mean(&entry.key, keys.iter().map(|key| key.name));
                errors.push(ConfigError::new(&entry.at, &entry.node.path, format!("unknown key{suggestion}")));
            }
        }
    }
    for key in keys.iter().filter(|key| key.required && table.get(key.name).is_none()) {
        errors.push(ConfigError::new(&table.at, &table.path_of(key.name), "missing"));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
