//! A row of CSV as a JSON object: numbers as numbers, empty cells as null, everything else as text.

use std::io::Write;

/// The header's names, ready to be written in front of each cell.
pub(crate) struct Header {
    keys: Vec<Vec<u8>>,
}

impl Header {
    /// Names in order; spaces around them do not count.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a [u8]>) -> Self {
        let key = |name: &[u8]| {
            let mut key = Vec::new();
            write_text(name.trim_ascii(), &mut key);
            key.push(b':');
            key
        };
        Self { keys: names.map(key).collect() }
    }

    /// One row as an object with the header's names in the header's order.
    pub(crate) fn object<'a>(&self, cells: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut json = vec![b'{'];
        for (key, cell) in self.keys.iter().zip(cells) {
            if json.len() > 1 {
                json.push(b',');
            }
            json.extend_from_slice(key);
            write_cell(cell, &mut json);
        }
        json.push(b'}');
        json
    }
}

/// Infinities become `1e999`, a number no model can use; NaN says that there is no number, so it becomes null.
fn write_cell(cell: &[u8], json: &mut Vec<u8>) {
    let trimmed = cell.trim_ascii();
    if trimmed.is_empty() {
        json.extend_from_slice(b"null");
    } else if is_json_number(trimmed) {
        json.extend_from_slice(trimmed);
    } else {
        match std::str::from_utf8(trimmed).ok().and_then(|text| text.parse::<f64>().ok()) {
            None => write_text(cell, json),
            Some(x) if x.is_nan() => json.extend_from_slice(b"null"),
            Some(x) if x.is_infinite() => json.extend_from_slice(if x > 0.0 { b"1e999" } else { b"-1e999" }),
            Some(x) => write!(json, "{x:?}").expect("a Vec grows"),
        }
    }
}

fn write_text(text: &[u8], json: &mut Vec<u8>) {
    serde_json::to_writer(json, &String::from_utf8_lossy(text)).expect("a Vec grows, and text is JSON");
}

/// RFC 8259: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
fn is_json_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, mut rest) = split_digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return false;
    }
    if let Some(after) = rest.strip_prefix(b".") {
        let (digits, after) = split_digits(after);
        if digits.is_empty() {
            return false;
        }
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let after = after.strip_prefix(b"+").or_else(|| after.strip_prefix(b"-")).unwrap_or(after);
        let (digits, after) = split_digits(after);
        return !digits.is_empty() && after.is_empty();
    }
    rest.is_empty()
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, from_slice};

    use super::*;

    fn cell(cell: &str) -> String {
        let mut json = Vec::new();
        write_cell(cell.as_bytes(), &mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn every_usual_spelling_of_a_number_is_a_number() {
        let same = ["0", "-0", "12", "1.50", "-1e5", "1E+05", "123456789012345678901234567890"];
        same.iter().for_each(|text| assert_eq!(cell(text), *text));
        let other =
            [("+1", "1.0"), (".5", "0.5"), ("5.", "5.0"), ("007", "7.0"), (" 1.5 ", "1.5"), ("-.25e2", "-25.0")];
        other.iter().for_each(|(text, json)| assert_eq!(cell(text), *json));
        let none = [("", "null"), ("  ", "null"), ("NaN", "null"), ("inf", "1e999"), ("-Infinity", "-1e999")];
        none.iter().for_each(|(text, json)| assert_eq!(cell(text), *json));
        let text = ["1,5", "1 2", "0x10", "1_000", "e5", "-", ".", "1e", "true", "null", "UP", "1.2.3"];
        text.iter().for_each(|text| assert_eq!(cell(text), format!("{text:?}")));
    }

    proptest! {
        #[test]
        fn what_is_called_a_json_number_is_one(text in "[-+]?[0-9]{0,3}[.]?[0-9]{0,3}([eE][-+]?[0-9]{0,2})?") {
            prop_assert_eq!(is_json_number(text.as_bytes()), from_slice::<Value>(text.as_bytes()).is_ok_and(|v| v.is_number()));
        }

        #[test]
        fn numbers_keep_their_bits(x in any::<f64>().prop_filter("finite", |x| x.is_finite()), form in 0..3) {
            let text = match form { 0 => format!("{x}"), 1 => format!("{x:e}"), _ => format!("+{x}").replace("+-", "-") };
            let value: f64 = serde_json::from_str(&cell(&text)).unwrap();
            prop_assert_eq!(value.to_bits(), x.to_bits());
        }

        #[test]
        fn text_and_names_come_back(name in ".*", text in ".*[^0-9. eE+-].*") {
            prop_assume!(text.trim().parse::<f64>().is_err() && !text.as_bytes().trim_ascii().is_empty());
            let header = Header::new([name.as_bytes(), b"n"].into_iter());
            let object: Value = from_slice(&header.object([text.as_bytes(), b""].into_iter())).unwrap();
            let name = String::from_utf8(name.as_bytes().trim_ascii().to_vec()).unwrap();
            prop_assume!(name != "n");
            prop_assert_eq!(&object[&name], &Value::String(text));
            prop_assert_eq!(&object["n"], &Value::Null);
        }
    }
}
