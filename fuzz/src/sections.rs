//! Sections of a checkpoint, changed: what a state says is believed only as far as it can be checked. And files of exported
//! models, whose hash is right and whose content is not.
//!
//! Input: which model, which section, what is done to it, where (2 bytes), then bytes.

use std::path::PathBuf;
use std::sync::LazyLock;

use checkpoints::Exported;
use features::Task;
use fold::{Chunk, Fold, FoldConfig, Horizon, Labels, Position};
use learners::Section;

use super::event::{fold_config, records};

const MODELS: &[(Task, &str)] = &[
    (Task::Regression, "linear"),
    (Task::Classification, "linear"),
    (Task::Regression, "hoeffding_tree"),
    (Task::Classification, "hoeffding_tree"),
    (Task::Classification, "naive_bayes"),
    (Task::Regression, "mean"),
    (Task::Classification, "ftrl"),
    (Task::Classification, "auto"),
    (Task::Regression, "auto"),
];

/// Models that have learned a little, as they are saved.
static SAVED: LazyLock<Vec<(FoldConfig, Vec<Section>)>> = LazyLock::new(|| {
    let saved = |(i, (task, learner)): (usize, &(Task, &str))| {
        let mut config = fold_config(*task, learner);
        if i < 2 {
            config.wait_for_labels(Horizon::Events(2), Labels { rows: 50, ..Labels::default() });
        }
        let y = |i: u32| if *task == Task::Regression { i.to_string() } else { format!("\"c{}\"", i % 3) };
        let event = |i: u32| format!(r#"{{"a":{},"n":{},"who":"w{}","y":{}}}"#, i * 7 % 11, i % 4, i % 2, y(i));
        let events: Vec<String> = (0..120).map(event).collect();
        let (mut fold, mut chunk) =
            (Fold::genesis(config.clone(), Position::new()).expect("it has a fold"), Chunk::default());
        fold.decode(&records(events.join("\n").as_bytes()), &mut chunk);
        fold.train(&mut chunk);
        (config, fold.save())
    };
    MODELS.iter().enumerate().map(saved).collect()
});

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("there is room for a file").keep();
    folder.join("model")
});

/// Nothing panics; what is taken over can be saved.
pub fn run(data: &[u8]) {
    let [model, section, what, low, high, bytes @ ..] = data else { return };
    if what % 5 == 4 {
        let mut file = bytes.to_vec();
        file.extend_from_slice(blake3::hash(bytes).as_bytes());
        std::fs::write(&*FILE, file).expect("there is room for a file");
        let _ = Exported::open(&FILE);
        return;
    }
    let (config, saved) = &SAVED[usize::from(*model) % SAVED.len()];
    let mut sections = saved.clone();
    let place = usize::from(*section) % sections.len();
    let at = usize::from(u16::from_le_bytes([*low, *high]));
    let content = &mut sections[place].bytes;
    let at = at % (content.len() + 1);
    match what % 5 {
        0 => *content = bytes.to_vec(),
        1 => content[at..].iter_mut().zip(bytes).for_each(|(old, new)| *old = *new),
        2 => content.truncate(at),
        _ => drop(content.splice(at..at, bytes.iter().copied())),
    }
    if let Ok(fold) = Fold::restore(config.clone(), &sections) {
        let _ = fold.save();
    }
}
