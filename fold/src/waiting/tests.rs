//! The feared failure: which rows are learned, or what is saved, depends on how the log was cut into batches or on when
//! the state was saved; or a bound does not hold. So one log goes through in many ways, and beside a model that searches
//! lists.

use std::collections::BTreeMap;

use features::{EntityId, EventSpec, Limits, Start};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Event { at: i64, entity: u64, id: u8, target: Option<f64>, values: Vec<f64> },
    Label { id: u8, target: f64 },
}

/// What happened in the order of the log: what the learner said about a row and what its label was.
type Learned = Vec<(u64, Vec<u64>, Option<f64>, Target)>;

pub(crate) fn config(horizon: Horizon, labels: Labels) -> FoldConfig {
    FoldConfig {
        topics: vec!["t".into()],
        start: Start::Earliest,
        event: EventSpec {
            task: Task::Regression,
            target: "y".into(),
            label: features::LabelSource::Later,
            time: None,
            entity: None,
            id: None,
            features: vec![],
            nominal: vec![],
            ignore: vec![],
            limits: Limits::default(),
        },
        learner: "mean".parse().unwrap(),
        challengers: vec![],
        seed: 1,
        max_bytes: 0,
        detector: "adwin".into(),
        false_alarms: 1,
        on_drift: crate::OnDrift::Alert,
        min_gain_ppm: 0,
        horizon,
        labels: Some(labels),
        requests: None,
    }
}

fn id_of(id: u8) -> Id {
    Id::of(&id.to_string())
}

enum Step {
    Predict(u64, f64),
    Learn(Ready),
}

/// What the fold does with a batch: all of it is decoded, then each learner goes through it.
fn batch(waiting: &mut Waiting, ops: &[Op], learned: &mut Learned) {
    let mut steps = Vec::new();
    let mut ready = Vec::new();
    for op in ops {
        match op {
            Op::Event { at, entity, id, target, values } => {
                let row = Row { values, at: EventTime(*at), entity: EntityId(*entity) };
                let target = target.map(Target::Value).filter(|_| waiting.names.is_none());
                let number = waiting.observe(&row, Some(id_of(*id)), target, 1, &mut ready);
                steps.extend(number.map(|number| Step::Predict(number, values.iter().filter(|x| !x.is_nan()).sum())));
            }
            Op::Label { id, target } => {
                let target = Target::Value(*target);
                if let Join::Joined(row) = waiting.label(id_of(*id), target) {
                    ready.push(Ready { row, target });
                }
            }
        }
        steps.extend(ready.drain(..).map(Step::Learn));
    }
    let mut said = Prediction::default();
    for learner in [0, 7] {
        for step in &steps {
            match step {
                Step::Predict(number, value) => {
                    let prediction = Prediction { value: value + f64::from(learner), ..Prediction::default() };
                    waiting.attach(*number, learner, &prediction);
                }
                Step::Learn(Ready { row, target }) => {
                    let said = waiting.prediction(*row, learner, &mut said).then_some(said.value);
                    let values = waiting.row(*row).unwrap().values.iter().map(|x| x.to_bits()).collect();
                    if learner == 7 {
                        learned.push((*row, values, said, *target));
                    }
                }
            }
        }
    }
    waiting.release(steps.iter().filter_map(|step| match step {
        Step::Learn(ready) => Some(ready.row),
        Step::Predict(..) => None,
    }));
}

fn saved(waiting: &Waiting) -> Vec<Section> {
    let mut sections = Sections::default();
    waiting.save(&mut sections);
    sections.whole
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let values = prop::collection::vec(prop_oneof![4 => (0..9_u8).prop_map(f64::from), 1 => Just(-f64::NAN)], 0..4);
    let event = (0..40_i64, 0..3_u64, any::<u8>(), prop::option::weighted(0.8, 0..4_u8), values);
    let op = prop_oneof![
        3 => event.prop_map(|(at, entity, id, target, values)| Op::Event { at, entity, id, target: target.map(f64::from), values }),
        1 => (any::<u8>(), 0..2_u8).prop_map(|(id, target)| Op::Label { id, target: f64::from(target) }),
    ];
    prop::collection::vec(op, 0..400).prop_map(|mut ops| {
        // Time goes on, with some that are late.
        for (i, op) in ops.iter_mut().enumerate() {
            if let Op::Event { at, .. } = op {
                *at += i as i64;
            }
        }
        ops
    })
}

fn horizon() -> impl Strategy<Value = (Horizon, bool)> {
    prop_oneof![
        3 => Just((Horizon::Now, true)),
        2 => (1..60_u64).prop_map(|ms| (Horizon::Ms(ms), false)),
        2 => (1..20_u64).prop_map(|n| (Horizon::Events(n), false)),
        1 => (0..20_u64).prop_map(|n| (Horizon::Delay(n), false)),
    ]
}

fn labels() -> impl Strategy<Value = Labels> {
    (prop_oneof![1..30_u64, 100..200_u64], 20..400_u64, prop_oneof![200..20_000_u64, Just(1 << 20)])
        .prop_map(|(rows, at_most_ms, bytes)| Labels { topic: String::new(), at_most_ms, rows, bytes })
}

#[derive(Clone, Debug)]
struct NaiveRow {
    at: i64,
    entity: u64,
    id: u8,
    since: i64,
    own: Option<f64>,
    bytes: u64,
    nth: u64,
    left: bool,
}

/// Searches lists for everything.
#[derive(Default)]
struct Naive {
    rows: Vec<NaiveRow>,
    past: Vec<(u8, Option<f64>, i64)>,
    early: Vec<(u8, f64, i64)>,
    newest: Option<i64>,
    first: Option<i64>,
    events: BTreeMap<u64, u64>,
    counts: LabelCounts,
    learned: Vec<(u64, Target)>,
}

impl Naive {
    fn leave(&mut self, number: usize, said: Option<f64>) {
        self.rows[number].left = true;
        self.past.push((self.rows[number].id, said, self.newest.unwrap_or(i64::MIN)));
        match said {
            Some(target) => {
                self.counts.joined += 1;
                self.learned.push((number as u64, Target::Value(target)));
            }
            None => self.counts.expired += 1,
        }
    }

    fn waiting(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|i| !self.rows[*i].left).collect()
    }

    fn bytes(&self) -> u64 {
        let of = |block: &[NaiveRow]| {
            let whole = block.len() == BLOCK as usize && block.iter().any(|row| !row.left);
            block.iter().filter(|row| whole || !row.left).map(|row| row.bytes).sum::<u64>()
        };
        self.rows.chunks(BLOCK as usize).map(of).sum()
    }

    fn forget(&mut self, rows: u64, oldest: i64) {
        while self.past.len() > rows as usize || self.past.first().is_some_and(|past| past.2 < oldest) {
            self.past.remove(0);
        }
        let first = self.first.unwrap_or(i64::MIN);
        while self.early.len() > rows as usize || self.early.first().is_some_and(|early| early.2.max(first) < oldest) {
            self.early.remove(0);
            self.counts.orphan += 1;
        }
    }

    fn go(&mut self, op: &Op, horizon: Horizon, by_name: bool, labels: &Labels) {
        match op {
            Op::Event { at, entity, id, target, values } => {
                self.first.get_or_insert(*at);
                self.newest = self.newest.max(Some(*at));
                let newest = self.newest.unwrap();
                let oldest = newest - labels.at_most_ms as i64;
                for i in self.waiting() {
                    if self.rows[i].since < oldest {
                        self.leave(i, None);
                    }
                }
                self.forget(labels.rows, oldest);
                let target = target.filter(|_| !by_name);
                let nth = *self.events.entry(*entity).and_modify(|n| *n += 1).or_insert(1);
                let mut due = self.waiting();
                due.retain(|i| self.rows[*i].entity == *entity);
                due.sort_by_key(|i| self.rows[*i].at);
                for i in due {
                    match horizon {
                        Horizon::Ms(ms) if target.is_some() && self.rows[i].at + ms as i64 <= *at => {
                            self.leave(i, target);
                        }
                        Horizon::Events(n) if self.rows[i].nth + n == nth => self.leave(i, target),
                        _ => {}
                    }
                }
                let known = self.past.iter().any(|past| past.0 == *id)
                    || self.waiting().iter().any(|i| self.rows[*i].id == *id);
                if by_name && known {
                    self.counts.repeated += 1;
                    return;
                }
                let bytes = ROW_BYTES + 8 * values.len() as u64 + 2 * 16;
                let row =
                    NaiveRow { at: *at, entity: *entity, id: *id, since: newest, own: target, bytes, nth, left: false };
                self.rows.push(row);
                if let Horizon::Delay(n) = horizon
                    && let Some(i) = self.rows.len().checked_sub(n as usize + 1)
                    && !self.rows[i].left
                {
                    let own = self.rows[i].own;
                    self.leave(i, own);
                }
                if let Some(i) = self.early.iter().position(|early| by_name && early.0 == *id) {
                    let (_, target, _) = self.early.remove(i);
                    self.leave(self.rows.len() - 1, Some(target));
                }
                while self.waiting().len() > labels.rows as usize || self.bytes() > labels.bytes {
                    let Some(oldest) = self.waiting().first().copied() else { break };
                    self.leave(oldest, None);
                }
            }
            Op::Label { id, target } if by_name => {
                let before = self.past.iter().find(|past| past.0 == *id).map(|past| past.1);
                let early = self.early.iter().find(|early| early.0 == *id).map(|early| Some(early.1));
                if let Some(i) = self.waiting().into_iter().find(|i| self.rows[*i].id == *id) {
                    self.leave(i, Some(*target));
                } else {
                    match before.or(early) {
                        Some(None) => self.counts.late += 1,
                        Some(Some(said)) if said == *target => self.counts.duplicate += 1,
                        Some(Some(_)) => self.counts.changed += 1,
                        None => self.early.push((*id, *target, self.newest.unwrap_or(i64::MIN))),
                    }
                }
                self.forget(labels.rows, i64::MIN);
            }
            Op::Label { .. } => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn batches_and_restarts_change_nothing_and_a_naive_model_agrees(
        mut ops in ops(),
        (horizon, by_name) in horizon(),
        labels in labels(),
        sizes in prop::collection::vec((1..60_usize, any::<bool>()), 1..40),
    ) {
        // A delayed label is in its event.
        if let Horizon::Delay(_) = horizon {
            for op in &mut ops {
                if let Op::Event { target, .. } = op {
                    target.get_or_insert(3.0);
                }
            }
        }
        let labels = Labels { topic: if by_name { "labels".into() } else { String::new() }, ..labels };
        let config = config(horizon, labels.clone());
        let new = || Waiting::new(&config, 2).unwrap();

        let mut one_by_one = new();
        let mut learned = Learned::new();
        let mut naive = Naive::default();
        let mut full: BTreeMap<String, Section> = BTreeMap::new();
        for op in &ops {
            batch(&mut one_by_one, std::slice::from_ref(op), &mut learned);
            naive.go(op, horizon, by_name, &labels);

            let counts = one_by_one.counts();
            let bounds = LabelCounts { waiting: naive.waiting().len() as u64, early: naive.early.len() as u64, ..naive.counts };
            prop_assert_eq!(counts, bounds);
            prop_assert_eq!(one_by_one.bytes(), naive.bytes());
            prop_assert!(counts.waiting <= labels.rows && counts.early <= labels.rows);
            prop_assert!(one_by_one.bytes() <= labels.bytes);
        }
        prop_assert_eq!(learned.iter().map(|l| (l.0, l.3)).collect::<Vec<_>>(), naive.learned);
        prop_assert!(learned.iter().all(|l| l.2.is_some()), "said when the event passed");

        let mut waiting = new();
        let mut again = Learned::new();
        let mut rest = &ops[..];
        for (size, restart) in sizes.iter().cycle() {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            batch(&mut waiting, now, &mut again);
            rest = later;
            let sections = saved(&waiting);
            let next = waiting.rows.next;
            for section in &sections {
                let block = section.name.strip_prefix("waiting/rows/").map(|n| n.parse::<u64>().unwrap());
                if block.is_some_and(|block| (block + 1) * BLOCK <= next) {
                    let first = full.entry(section.name.clone()).or_insert_with(|| section.clone());
                    prop_assert!(first == section, "a full block has changed");
                }
            }
            if *restart {
                waiting = new();
                waiting.restore(&sections).unwrap();
                prop_assert!(saved(&waiting) == sections);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(again == learned);
        prop_assert!(saved(&waiting) == saved(&one_by_one));
    }
}
