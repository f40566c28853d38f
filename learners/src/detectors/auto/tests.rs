//! The detector as a whole; its parts are tested beside them where they are simple, here where they need a world.

use std::f64::consts::TAU as CIRCLE;

use proptest::prelude::*;

use super::*;

/// Knuth's generator: in 0..1.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Errors whose rate at loss t, after an error or not, is `rate(t, last)`.
fn errors(seed: u64, count: u64, rate: impl Fn(u64, bool) -> f64) -> Vec<f64> {
    let (mut state, mut last) = (seed, false);
    uniform(&mut state);
    (0..count)
        .map(|t| {
            last = uniform(&mut state) < rate(t, last);
            f64::from(u8::from(last))
        })
        .collect()
}

fn jump(seed: u64, before: f64, after: f64) -> Vec<f64> {
    errors(seed, 30_000, |t, _| if t < 20_000 { before } else { after })
}

fn fresh() -> Auto {
    Auto::new(Auto::BUDGET, Auto::MIN_EFFECT)
}

/// The turns with the number of losses up to each.
fn turns(auto: &mut Auto, losses: &[f64]) -> Vec<(u64, Turn)> {
    losses.iter().filter_map(|loss| Some((auto.step(*loss)?, auto.seen))).map(|(turn, at)| (at, turn)).collect()
}

#[test]
fn alarms_come_where_they_always_came() {
    let mut auto = fresh();
    let golden: Vec<f64> = crate::detectors::golden::golden().map(|(_, loss)| loss).collect();
    let [(at, Turn::Raised(change)), (over, Turn::Over)] = turns(&mut auto, &golden)[..] else { panic!() };
    assert_eq!((at, change.newer, over), (1_032, 32, 2_097));
    assert_eq!(change.before, 191.0 / 1_000.0);
    let places = |losses: &[f64]| turns(&mut fresh(), losses).iter().map(|(at, _)| *at).collect::<Vec<_>>();
    assert_eq!(places(&jump(1, 0.2, 0.3)), [20_264, 24_264]);
    assert_eq!(places(&jump(2, 0.02, 0.05)), [20_312, 24_312]);
    let real: Vec<f64> = jump(3, 0.2, 0.3).iter().map(|loss| 0.2 + 0.5 * loss).collect();
    assert_eq!(places(&real), [20_104, 24_104]);
}

#[test]
fn a_permanent_change_is_one_incident_with_onset_and_size() {
    for (seed, before, after) in [(1, 0.2, 0.3), (2, 0.2, 0.4), (3, 0.02, 0.1), (4, 0.4, 0.6), (5, 0.1, 0.2)] {
        let mut auto = fresh();
        let turns = turns(&mut auto, &jump(seed, before, after));
        let [(at, Turn::Raised(change)), (end, Turn::Rebaselined(level))] = turns[..] else {
            panic!("{seed}: {turns:?}")
        };
        let onset = at - change.newer;
        assert!((20_000..21_000).contains(&at) && onset.abs_diff(20_000) < 300, "{seed}: {at} {onset}");
        assert!((change.before - before).abs() < 0.02 && (change.after - after).abs() < 0.1, "{seed}: {change:?}");
        assert_eq!(end, at + PATIENCE);
        assert!((level - after).abs() < 0.03, "{seed}: {level}");
        assert!(auto.signal() < Signal::Drift);
    }
}

#[test]
fn a_passing_change_is_over_and_the_same_change_is_found_again() {
    let losses = errors(6, 40_000, |t, _| if matches!(t, 20_000..23_000 | 30_000..33_000) { 0.4 } else { 0.2 });
    let turns = turns(&mut fresh(), &losses);
    let [(a, Turn::Raised(_)), (b, Turn::Over), (c, Turn::Raised(again)), (d, Turn::Over)] = turns[..] else {
        panic!("{turns:?}")
    };
    assert!((20_000..20_300).contains(&a) && (23_000..23_600).contains(&b), "{turns:?}");
    assert!((30_000..30_300).contains(&c) && (33_000..33_600).contains(&d), "{turns:?}");
    assert!((again.before - 0.2).abs() < 0.02, "{again:?}");
}

#[test]
fn a_lasting_improvement_after_a_recovery_drops_the_base_too() {
    let losses = errors(6, 40_000, |t, _| match t {
        20_000..23_000 => 0.4,
        25_000..29_000 => 0.05,
        _ => 0.2,
    });
    let turns = turns(&mut fresh(), &losses);
    let [(_, Turn::Raised(_)), (_, Turn::Over), (at, Turn::Raised(change)), ..] = turns[..] else {
        panic!("{turns:?}")
    };
    assert!((29_000..29_300).contains(&at) && change.before < 0.07, "{turns:?}");
}

#[test]
fn a_further_rise_escalates_and_starts_the_clock_again() {
    let losses = errors(7, 40_000, |t, _| match t {
        0..20_000 => 0.1,
        20_000..22_000 => 0.2,
        _ => 0.4,
    });
    let turns = turns(&mut fresh(), &losses);
    let [(_, Turn::Raised(first)), (at, Turn::Escalated(second)), (end, Turn::Rebaselined(_))] = turns[..] else {
        panic!("{turns:?}")
    };
    assert!((22_000..22_300).contains(&at) && end == at + PATIENCE, "{turns:?}");
    assert!(first.before == second.before && second.after > 0.3, "{turns:?}");
}

#[test]
fn an_improvement_is_silent_and_a_rise_after_it_is_measured_from_there() {
    for seed in 0..10 {
        let learning = |t: u64| 0.15 + 0.35 * libm::exp(-(t as f64) / 2_000.0);
        let mut auto = fresh();
        let better = errors(seed, 20_000, |t, _| if t < 10_000 { learning(t) } else { 0.05 });
        assert_eq!(turns(&mut auto, &better), [], "{seed}");
        // 0.15 is what the rate was before: a fall that was not forgotten would hide the rise.
        let back = turns(&mut auto, &errors(seed, 2_000, |_, _| 0.15));
        assert!(matches!(back[..], [(20_000..20_800, Turn::Raised(_)), ..]), "{seed}: {back:?}");
    }
}

/// Of ten phases each; nearly all of a hundred (docs/benchmarks.md).
#[test]
fn a_season_is_no_incident_once_it_has_been_seen_three_times() {
    let short = [500_u64, 1_000, 2_000, 3_500, 5_000].map(|period| (period, 20));
    for (period, seasons) in short.into_iter().chain([(10_000, 6), (20_000, 6)]) {
        for seed in 0..10 {
            let rate = |t: u64, _| 0.2 + 0.05 * libm::sin(CIRCLE * (t as f64 / period as f64 + seed as f64 / 10.0));
            let late: Vec<_> = turns(&mut fresh(), &errors(seed, seasons * period, rate))
                .into_iter()
                .filter(|(at, turn)| *at > 3 * period && matches!(turn, Turn::Raised(_)))
                .collect();
            assert!(late.is_empty(), "{period} {seed}: {late:?}");
        }
    }
}

#[test]
fn correlated_errors_are_no_incident_and_their_inflation_is_known() {
    for seed in 0..5 {
        let mut auto = fresh();
        let losses = errors(seed, 100_000, |_, last| 0.2 * 0.4 + if last { 0.6 } else { 0.0 });
        assert_eq!(turns(&mut auto, &losses), [], "{seed}");
        // (1 + .6) / (1 - .6), a little less over blocks of 64.
        assert!((3.3..4.3).contains(&auto.tau.tau), "{seed}: {}", auto.tau.tau);
        let mut auto = fresh();
        turns(&mut auto, &errors(seed, 100_000, |_, _| 0.2));
        assert!(auto.tau.tau < 1.2, "{seed}: {}", auto.tau.tau);
    }
}

#[test]
fn a_season_shows_as_swing_and_a_jump_does_not() {
    let swing = |losses: Vec<f64>| {
        let mut auto = fresh();
        turns(&mut auto, &losses);
        auto.season.swing
    };
    let season = swing(errors(1, 50_000, |t, _| 0.2 + 0.05 * libm::sin(CIRCLE * t as f64 / 1_000.0)));
    assert!((0.03..0.12).contains(&season), "{season}");
    // Were rises enough, without as many falls, every jump would pass for one.
    let taken = (0..40).filter(|seed| swing(jump(*seed, 0.2, 0.5)) > 0.0).count();
    assert!(taken < 10, "{taken}");
}

#[test]
fn a_restored_detector_goes_on_as_if_never_stopped() {
    let losses = errors(6, 40_000, |t, _| if matches!(t, 20_000..23_000) { 0.4 } else { 0.2 });
    for stop in [100, 5_000, 20_050, 20_200, 23_050, 26_000] {
        let mut whole = fresh();
        turns(&mut whole, &losses[..stop]);
        let saved = postcard::to_stdvec(&whole).unwrap();
        assert!(saved.len() < 8 << 10, "{}", saved.len());
        let mut restored: Auto = postcard::from_bytes(&saved).unwrap();
        assert_eq!(turns(&mut whole, &losses[stop..]), turns(&mut restored, &losses[stop..]), "{stop}");
        assert_eq!(postcard::to_stdvec(&whole).unwrap(), postcard::to_stdvec(&restored).unwrap(), "{stop}");
    }
}

#[test]
fn a_warning_comes_before_the_alarm_and_passes() {
    let mut auto = fresh();
    let signals: Vec<Signal> = jump(1, 0.2, 0.3).iter().map(|loss| auto.update(*loss)).collect();
    let alarm = signals.iter().position(|signal| *signal == Signal::Drift).unwrap();
    assert_eq!(signals[alarm - 1], Signal::Warning);
    let passed = signals[..20_000].windows(2).filter(|pair| *pair == [Signal::Warning, Signal::Stable]).count();
    assert!((1..20).contains(&passed), "{passed}");
}

#[test]
fn a_larger_budget_of_losses_needs_more_evidence() {
    let at = |budget| turns(&mut Auto::new(budget, Auto::MIN_EFFECT), &jump(1, 0.2, 0.3))[0].0;
    assert!(at(1e4) < at(1e6) && at(1e6) < at(1e9));
    let least = |effect| turns(&mut Auto::new(1e6, effect), &jump(1, 0.2, 0.3)).len();
    assert_eq!((least(0.01), least(0.3)), (2, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes: what it says is possible, and it stays small.
    #[test]
    fn changes_are_possible_and_memory_is_bounded(
        parts in prop::collection::vec((0.0..=1.0_f64, prop::sample::select(vec![0.0, 1e-300, 0.5, 1.0]), 1..3_000_usize), 1..6),
        seed: u64,
    ) {
        let (mut auto, mut state) = (fresh(), seed);
        for (p, low, count) in parts {
            for _ in 0..count {
                let turn = auto.step(if uniform(&mut state) < p { 1.0 } else { low });
                match turn {
                    Some(Turn::Raised(change) | Turn::Escalated(change)) => {
                        prop_assert!(change.newer <= auto.seen);
                        prop_assert!((0.0..1.0).contains(&change.before) && change.after <= 1.0 && change.after > change.before, "{:?}", change);
                    }
                    Some(Turn::Rebaselined(level)) => prop_assert!((0.0..=1.0).contains(&level)),
                    Some(Turn::Over) | None => {}
                }
            }
        }
        prop_assert!(auto.bytes() < 8 << 10, "{}", auto.bytes());
    }

    /// The rows hold the newest losses, at most five sums of a size; what is kept is at most what was asked for.
    #[test]
    fn the_histogram_is_the_newest_losses(losses in prop::collection::vec(0.0..1.0_f64, 1..400), keep in 0..400_u64) {
        let mut histogram = Histogram::default();
        losses.iter().for_each(|loss| histogram.push(*loss));
        for _ in 0..2 {
            let newest = &losses[losses.len() - histogram.count as usize..];
            let total = histogram.total();
            prop_assert_eq!(total.count, newest.len() as f64);
            prop_assert!((total.sum - newest.iter().sum::<f64>()).abs() < 1e-9);
            prop_assert_eq!(histogram.lots().map(|lot| lot.count).sum::<f64>(), total.count);
            for size in 0..10 {
                prop_assert!(histogram.lots().filter(|lot| lot.count == (1_u64 << size) as f64).count() < 6);
            }
            histogram.keep(keep);
            prop_assert!(histogram.count <= keep || keep >= losses.len() as u64);
        }
    }

    /// Skipping cuts by the bound on the likelihood ratio skips none that counts.
    #[test]
    fn the_strongest_cut_is_found_without_weighing_all(
        rates in prop::collection::vec(0.0..=1.0_f64, 3..40), swing in 0.0..0.2_f64, phi in 0.1..10.0_f64,
    ) {
        let lots: Vec<Lot> = rates.iter().map(|p| Lot { count: 128.0, sum: (128.0 * p).floor() }).collect();
        let total = lots.iter().fold(Lot::default(), |all, lot| Lot { count: all.count + lot.count, sum: all.sum + lot.sum });
        let guard = Guard { effect: 0.01 + swing, swing, phi, least_newer: 4.0 };
        let (mut rise, mut fall) = (Cut::default(), Cut::default());
        guard.scan(lots.iter().copied(), total, &mut rise, &mut fall);
        let (mut up, mut down) = (0.0_f64, 0.0_f64);
        for k in 2..lots.len() {
            let part = |lots: &[Lot]| lots.iter().fold((0.0, 0.0), |(n, s), lot| (n + lot.count, s + lot.sum));
            let ((n0, s0), (n1, s1)) = (part(&lots[..k]), part(&lots[k..]));
            let (a, b) = (s0 / n0, s1 / n1);
            let kl = |p: f64, q: f64| {
                let of = |p: f64, q: f64| if p > 0.0 { p * libm::log(p / q) } else { 0.0 };
                of(p, q) + of(1.0 - p, 1.0 - q)
            };
            let score = |n: f64, a: f64, m: f64, b: f64| {
                let u = (n * a + m * (b - swing)) / (n + m);
                (n * kl(a, u) + m * kl(b, u + swing)) / phi
            };
            if b - a >= guard.effect {
                up = up.max(score(n0, a, n1, b) + libm::log((n1 / 32.0).max(1.0)).min(4.0));
            } else if a - b >= guard.effect {
                down = down.max(score(n1, b, n0, a));
            }
        }
        prop_assert!((rise.score - up).abs() <= 1e-6 * up.max(1.0), "{} {}", rise.score, up);
        prop_assert!((fall.score - down).abs() <= 1e-6 * down.max(1.0), "{} {}", fall.score, down);
    }
}
