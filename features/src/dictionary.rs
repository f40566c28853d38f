//! Names by number: categories of a field, classes of a target.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Names numbered in order of first sight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Box<str>>", into = "Vec<Box<str>>")]
pub struct Dictionary {
    names: Vec<Box<str>>,
    index: HashMap<Box<str>, u32>,
}

impl Dictionary {
    const FEW: usize = 8;

    /// The number of `name`, if it was seen.
    pub fn get(&self, name: &str) -> Option<u32> {
        // Among a few names looking costs less than hashing.
        match self.names.len() {
            0..=Self::FEW => {
                // Names of one field differ most often in their last byte.
                let last = name.as_bytes().last();
                let mut names = self.names.iter().map(|known| &**known);
                names.position(|known| known.as_bytes().last() == last && known == name).map(|number| number as u32)
            }
            _ => self.index.get(name).copied(),
        }
    }

    /// The name with this number.
    pub fn name(&self, number: u32) -> Option<&str> {
        self.names.get(number as usize).map(|name| &**name)
    }

    /// All names in order.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// How many names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(crate) fn insert(&mut self, name: &str) -> u32 {
        let number = self.names.len() as u32;
        self.names.push(name.into());
        self.index.insert(name.into(), number);
        number
    }
}

impl From<Vec<Box<str>>> for Dictionary {
    fn from(names: Vec<Box<str>>) -> Self {
        let index = names.iter().cloned().zip(0..).collect();
        Self { names, index }
    }
}

impl From<Dictionary> for Vec<Box<str>> {
    fn from(dictionary: Dictionary) -> Self {
        dictionary.names
    }
}
