//! Scores a stream on standard input, one event a line, and writes the report as JSON: what `learners/tests/scores.py`
//! holds against scikit-learn. `score classification`: the label's number, then a probability a class. `score regression`:
//! the target, then the prediction; beside the report stand the interval's ends as they were before each event.

use std::error::Error;
use std::io::{BufRead, stdin};

use features::{ClassId, Target, Task};
use learners::{Outcome, Prediction, Scores};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let task = match std::env::args().nth(1).as_deref() {
        Some("classification") => Task::Classification,
        Some("regression") => Task::Regression,
        other => return Err(format!("expected classification or regression, got {other:?}").into()),
    };
    let (mut scores, mut ends) = (Scores::new(task), Vec::new());
    for line in stdin().lock().lines() {
        let line = line?;
        let numbers = line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [truth, said @ ..] = &*numbers else { return Err("an empty line".into()) };
        let (prediction, target) = match task {
            Task::Classification => {
                let prediction = Prediction { probabilities: said.to_vec(), value: 0.0 };
                (prediction, Target::Class(ClassId(*truth as u32)))
            }
            Task::Regression => {
                ends.push(scores.ends());
                (
                    Prediction { value: *said.first().ok_or("no prediction")?, ..Prediction::default() },
                    Target::Value(*truth),
                )
            }
        };
        scores.update(&Outcome::of(&prediction, target), target);
    }
    println!("{}", json!({"report": scores.report(), "ends": ends}));
    Ok(())
}
