//! What a state is saved as.

use learners::Section;

/// A section that was saved before and cannot have changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// As [`Section::name`].
    pub name: String,
    /// As [`Section::version`].
    pub version: u16,
    /// What is known of its bytes.
    pub sealed: Sealed,
}

/// What is known of bytes that are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// How many.
    pub length: u64,
    /// Their blake3.
    pub hash: [u8; 32],
}

/// The sections of a state.
#[derive(Debug, Default)]
pub struct Sections {
    /// With their bytes.
    pub whole: Vec<Section>,
    /// Only named. Without [`Sections::leaving_out`] there are none.
    pub unchanged: Vec<Unchanged>,
    sealed_from: Option<usize>,
}

impl Sections {
    /// None yet. Those that never change again, of so many bytes or more, will be named alone from their second time on.
    pub fn leaving_out(sealed_from: usize) -> Self {
        Self { sealed_from: Some(sealed_from), ..Self::default() }
    }

    /// Puts one there.
    pub(crate) fn push(&mut self, section: Section) {
        self.whole.push(section);
    }

    /// Puts one there that will never change. `sealed` is its own, empty until it was saved once.
    pub(crate) fn push_sealed(
        &mut self,
        (name, version): (String, u16),
        sealed: &std::sync::OnceLock<Sealed>,
        section: impl FnOnce(&str, u16) -> Section,
    ) {
        match (self.sealed_from, sealed.get()) {
            (Some(_), Some(sealed)) => self.unchanged.push(Unchanged { name, version, sealed: *sealed }),
            (sealed_from, _) => {
                let section = section(&name, version);
                if sealed_from.is_some_and(|from| section.bytes.len() >= from) {
                    sealed.get_or_init(|| Sealed {
                        length: section.bytes.len() as u64,
                        hash: *blake3::hash(&section.bytes).as_bytes(),
                    });
                }
                self.whole.push(section);
            }
        }
    }

    /// Names those that `save` puts there so that they begin with `prefix`.
    pub(crate) fn behind(&mut self, prefix: &str, save: impl FnOnce(&mut Self)) {
        let (whole, unchanged) = (self.whole.len(), self.unchanged.len());
        save(self);
        self.whole[whole..].iter_mut().for_each(|section| section.name.insert_str(0, prefix));
        self.unchanged[unchanged..].iter_mut().for_each(|section| section.name.insert_str(0, prefix));
    }
}
