//! `PERENNIAL_SECTION__KEY` overrides the file: flags > environment > file.

use std::collections::BTreeMap;

use super::error::{ConfigError, Place};
use super::suggest::{did_you_mean, nearest};
use super::tree::{Entry, Node, Value};

/// This process's environment, as far as it is Unicode.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// Puts every `PERENNIAL_…` variable into the tree. `PERENNIAL_MODELS__AIR_1__SEED` is the seed of `air-1` or `air_1`.
///
/// A name without `__` that is no option of the first level is left alone: a Kubernetes service called "perennial"
/// puts `PERENNIAL_PORT` and the like into every container.
///
/// # Errors
/// A model that the file does not have, or an option of the first level that is misspelt.
pub(super) fn apply(root: &mut Node, env: &BTreeMap<String, String>, top: &[&str]) -> Result<(), Vec<ConfigError>> {
    let mut errors = Vec::new();
    for (variable, text) in env {
        let Some(name) = variable.strip_prefix("PERENNIAL_") else { continue };
        let at = Place::Env(variable.clone());
        let path: Vec<String> = name.split("__").map(str::to_lowercase).collect();
        if path.len() == 1 && !top.contains(&path[0].as_str()) {
            if let Some(near) = nearest(&path[0], top.iter().copied()) {
                let near = near.to_uppercase();
                errors.push(ConfigError::new(&at, "", format!("unknown; did you mean \"PERENNIAL_{near}\"?")));
            }
        } else if path[0] == "models" && path.len() > 1 {
            errors.extend(model(root, &path, &at, text).err());
        } else {
            set(root, &path, &at, text);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn model(root: &mut Node, path: &[String], at: &Place, text: &str) -> Result<(), ConfigError> {
    let names: Vec<String> = match root.get("models").map(|models| &models.value) {
        Some(Value::Table(models)) => models.iter().map(|entry| entry.key.clone()).collect(),
        _ => Vec::new(),
    };
    let name = names.iter().find(|name| name.replace('-', "_") == path[1]).ok_or_else(|| {
        let suggestion = did_you_mean(&path[1], names.iter().map(String::as_str));
        ConfigError::new(at, "", format!("the file has no model {:?}{suggestion}", path[1]))
    })?;
    let mut path = path.to_vec();
    path[1].clone_from(name);
    set(root, &path, at, text);
    Ok(())
}

/// Sets the option at `path`, making the tables on the way.
fn set(table: &mut Node, path: &[String], at: &Place, text: &str) {
    let (key, rest) = path.split_first().expect("a path is not empty");
    let path = table.path_of(key);
    if !matches!(table.value, Value::Table(_)) {
        // A single value where the file should have a table: the walk will say so.
        return;
    }
    let Value::Table(entries) = &mut table.value else { return };
    let place = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
        let node = Node { at: at.clone(), path, value: Value::Table(Vec::new()) };
        entries.push(Entry { key: key.clone(), at: at.clone(), node });
        entries.len() - 1
    });
    let entry = &mut entries[place];
    if rest.is_empty() {
        entry.at = at.clone();
        entry.node.at = at.clone();
        entry.node.value = Value::Raw(text.to_owned());
    } else {
        set(&mut entry.node, rest, at, text);
    }
}
