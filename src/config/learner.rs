//! `learner` and `challengers` of a model: checked as the fold will build them.

use features::Task;
use learners::{AnyLearner, LearnerSpec};

use super::error::ConfigError;
use super::tree::{Node, Value};
use super::walk::Found;

/// A specification of the right form.
pub(super) fn spec(node: &Node) -> Result<LearnerSpec, ConfigError> {
    node.name()?.parse().map_err(|error| node.error(format!("{error}")))
}

/// Whether a specification can be built for one of the tasks.
pub(super) fn check(spec: &LearnerSpec, tasks: &[Task], seed: u64, max_bytes: u64) -> Result<(), String> {
    let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let built = tasks.iter().map(|task| AnyLearner::build(spec, *task, seed, max_bytes).map(drop));
    built.reduce(|one, other| one.or(other)).unwrap_or(Ok(())).map_err(|error| error.to_string())
}

/// Checks a list of specifications, each at its place.
pub(super) fn check_all(
    node: Option<&Node>,
    at: &dyn Fn(&LearnerSpec) -> Result<(), String>,
    specs: &[LearnerSpec],
) -> Found {
    let Some(node) = node else { return Ok(()) };
    let places: Vec<&Node> = match &node.value {
        Value::List(nodes) => nodes.iter().collect(),
        _ => vec![node; specs.len()],
    };
    let errors: Vec<_> =
        specs.iter().zip(places).filter_map(|(spec, node)| at(spec).err().map(|m| node.error(m))).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
