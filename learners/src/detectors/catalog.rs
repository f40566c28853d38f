//! The closed list of detectors: what each is called and costs, and how it is built.

use super::auto::Former;
use crate::catalog::ParamInfo;
use crate::{
    Adwin, Auto, Ddm, Detector, HddmA, HddmW, Kswin, LearnerSpec, PageHinkley, Params, RestoreError, RollingLoss,
    Section, Signal, SpecError,
};

/// A detector for people.
#[derive(Clone, Copy, Debug)]
pub struct DetectorEntry {
    /// The name in a configuration, and of its section.
    pub name: &'static str,
    /// The idea in a sentence.
    pub idea: &'static str,
    /// Time a loss and memory, roughly.
    pub cost: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// Whether [`AnyDetector::build_within`] can keep a budget of false alarms with it.
    pub keeps_budget: bool,
    /// How it keeps the budget, or how far it misses one.
    pub budget: &'static str,
    /// Its parameters.
    pub params: &'static [ParamInfo],
}

/// Every detector, in the order people read them.
pub const DETECTORS: &[DetectorEntry] = &[
    Auto::ENTRY,
    Adwin::ENTRY,
    PageHinkley::ENTRY,
    HddmA::ENTRY,
    RollingLoss::ENTRY,
    Ddm::ENTRY,
    HddmW::ENTRY,
    Kswin::ENTRY,
];

/// Any detector of the catalog.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are the catalog's names")]
pub enum AnyDetector {
    Auto(Box<Auto>),
    Adwin(Adwin),
    PageHinkley(PageHinkley),
    HddmA(HddmA),
    RollingLoss(RollingLoss),
    Ddm(Ddm),
    HddmW(HddmW),
    Kswin(Kswin),
}

/// Calls a method of whichever detector it is; `$entry` is its entry.
macro_rules! each {
    ($self:expr, $detector:ident, $entry:ident => $call:expr) => {
        each!(@ $self, $detector, $entry, $call, Auto Adwin PageHinkley HddmA RollingLoss Ddm HddmW Kswin)
    };
    (@ $self:expr, $detector:ident, $entry:ident, $call:expr, $($kind:ident)*) => {
        match $self {
            $(AnyDetector::$kind($detector) => {
                const $entry: DetectorEntry = $kind::ENTRY;
                $call
            })*
        }
    };
}

impl AnyDetector {
    /// Builds the detector that `name:key=value,…` names, its other parameters at the defaults of the literature.
    ///
    /// # Errors
    /// An unknown name or parameter, a value out of range.
    pub fn build(text: &str) -> Result<Self, SpecError> {
        Self::new(text, None)
    }

    /// The same with the threshold that makes one false alarm in `budget` events, unless the text names one. A detector
    /// that cannot keep a budget ([`DetectorEntry::keeps_budget`]) takes its defaults.
    ///
    /// # Errors
    /// As [`AnyDetector::build`].
    pub fn build_within(text: &str, budget: f64) -> Result<Self, SpecError> {
        Self::new(text, Some(budget))
    }

    fn new(text: &str, budget: Option<f64>) -> Result<Self, SpecError> {
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
            "auto" => Self::Auto(Box::new(Auto::build(&params, budget)?)),
            "adwin" => Self::Adwin(Adwin::build(&params, budget)?),
            "page_hinkley" => Self::PageHinkley(PageHinkley::build(&params, budget)?),
            "hddm_a" => Self::HddmA(HddmA::build(&params, budget)?),
            "rolling" => Self::RollingLoss(RollingLoss::build(&params, budget)?),
            "ddm" => Self::Ddm(Ddm::build(&params)?),
            "hddm_w" => Self::HddmW(HddmW::build(&params)?),
            "kswin" => Self::Kswin(Kswin::build(&params)?),
            _ => unreachable!("every entry of the catalog is built above"),
        })
    }

    /// Its entry in the catalog.
    pub fn entry(&self) -> DetectorEntry {
        each!(self, _detector, ENTRY => ENTRY)
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        each!(self, detector, _E => detector.bytes())
    }

    /// Appends the saved form: one section named after the detector.
    pub fn save(&self, out: &mut Vec<Section>) {
        out.push(each!(self, detector, ENTRY => Section::of(ENTRY.name, self.layout(), detector)));
    }

    /// Layout of the saved form.
    fn layout(&self) -> u16 {
        if matches!(self, Self::Auto(_)) { Auto::LAYOUT } else { 1 }
    }

    /// Takes over the state that [`AnyDetector::save`] wrote; `self` is freshly built from the same text.
    ///
    /// # Errors
    /// A section that is missing, of an unknown version, or unreadable.
    pub fn restore(&mut self, sections: &[Section]) -> Result<(), RestoreError> {
        let name = Auto::ENTRY.name;
        if let Self::Auto(auto) = self
            && sections.iter().any(|section| section.name == name && section.version == 1)
        {
            **auto = Section::read::<Former>(sections, name, 1)?.into();
            return Ok(());
        }
        let layout = self.layout();
        each!(self, detector, ENTRY => *detector = Section::read(sections, ENTRY.name, layout)?);
        Ok(())
    }
}

impl Detector for AnyDetector {
    fn update(&mut self, loss: f64) -> Signal {
        each!(self, detector, _E => detector.update(loss))
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
        assert_eq!(
            error("adwim"),
            "unknown detector \"adwim\"; there are: auto, adwin, page_hinkley, hddm_a, rolling, ddm, hddm_w, kswin"
        );
        assert_eq!(error("adwin:beta=1"), "adwin has no parameter \"beta\"; it has: delta, warning_delta");
        assert_eq!(
            error("adwin:delta=0.1,warning_delta=0.05"),
            "adwin: warning_delta must be a number from 0.1 to 0.9, got \"0.05\""
        );
    }
}
