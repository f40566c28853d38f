//! The closed list of detectors: what each is called and costs, and how it is built.

use crate::catalog::ParamInfo;
use crate::{Adwin, Auto, Detector, LearnerSpec, Params, RestoreError, Section, Signal, SpecError};

/// A detector for people.
#[derive(Clone, Copy, Debug)]
pub struct DetectorEntry {
    /// The name in a configuration.
    pub name: &'static str,
    /// The idea in a sentence.
    pub idea: &'static str,
    /// Time a loss and memory, roughly.
    pub cost: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// Its parameters.
    pub params: &'static [ParamInfo],
}

/// Every detector, in the order people read them.
pub const DETECTORS: &[DetectorEntry] = &[
    AUTO,
    DetectorEntry {
        name: "adwin",
        idea: "a window of losses that is cut where its older and newer part differ too much",
        cost: "about 20 ns a loss, 104 bytes for each doubling of the window",
        paper: "Bifet & Gavaldà 2007",
        params: &[
            ParamInfo { name: "delta", range: "1e-12..0.5", default: "0.002", help: "chance of a false cut" },
            ParamInfo {
                name: "warning_delta",
                range: "delta..0.9",
                default: "10 * delta",
                help: "chance of a false warning",
            },
        ],
    },
];

const AUTO: DetectorEntry = DetectorEntry {
    name: "auto",
    idea: "likelihood ratio of the loss before and after every moment, guarded against autocorrelation and seasons",
    cost: "about 100 ns a loss, 3.2 KiB and 56 bytes for each doubling of the losses since the last change",
    paper: "docs/benchmarks.md, section Decay detectors",
    params: &[
        ParamInfo { name: "budget", range: "1e3..1e12", default: "1000000", help: "losses for one false alarm" },
        ParamInfo { name: "min_effect", range: "0..0.5", default: "0.01", help: "the least rise that counts" },
    ],
};

/// Any detector of the catalog.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are the catalog's names")]
pub enum AnyDetector {
    Auto(Box<Auto>),
    Adwin(Adwin),
}

impl AnyDetector {
    /// Builds the detector that `name:key=value,…` names.
    ///
    /// # Errors
    /// An unknown name or parameter, a value out of range.
    pub fn build(text: &str) -> Result<Self, SpecError> {
        let spec: LearnerSpec = text.parse()?;
        let entry = DETECTORS.iter().find(|entry| entry.name == spec.name).ok_or_else(|| {
            let known: Vec<_> = DETECTORS.iter().map(|entry| entry.name).collect();
            SpecError::UnknownDetector { name: spec.name.clone(), known: known.join(", ") }
        })?;
        let names: Vec<_> = entry.params.iter().map(|p| p.name).collect();
        if let Some(name) = spec.params.keys().find(|key| !names.contains(&key.as_str())) {
            let (learner, name, known) = (spec.name.clone(), name.clone(), names.join(", "));
            return Err(SpecError::UnknownParam { learner, name, known });
        }
        let params = Params::new(&spec, 0, 0);
        Ok(match entry.name {
            "auto" => {
                let budget = params.number("budget", Auto::BUDGET, 1e3, 1e12)?;
                let min_effect = params.number("min_effect", Auto::MIN_EFFECT, 0.0, 0.5)?;
                Self::Auto(Box::new(Auto::new(budget, min_effect)))
            }
            "adwin" => {
                let delta = params.number("delta", Adwin::DELTA, 1e-12, 0.5)?;
                let ratio = Adwin::WARNING_DELTA / Adwin::DELTA;
                let warning_delta = params.number("warning_delta", (delta * ratio).min(0.9), delta, 0.9)?;
                Self::Adwin(Adwin::new(delta, warning_delta))
            }
            _ => unreachable!("every entry of the catalog is built above"),
        })
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Auto(auto) => auto.bytes(),
            Self::Adwin(adwin) => adwin.bytes(),
        }
    }

    /// Appends the saved form: one section named after the detector.
    pub fn save(&self, out: &mut Vec<Section>) {
        out.push(match self {
            Self::Auto(auto) => Section::of("auto", 1, auto),
            Self::Adwin(adwin) => Section::of("adwin", 1, adwin),
        });
    }

    /// Takes over the state that [`AnyDetector::save`] wrote; `self` is freshly built from the same text.
    ///
    /// # Errors
    /// A section that is missing, of an unknown version, or unreadable.
    pub fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        match self {
            Self::Auto(auto) => *auto = Section::read(sections, "auto", 1)?,
            Self::Adwin(adwin) => *adwin = Section::read(sections, "adwin", 1)?,
        }
        Ok(())
    }
}

impl Detector for AnyDetector {
    fn update(&mut self, loss: f64) -> Signal {
        match self {
            Self::Auto(auto) => auto.update(loss),
            Self::Adwin(adwin) => adwin.update(loss),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_detector_is_built_with_its_defaults() {
        for entry in DETECTORS {
            assert!(AnyDetector::build(entry.name).is_ok(), "{}", entry.name);
        }
        assert!(AnyDetector::build("adwin:delta=0.01,warning_delta=0.05").is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text| AnyDetector::build(text).unwrap_err().to_string();
        assert_eq!(error("adwim"), "unknown detector \"adwim\"; there are: auto, adwin");
        assert_eq!(error("adwin:beta=1"), "adwin has no parameter \"beta\"; it has: delta, warning_delta");
        assert_eq!(
            error("adwin:delta=0.1,warning_delta=0.05"),
            "adwin: warning_delta must be a number from 0.1 to 0.9, got \"0.05\""
        );
    }
}
