//! `${VAR}`, `${VAR:-default}` and `${VAR:?message}` in texts; `$${` is a plain `${`.

/// Fills in variables. What they hold is taken as it is, never as TOML and never filled in again.
///
/// # Errors
/// A variable that is not set and has no default, or an unfinished `${`.
pub(super) fn interpolate(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) = (&rest[..start], &rest[start + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let end =
            after.find('}').ok_or_else(|| "\"${\" without \"}\"; write \"$${\" for the plain characters".to_owned())?;
        out.push_str(&variable(&after[..end], env)?);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn variable(inside: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, otherwise) = match inside.split_once(':') {
        Some((name, otherwise)) => (name, Some(otherwise)),
        None => (inside, None),
    };
    let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(named) {
        return Err(format!("expected ${{VAR}}, ${{VAR:-default}} or ${{VAR:?message}}, got ${{{inside}}}"));
    }
    // As in a shell, ":" counts an empty variable as not set.
    let value = env(name).filter(|value| otherwise.is_none() || !value.is_empty());
    match (value, otherwise) {
        (Some(value), _) => Ok(value),
        (None, None) => Err(format!("environment variable {name} is not set; ${{{name}:-default}} gives a default")),
        (None, Some(otherwise)) => match (otherwise.strip_prefix('-'), otherwise.strip_prefix('?')) {
            (Some(default), _) => Ok(default.to_owned()),
            (_, Some(message)) => Err(format!("environment variable {name} is not set: {message}")),
            _ => Err(format!("expected ${{{name}:-default}} or ${{{name}:?message}}, got ${{{inside}}}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, String> {
        interpolate(text, &|name| match name {
            "HOST" => Some("broker".into()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${HOST}".into()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_filled_in() {
        assert_eq!(fill("${HOST}:9092,${HOST}:9093").unwrap(), "broker:9092,broker:9093");
        assert_eq!(fill("${NO:-a:b}${EMPTY:-c}").unwrap(), "a:bc");
        assert_eq!(fill("[${EMPTY}]").unwrap(), "[]");
        assert_eq!(fill("$${HOST} $HOST").unwrap(), "${HOST} $HOST");
        assert_eq!(fill("${NESTED}").unwrap(), "${HOST}", "what a variable holds is not filled in again");
    }

    #[test]
    fn what_cannot_be_filled_in_is_said() {
        assert_eq!(fill("${NO}").unwrap_err(), "environment variable NO is not set; ${NO:-default} gives a default");
        assert_eq!(fill("${NO:?set it}").unwrap_err(), "environment variable NO is not set: set it");
        assert!(fill("${HOST").unwrap_err().contains("without"));
        assert!(fill("${a b}").unwrap_err().starts_with("expected"));
        assert!(fill("${NO:x}").unwrap_err().starts_with("expected"));
    }
}
