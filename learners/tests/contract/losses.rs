//! The streams that every detector must get through.

use crate::streams::Random;

/// What a level of loss looks like.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// 0 and 1 at that rate.
    Errors,
    /// Values within .05 of it.
    Values,
    /// The level itself.
    Exact,
}

/// `count` losses for each of `levels` in turn.
pub fn steps(kind: Kind, levels: &[f64], count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random(seed);
    // The first numbers of near seeds are near.
    (0..5).for_each(|_| _ = random.unit());
    let draw = |level: f64, u: f64| match kind {
        Kind::Errors => f64::from(u8::from(u < level)),
        Kind::Values => (level + 0.1 * u - 0.05).clamp(0.0, 1.0),
        Kind::Exact => level,
    };
    levels.iter().flat_map(|level| vec![*level; count]).map(|level| draw(level, random.unit())).collect()
}

/// What golden hashes are made of: rises and falls, of errors and of values.
pub fn everyday() -> Vec<f64> {
    let levels = [0.2, 0.25, 0.6, 0.1, 0.05, 0.9, 0.4];
    [Kind::Errors, Kind::Values].into_iter().flat_map(|kind| steps(kind, &levels, 1_500, 42)).collect()
}

/// Everything that may come: nothing new, and the ends of the range.
pub fn hard() -> Vec<(String, Vec<f64>)> {
    let mut random = Random(3);
    let ends = [0.0, 1.0, 5e-324, f64::MIN_POSITIVE, 1.0 - f64::EPSILON, 0.5, -0.0];
    let edges = (0..6_000).map(|_| ends[(random.unit() * 7.0) as usize]).collect();
    let mut streams: Vec<_> = constants().map(|x| (format!("always {x}"), vec![x; 3_000])).collect();
    streams.push(("ends".into(), edges));
    streams.push(("everyday".into(), everyday()));
    streams.push(("one error".into(), (0..6_000).map(|i| f64::from(u8::from(i == 3_000))).collect()));
    streams
}

pub fn constants() -> impl Iterator<Item = f64> {
    [0.0, 1.0, 0.3, 1.0 / 3.0, 5e-324].into_iter()
}

/// A learner that learns: at once, in stairs, slowly.
pub fn falls(kind: Kind, seed: u64) -> Vec<f64> {
    let slowly: Vec<f64> = (0..500).map(|i| 0.1 + 0.4 * libm::exp(-f64::from(i) / 100.0)).collect();
    let mut losses = steps(kind, &[0.95], 3_000, seed);
    losses.extend(steps(kind, &[0.8, 0.7, 0.6, 0.5], 500, seed + 1_000));
    losses.extend(steps(kind, &slowly, 10, seed + 2_000));
    losses.extend(steps(kind, &[0.05], 3_000, seed + 3_000));
    losses
}
