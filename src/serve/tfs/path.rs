//! What a path under `/v1/models/` asks for.

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Status,
    Metadata,
    Predict,
    Classify,
    Regress,
}

/// Which version of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which<'a> {
    Live,
    Version(u64),
    Label(&'a str),
}

/// A path taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) model: &'a str,
    pub(super) which: Which<'a>,
    pub(super) action: Action,
}

impl<'a> Asked<'a> {
    /// Takes apart what stands behind `/v1/models/`, percent-decoded. `None` = malformed.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let (path, verb) = match rest.rsplit_once(':') {
            None => (rest, None),
            Some((path, verb)) => (path, Some(verb)),
        };
        let mut parts = path.split('/');
        let model = parts.next().filter(|name| !name.is_empty() && !name.contains(':'))?;
        let mut next = parts.next();
        let which = match next {
            Some("versions") => Which::Version(version(parts.next()?)?),
            Some("labels") => Which::Label(parts.next().filter(|label| !label.is_empty())?),
            _ => Which::Live,
        };
        if which != Which::Live {
            next = parts.next();
        }
        let action = match (next, verb) {
            (None, None) => Action::Status,
            (Some("metadata"), None) => Action::Metadata,
            (None, Some("predict")) => Action::Predict,
            (None, Some("classify")) => Action::Classify,
            (None, Some("regress")) => Action::Regress,
            _ => return None,
        };
        parts.next().is_none().then_some(Self { model, which, action })
    }
}

fn version(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_mean_what_they_mean_to_tf_serving() {
        let asked = |model, which, action| Some(Asked { model, which, action });
        let cases = [
            ("m", asked("m", Which::Live, Action::Status)),
            ("m/metadata", asked("m", Which::Live, Action::Metadata)),
            ("m/versions/12", asked("m", Which::Version(12), Action::Status)),
            ("m/versions/12/metadata", asked("m", Which::Version(12), Action::Metadata)),
            ("m/labels/stable:predict", asked("m", Which::Label("stable"), Action::Predict)),
            ("m/versions/0:predict", asked("m", Which::Version(0), Action::Predict)),
            ("m:predict", asked("m", Which::Live, Action::Predict)),
            ("m:classify", asked("m", Which::Live, Action::Classify)),
            ("m:regress", asked("m", Which::Live, Action::Regress)),
        ];
        for (path, expected) in cases {
            assert_eq!(Asked::parse(path), expected, "{path}");
        }
        let malformed = [
            "",
            ":predict",
            "m:",
            "m:explain",
            "m:predict/",
            "a:b:predict",
            "m/",
            "m/version/50",
            "m/versions/HELLO",
            "m/versions/+1",
            "m/versions/",
            "m/versions",
            "m/labels/",
            "m/versions/1/labels/x:predict",
            "m/metadata:predict",
            "m/metadata/x",
            "m/versions/99999999999999999999",
        ];
        for path in malformed {
            assert_eq!(Asked::parse(path), None, "{path}");
        }
    }
}
