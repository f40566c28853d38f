//! The streams that every learner must get through: one everyday stream, and the things that go wrong one by one.

use features::{ClassId, EntityId, EventTime, Kind, Target, Task};

/// A labelled row, and the columns' kinds if they change before it.
pub struct Event {
    pub grow: Option<Vec<Kind>>,
    pub values: Vec<f64>,
    pub at: EventTime,
    pub entity: EntityId,
    pub target: Target,
    pub weight: f64,
}

/// Events of one task.
pub struct Stream {
    pub name: &'static str,
    pub events: Vec<Event>,
}

/// Knuth's linear congruential generator: the golden hashes must not hang on anybody else's.
pub struct Random(pub u64);

impl Random {
    /// In 0..1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    fn event(&mut self, i: usize, grow: Option<Vec<Kind>>, values: Vec<f64>, target: Target) -> Event {
        let entity = EntityId(1 + self.below(3) as u64);
        Event { grow, values, at: EventTime(i as i64 * 60_000), entity, target, weight: 1.0 }
    }
}

const N: Kind = Kind::Number;
const C: Kind = Kind::Nominal;
const U: Kind = Kind::Unknown;

fn class(c: usize) -> Target {
    Target::Class(ClassId(c as u32))
}

/// What golden hashes are made of.
pub fn everyday(task: Task) -> Stream {
    everyday_of(task, 2_000)
}

/// A short one, for parameters at the ends of their ranges.
pub fn short(task: Task) -> Stream {
    Stream { name: "short", ..everyday_of(task, 400) }
}

/// Numbers of different scales, names, gaps, short rows, columns that come to be known and appended ones, a constant
/// column, a class that comes late, a change of the concept in the middle.
fn everyday_of(task: Task, length: usize) -> Stream {
    let mut random = Random(42);
    let quarter = length / 4;
    let events = (0..length).map(|i| {
        let age = i / quarter;
        let kinds = [vec![N, N, C, U, N], vec![N, N, C, C, N], vec![N, N, C, C, N, N, U], vec![N, N, C, C, N, N, N]];
        let width = kinds[age].len();
        let (a, b, noise) = (random.unit(), random.unit(), random.unit() - 0.5);
        let (name, other) = (random.below(2 + age), random.below(4));
        let all = [a, 1_000.0 * b - 300.0, name as f64, other as f64, 5.0, a - b, noise * 1e-3];
        let mut values = all[..width].to_vec();
        for (value, kind) in values.iter_mut().zip(&kinds[age]) {
            if random.unit() < 0.05 || *kind == U {
                *value = f64::NAN;
            }
        }
        if random.unit() < 0.1 {
            values.truncate(1 + random.below(width - 1));
        }
        // One column says most, so that trees split early.
        let signal = if age < 2 { 1.6 * a + 0.4 * b } else { 1.6 * b - 0.4 * a + 0.4 };
        let score = signal + 0.4 * f64::from(u8::from(name == 1)) + 0.3 * noise;
        let target = match task {
            Task::Regression => Target::Value(20.0 + 10.0 * score),
            Task::Classification if age > 0 && a > 0.8 => class(2),
            Task::Classification => class(usize::from(score > 1.2)),
        };
        let grow = i.is_multiple_of(quarter).then(|| kinds[age].clone());
        random.event(i, grow, values, target)
    });
    Stream { name: "everyday", events: events.collect() }
}

/// What goes wrong, one by one.
pub fn hard(task: Task) -> Vec<Stream> {
    let mut streams = vec![
        simple(task, "nothing known", 300, &[N, C, U], |_, _| vec![f64::NAN; 3]),
        simple(task, "no columns", 300, &[], |_, _| vec![]),
        simple(task, "constant columns", 600, &[N, C, N], |_, _| vec![3.5, 0.0, -1e-9]),
        simple(task, "500 columns", 300, &wide(), |random, _| {
            (0..500).map(|j| if j % 10 == 0 { random.below(4) as f64 } else { random.unit() }).collect()
        }),
        simple(task, "a new category every time", 3_000, &[C, N], |random, i| vec![i as f64, random.unit()]),
        stairs(task),
        huge(task),
        weighted(task),
        same_target(task),
    ];
    if task == Task::Classification {
        streams.push(relabelled("1,000 classes", 2_500, |random, i| if i < 1_000 { i } else { random.below(1_000) }));
        streams.push(relabelled(
            "a late class far away",
            600,
            |random, i| if i < 300 { i % 2 } else { random.below(2) * 37 },
        ));
    }
    streams
}

fn wide() -> Vec<Kind> {
    (0..500).map(|j| if j % 10 == 0 { C } else { N }).collect()
}

fn simple(
    task: Task,
    name: &'static str,
    length: usize,
    kinds: &[Kind],
    values: impl Fn(&mut Random, usize) -> Vec<f64>,
) -> Stream {
    let mut random = Random(7);
    let events = (0..length).map(|i| {
        let values = values(&mut random, i);
        let u = random.unit();
        let target = if task == Task::Regression { Target::Value(u) } else { class(usize::from(u > 0.4)) };
        let grow = (i == 0).then(|| kinds.to_vec());
        random.event(i, grow, values, target)
    });
    Stream { name, events: events.collect() }
}

/// Stairs up one column, later up another, beside columns of noise: a tree that may grow does.
fn stairs(task: Task) -> Stream {
    let mut stream = simple(task, "stairs", 3_000, &[N; 12], |random, _| (0..12).map(|_| random.unit()).collect());
    for (i, event) in stream.events.iter_mut().enumerate() {
        let step = (event.values[i / 1_500] * 8.0) as usize;
        event.target = if task == Task::Regression { Target::Value(10.0 * step as f64) } else { class(step) };
    }
    stream
}

/// Numbers at the ends of floating point among ordinary ones, in columns and in targets.
fn huge(task: Task) -> Stream {
    let mut random = Random(11);
    let ends = [1e308, -1e308, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e154, -0.0];
    let events = (0..800).map(|i| {
        let mut number = || if random.unit() < 0.2 { ends[random.below(ends.len())] } else { random.unit() };
        let values = vec![number(), number(), number()];
        let target = match task {
            Task::Regression => Target::Value(number()),
            Task::Classification => class(usize::from(values[0] > 0.5)),
        };
        random.event(i, (i == 0).then(|| vec![N, N, N]), values, target)
    });
    Stream { name: "±1e308", events: events.collect() }
}

fn weighted(task: Task) -> Stream {
    let mut stream = everyday_of(task, 600);
    let weights = [1.0, 6.0, 0.5, 1e-6, 1e6, 3.0];
    stream.events.iter_mut().enumerate().for_each(|(i, event)| event.weight = weights[i % weights.len()]);
    Stream { name: "weights", ..stream }
}

/// A single class; a constant number.
fn same_target(task: Task) -> Stream {
    let mut stream = everyday_of(task, 600);
    let target = if task == Task::Regression { Target::Value(-7.5) } else { class(0) };
    stream.events.iter_mut().for_each(|event| event.target = target);
    Stream { name: "the same target", ..stream }
}

fn relabelled(name: &'static str, length: usize, label: impl Fn(&mut Random, usize) -> usize) -> Stream {
    let mut stream = everyday_of(Task::Classification, length);
    let mut random = Random(13);
    stream.events.iter_mut().enumerate().for_each(|(i, event)| event.target = class(label(&mut random, i)));
    Stream { name, ..stream }
}

/// Rows to ask about, whatever was learned: nothing known, no values at all, a category never seen, both ends.
pub fn probes(kinds: &[Kind]) -> Vec<Vec<f64>> {
    let row = |number: f64, category: f64| {
        let value = |kind: &Kind| match kind {
            Kind::Number => number,
            Kind::Nominal => category,
            Kind::Unknown => f64::NAN,
        };
        kinds.iter().map(value).collect()
    };
    let missing = f64::NAN;
    vec![row(missing, missing), vec![], row(0.5, 1.0), row(0.0, 99_999.0), row(1e308, 0.0), row(-f64::MAX, 2.0)]
}
