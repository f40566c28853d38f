//! "Did you mean …?"

/// The name nearest to a misspelt one, if any is near.
pub fn nearest<'a>(got: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&got.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.chars().count() / 3 + 1 && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// `; did you mean "…"?`, or nothing when no name is near.
pub fn did_you_mean<'a>(got: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(got, names).map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        assert_eq!(did_you_mean("brokres", ["listen", "brokers"]), "; did you mean \"brokers\"?");
        assert_eq!(did_you_mean("Task", ["task"]), "; did you mean \"task\"?");
        assert_eq!(did_you_mean("zebra", ["listen", "brokers", "id"]), "");
    }
}
