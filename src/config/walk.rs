//! A section is a table of its keys: what each is called and how it is read. Adding an option is one line.

use super::error::ConfigError;
use super::suggest::did_you_mean;
use super::tree::{Node, Value};

/// What reading a value may find wrong.
pub(super) type Found = Result<(), Vec<ConfigError>>;

/// A key of a section of type `T`.
pub(super) struct Key<T> {
    pub name: &'static str,
    /// What to do about it when it is missing and has no default.
    required: Option<&'static str>,
    /// Whether it is still to come.
    later: bool,
    read: fn(&mut T, &Node) -> Found,
}

/// A key with a default.
pub(super) const fn key<T>(name: &'static str, read: fn(&mut T, &Node) -> Found) -> Key<T> {
    Key { name, required: None, later: false, read }
}

/// A key without a default, and what to do when it is missing.
pub(super) const fn required<T>(name: &'static str, hint: &'static str, read: fn(&mut T, &Node) -> Found) -> Key<T> {
    Key { name, required: Some(hint), later: false, read }
}

/// A key whose feature is still to come. It is never accepted silently.
pub(super) const fn later<T>(name: &'static str) -> Key<T> {
    let read = |_: &mut T, node: &Node| Err(node.error("not available in this release").into());
    Key { name, required: None, later: true, read }
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
                let suggestion = did_you_mean(&entry.key, names(keys));
                errors.push(ConfigError::new(&entry.at, &entry.node.path, format!("unknown key{suggestion}")));
            }
        }
    }
    for key in keys.iter().filter(|key| table.get(key.name).is_none()) {
        let missing = |hint| ConfigError::new(&table.at, &table.path_of(key.name), format!("missing; {hint}"));
        errors.extend(key.required.map(missing));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The keys of a section that this release has.
pub(super) fn names<T>(keys: &[Key<T>]) -> impl Iterator<Item = &'static str> {
    keys.iter().filter(|key| !key.later).map(|key| key.name)
}
