//! Who is put to the test: every entry of the catalog, for each of its tasks, with its parameters moved about.

use features::Task;
use learners::catalog::{ENTRIES, ParamInfo};
use learners::{AnyLearner, LearnerSpec, SpecError};

/// One learner to test.
pub struct Case {
    pub spec: LearnerSpec,
    pub task: Task,
    pub breadth: Breadth,
}

/// How much of the battery a case goes through.
#[derive(Clone, Copy, PartialEq)]
pub enum Breadth {
    /// All streams and a golden hash.
    Full,
    /// The everyday stream and a golden hash.
    Everyday,
    /// A short stream: a parameter at an end of its range.
    Short,
}

/// The budget where a specification names none.
pub const MAX_BYTES: usize = 256 << 20;

/// Parameters without which a learner would not get to do in a short stream what it is there for.
fn base(name: &str) -> &'static str {
    match name {
        "refit" => "window=200,every=150",
        _ => "",
    }
}

impl Case {
    fn new(name: &str, more: &str, task: Task, breadth: Breadth) -> Self {
        let parsed = |params: &str| -> LearnerSpec {
            format!("{name}:{params}").parse().unwrap_or_else(|e| panic!("{name}:{params}: {e}"))
        };
        let mut spec = parsed(base(name));
        spec.params.extend(parsed(more).params);
        Self { spec, task, breadth }
    }

    fn try_build(&self) -> Result<AnyLearner, SpecError> {
        AnyLearner::build(&self.spec, self.task, 1, MAX_BYTES)
    }

    pub fn build(&self) -> AnyLearner {
        self.try_build().unwrap_or_else(|e| panic!("{}: {e}", self.name()))
    }

    /// Its name in messages and in the golden file.
    pub fn name(&self) -> String {
        format!("{} {}", task_name(self.task), self.spec)
    }

    pub fn max_bytes(&self) -> usize {
        if self.spec.params.contains_key("max_bytes") { 64 << 10 } else { MAX_BYTES }
    }
}

pub fn task_name(task: Task) -> &'static str {
    if task == Task::Classification { "classification" } else { "regression" }
}

/// All cases: defaults, a small budget, every other word of a choice, both ends of every range.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![];
    for entry in ENTRIES {
        for task in entry.tasks {
            let mut add = |more: &str, breadth| {
                let case = Case::new(entry.name, more, *task, breadth);
                // Some words are for one task only.
                if breadth != Breadth::Everyday || case.try_build().is_ok() {
                    cases.push(case);
                }
            };
            add("", Breadth::Full);
            add("seed=7,max_bytes=64KiB", Breadth::Full);
            for param in entry.params {
                let name = param.name;
                if let Some((low, high)) = bounds(param) {
                    let ends = [low, high].into_iter().filter(|end| number(end).is_some());
                    ends.for_each(|end| add(&format!("{name}={end}"), Breadth::Short));
                } else {
                    let others = words(param).filter(|word| *word != param.default);
                    others.for_each(|word| add(&format!("{name}={word}"), Breadth::Everyday));
                }
            }
        }
    }
    cases
}

/// An end of a range; `None` if it names another parameter.
pub fn number(end: &str) -> Option<f64> {
    end.replace('_', "").parse().ok()
}

/// The ends of a parameter's range as people read it: `low..high`.
pub fn bounds(param: &ParamInfo) -> Option<(&str, &str)> {
    param.range.split_once("..").map(|(low, high)| (low, high.trim_start_matches('=')))
}

/// What may be the words of a choice.
pub fn words(param: &ParamInfo) -> impl Iterator<Item = &str> {
    param.range.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
