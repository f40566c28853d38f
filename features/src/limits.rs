//! Bounds on what a stream may make a model hold.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{SerializeStruct, SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};

/// Bounds on what a stream may make a model hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one record.
    pub record: usize,
    /// Fields of the schema.
    pub features: usize,
    /// Categories of one nominal field.
    pub categories: usize,
    /// Classes of the target.
    pub classes: usize,
    /// Bytes of one name of a field, category, class, entity or event: a longer one counts as missing.
    pub text: usize,
    /// Depth of nested objects.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record: 1 << 20, features: 1_000, categories: 100_000, classes: 1_000, text: 1_024, depth: 16 }
    }
}

/// What a saved form with `text` and `depth` begins with, where `record` stood in those that had neither: no record has a
/// limit of 0.
const WITH_TEXT_AND_DEPTH: usize = 0;

/// For people a structure. In a saved form, which has no names, `record`, `features`, `categories`, `classes`; where `text` or
/// `depth` is not the default, [`WITH_TEXT_AND_DEPTH`] before them and those two behind: what was saved without them stays as
/// it was.
impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { record, features, categories, classes, text, depth } = *self;
        let all = [record, features, categories, classes, text, depth];
        if to.is_human_readable() {
            let mut to = to.serialize_struct("Limits", all.len())?;
            for (name, value) in ["record", "features", "categories", "classes", "text", "depth"].into_iter().zip(all) {
                to.serialize_field(name, &value)?;
            }
            return to.end();
        }
        let usual = Self::default();
        let is_usual = (text, depth) == (usual.text, usual.depth);
        let mut to = to.serialize_tuple(if is_usual { 4 } else { 7 })?;
        if !is_usual {
            to.serialize_element(&WITH_TEXT_AND_DEPTH)?;
        }
        for value in if is_usual { &all[..4] } else { &all } {
            to.serialize_element(value)?;
        }
        to.end()
    }
}

impl<'de> Deserialize<'de> for Limits {
    /// Reads the saved form. That for people is never read back.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_tuple(7, Saved)
    }
}

struct Saved;

impl<'de> Visitor<'de> for Saved {
    type Value = Limits;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("limits")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Limits, A::Error> {
        let mut next = || seq.next_element()?.ok_or_else(|| A::Error::custom("limits end too early"));
        let usual = Limits::default();
        match next()? {
            WITH_TEXT_AND_DEPTH => Ok(Limits {
                record: next()?,
                features: next()?,
                categories: next()?,
                classes: next()?,
                text: next()?,
                depth: next()?,
            }),
            record => Ok(Limits { record, features: next()?, categories: next()?, classes: next()?, ..usual }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Around {
        before: u8,
        limits: Limits,
        after: u8,
    }

    fn saved(limits: Limits) -> Vec<u8> {
        postcard::to_stdvec(&Around { before: 7, limits, after: 8 }).unwrap()
    }

    #[test]
    fn what_was_saved_before_text_and_depth_were_limits_stays_as_it_was() {
        let before = postcard::to_stdvec(&(7_u8, (1_usize << 20, 1_000_usize, 100_000_usize, 1_000_usize), 8_u8));
        assert_eq!(saved(Limits::default()), before.unwrap());
    }

    #[test]
    fn every_limit_comes_back() {
        let usual = Limits::default();
        for limits in [
            usual,
            Limits { record: 1, features: 2, categories: 3, classes: 4, ..usual },
            Limits { text: 9, ..usual },
            Limits { depth: 3, ..usual },
            Limits { record: 1, features: 2, categories: 3, classes: 4, text: 5, depth: 6 },
        ] {
            let around = Around { before: 7, limits, after: 8 };
            assert_eq!(postcard::from_bytes::<Around>(&saved(limits)).unwrap(), around);
        }
        assert!(postcard::from_bytes::<Limits>(&[0, 1, 2, 3, 4, 5]).is_err());
    }

    #[test]
    fn people_see_names() {
        let shown = serde_json::to_value(Limits { text: 9, ..Limits::default() }).unwrap();
        assert_eq!((&shown["record"], &shown["text"], &shown["depth"]), (&1_048_576.into(), &9.into(), &16.into()));
    }
}
