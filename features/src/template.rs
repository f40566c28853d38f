//! The shape of an event: the bytes that stand between its scalars.
//!
//! A producer writes one event like the last. Where the bytes between the scalars are those of an event that was read
//! whole, and each scalar is one by JSON's grammar, the event is the same object with other scalars: nothing else needs to
//! be read. Whatever does not fit is left to the full reader, which also finds what is wrong with it.

use crate::fields::Raw;

/// The bytes before each scalar, and those after the last one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    between: Vec<u8>,
    /// Where each piece of `between` ends.
    ends: Vec<usize>,
}

impl Template {
    /// The shape of a well-formed object of so many scalars; `None` if it holds an array.
    pub(crate) fn of(json: &[u8], scalars: usize) -> Option<Self> {
        let mut template = Self::default();
        let (mut piece, mut at) = (0, 0);
        while let Some(&byte) = json.get(at) {
            let end = match byte {
                b'{' | b'}' | b':' | b',' | b' ' | b'\t' | b'\r' | b'\n' => {
                    at += 1;
                    continue;
                }
                b'[' => return None,
                b'"' => {
                    let end = string_end(json, at)?;
                    let next = json[end..].iter().find(|byte| !byte.is_ascii_whitespace());
                    if next == Some(&b':') {
                        at = end;
                        continue;
                    }
                    end
                }
                _ => {
                    at + json[at..]
                        .iter()
                        .position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n'))?
                }
            };
            template.push(&json[piece..at]);
            (piece, at) = (end, end);
        }
        template.push(&json[piece..]);
        (template.ends.len() == scalars + 1).then_some(template)
    }

    fn push(&mut self, piece: &[u8]) {
        self.between.extend_from_slice(piece);
        self.ends.push(self.between.len());
    }

    /// Appends the scalars of an object of this shape. `false` if it is none, or holds a scalar that takes more than a
    /// glance; some may have been appended then.
    pub(crate) fn read(&self, json: &[u8], text: &mut String, values: &mut Vec<Raw>) -> bool {
        let mut rest = json;
        let mut from = 0;
        let (last, before) = self.ends.split_last().expect("there is a piece after the last scalar");
        for &to in before {
            let Some((piece, scalar)) = rest.split_at_checked(to - from) else { return false };
            if !same(piece, &self.between[from..to]) {
                return false;
            }
            let Some((value, length)) = scalar_of(scalar, text) else { return false };
            values.push(value);
            (rest, from) = (&scalar[length..], to);
        }
        *rest == self.between[from..*last]
    }
}

/// Whether two pieces of one length are the same. They are short: most are told apart by two comparisons, for less than
/// it costs to call `memcmp`.
fn same(a: &[u8], b: &[u8]) -> bool {
    let (Some((first, _)), Some((_, last))) = (a.split_first_chunk::<8>(), a.split_last_chunk::<8>()) else {
        return a.iter().zip(b).all(|(a, b)| a == b);
    };
    b.starts_with(first) && b.ends_with(last) && (a.len() <= 16 || a[8..a.len() - 8] == b[8..b.len() - 8])
}

/// One past the closing quote of the string that begins at `from`.
fn string_end(json: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The scalar that `bytes` begin with, and its length.
fn scalar_of(bytes: &[u8], text: &mut String) -> Option<(Raw, usize)> {
    match bytes.first()? {
        b'"' => {
            let inner = &bytes[1..];
            let length = inner.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            if inner[length] != b'"' {
                return None;
            }
            let from = text.len() as u32;
            text.push_str(std::str::from_utf8(&inner[..length]).ok()?);
            Some((Raw::Text(from, text.len() as u32), length + 2))
        }
        b't' => bytes.starts_with(b"true").then_some((Raw::Bool(true), 4)),
        b'f' => bytes.starts_with(b"false").then_some((Raw::Bool(false), 5)),
        b'n' => bytes.starts_with(b"null").then_some((Raw::Null, 4)),
        _ => number(bytes).map(|(x, length)| (Raw::Number(x), length)),
    }
}

/// 10^0 ..= 10^22: exact in 64-bit floating point.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The number by JSON's grammar that `bytes` begin with, correctly rounded, and its length. `None` if it is no number or
/// beyond floating point.
fn number(bytes: &[u8]) -> Option<(f64, usize)> {
    let digits = |from: usize, mantissa: &mut u64| {
        let mut at = from;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        (at > from).then_some(at)
    };
    let mut mantissa = 0;
    let negative = bytes.first() == Some(&b'-');
    let first = usize::from(negative);
    let mut at = digits(first, &mut mantissa)?;
    if bytes[first] == b'0' && at > first + 1 {
        return None;
    }
    let mut decimals = 0;
    let mut count = at - first;
    if bytes.get(at) == Some(&b'.') {
        let end = digits(at + 1, &mut mantissa)?;
        decimals = end - at - 1;
        count += decimals;
        at = end;
    }
    let exponent = matches!(bytes.get(at), Some(b'e' | b'E'));
    if exponent {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits(at + 1 + sign, &mut 0)?;
    }
    // A whole number below 2^53 divided by an exact power of ten: one rounding, hence the right one (Clinger 1990).
    let x = if !exponent && count <= 19 && mantissa < 1 << 53 && decimals <= 22 {
        let whole = mantissa as f64;
        let x = if decimals == 0 { whole } else { whole / POWERS[decimals] };
        if negative { -x } else { x }
    } else {
        fast_float2::parse(&bytes[..at]).ok()?
    };
    x.is_finite().then_some((x, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(json: &str, scalars: usize) -> Option<Vec<String>> {
        let template = Template::of(json.as_bytes(), scalars)?;
        let mut from = 0;
        let piece = |&to: &usize| {
            let piece = String::from_utf8(template.between[std::mem::replace(&mut from, to)..to].to_vec());
            piece.unwrap()
        };
        Some(template.ends.iter().map(piece).collect())
    }

    #[test]
    fn keys_and_brackets_are_shape_and_scalars_are_not() {
        let json = r#"{"a": 1,"b":{"c":"x\"}","d":null}, "e\"":true }"#;
        let pieces = [r#"{"a": "#, r#","b":{"c":"#, r#","d":"#, r#"}, "e\"":"#, " }"];
        assert_eq!(shape(json, 4).unwrap(), pieces);
        assert_eq!(shape("{}", 0).unwrap(), ["{}"]);
        assert_eq!(shape(r#"{"a":[1]}"#, 0), None);
    }

    #[test]
    fn what_is_no_number_by_jsons_grammar_is_none() {
        for text in ["", "-", "+1", "01", "-01", ".5", "1.", "1.e3", "1e", "1e+", "NaN", "inf", "1e999", "-1e999"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
        for (text, x) in [("-0", -0.0), ("0.5,", 0.5), ("12}", 12.0), ("1E-2", 0.01), ("1e-999", 0.0)] {
            assert_eq!(number(text.as_bytes()).map(|(x, _)| x.to_bits()), Some(f64::to_bits(x)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_same_if_all_their_bytes_are(a in "[ab]{0,40}", at in 0_usize..40) {
            prop_assert!(same(a.as_bytes(), a.as_bytes()));
            let mut b = a.clone().into_bytes();
            if let Some(byte) = b.get_mut(at) {
                *byte ^= 1;
                prop_assert!(!same(a.as_bytes(), &b));
            }
        }

        #[test]
        fn numbers_are_what_the_full_reader_makes_of_them(text in r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
            let full = serde_json::from_str::<f64>(&text).ok().filter(|x| x.is_finite());
            let here = number(text.as_bytes());
            prop_assert_eq!(here.map(|(x, _)| x.to_bits()), full.map(f64::to_bits));
            prop_assert!(here.is_none_or(|(_, length)| length == text.len()));
        }
    }
}
