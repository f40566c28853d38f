//! The losses of a linear learner on a table of numbers: the last column is the class, `day` is nominal.

use std::collections::BTreeMap;
use std::path::Path;

use features::{ClassId, EntityId, EventTime, Kind, Rows, Target, Task};
use learners::{AnyLearner, Learner, Outcome, Scratch};

/// 0 or 1 an event, in the order of the file (plain CSV with a header).
pub fn losses(path: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(path).expect("the file is a readable CSV");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let width = names.len() - 1;
    let kinds: Vec<Kind> =
        names[..width].iter().map(|name| if *name == "day" { Kind::Nominal } else { Kind::Number }).collect();
    let (mut rows, mut classes) = (Rows::new(width), BTreeMap::new());
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let values: Vec<f64> = cells[..width].iter().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
        let next = classes.len() as u32;
        let class = *classes.entry(cells[width].to_owned()).or_insert(next);
        rows.push(&values, EventTime(0), EntityId(0), Target::Class(ClassId(class)));
    }
    let spec = "linear".parse().expect("a name");
    let mut learner = AnyLearner::build(&spec, Task::Classification, 1, 64 << 20).expect("it is in the catalog");
    learner.grow(&kinds);
    let mut outcomes = vec![];
    learner.test_then_train(&rows, &mut Scratch::default(), &mut outcomes);
    let wrong = |(outcome, target): (&Outcome, &Target)| match (outcome, target) {
        (Outcome::Class { predicted, .. }, Target::Class(truth)) => f64::from(u8::from(*predicted != Some(*truth))),
        _ => unreachable!("a table of classes"),
    };
    outcomes.iter().zip(rows.targets()).map(wrong).collect()
}
