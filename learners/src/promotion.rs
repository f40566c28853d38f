//! Whether a challenger is better than the champion, decided while the events come, at any time, once for ever.
//!
//! Seven fortunes bet the share lambda = .01, .02, … .64 on the challenger's loss being lower:
//!
//! ```text
//! ln W_k += ln(1 + lambda_k d) / tau       d = loss of the champion - loss of the challenger, in -1..=1
//! log E = ln(mean of the W_k)              promote when log E >= ln(1 / alpha) + ln(j (j + 1))
//! ```
//!
//! If the challenger is no better, the chance that this ever happens is at most alpha (Ville's inequality; over the
//! epochs j = 1, 2, … alpha / (j (j + 1)) sums to alpha). A history in the champion's favour would take as long again to
//! be made up for: with log E < -3, after 1,024 events, the fortunes begin anew in the next epoch. tau, the inflation
//! of sums by autocorrelation, tempers the bets: the larger of what blocks of 64 events show and what the correlation of
//! successive differences does. Blocks alone know it too late: most wrong promotions came before event 2,000. Nothing is
//! bet before 8 differences of blocks (576 events). The proof holds for independent differences; tau makes it a good approximation otherwise.
//!
//! Losses without a bound: `d = y_champion - y_challenger`, `y = l / (l + m)`, m the median of the champion's first 512
//! (its positive ones), during which nothing is bet.
//!
//! Betting: Waudby-Smith & Ramdas, Estimating means of bounded random variables by betting, 2024. Restarts and
//! tempering are ours (docs/benchmarks.md).
//!
//! Cost: a few ns an event on which both losses are equal, otherwise about 150 ns; under 500 bytes (4 KiB more while m
//! is not fixed).

use features::Task;
use serde::{Deserialize, Serialize};

use crate::autocorrelation::{Blocks, Moments, Products};
use crate::bounded::Bounded;

const BETS: [f64; 7] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64];
/// Events of a block, differences of blocks before the first bet, and the most that is tempered.
const BLOCK: u32 = 64;
const LEAST: f64 = 8.0;
const CAP: f64 = 30.0;
/// When an epoch ends: at this log E, after so many events.
const LOST: f64 = -3.0;
const EPOCH: u64 = 1_024;

/// A challenger held against the champion, from its birth on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Promotion {
    alpha: f64,
    min_gain: f64,
    /// Only for losses without a bound.
    bounded: Option<Bounded>,
    log_fortunes: [f64; 7],
    log_e: f64,
    epoch: u64,
    /// Of this epoch: events, and the sum of d.
    events: u64,
    gain: f64,
    moments: Moments,
    products: Products,
    blocks: Blocks,
    tau: f64,
}

/// Why a challenger is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The natural logarithm of the evidence against "the challenger is no better".
    pub log_e: f64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// Events in this epoch.
    pub events: u64,
    /// How much lower the challenger's loss was, on average over the epoch: in error rate, or `l / (l + m)`.
    pub gain: f64,
}

impl Promotion {
    /// No events yet. `0 < alpha < 1`: the chance of a promotion that is none; with several challengers at once their
    /// alphas add up. `0 <= min_gain < 1`: the least mean gain over the epoch that is promoted.
    pub fn new(task: Task, alpha: f64, min_gain: f64) -> Self {
        Self {
            alpha,
            min_gain,
            bounded: (task == Task::Regression).then(Bounded::default),
            log_fortunes: [0.0; 7],
            log_e: 0.0,
            epoch: 1,
            events: 0,
            gain: 0.0,
            moments: Moments::default(),
            products: Products::default(),
            blocks: Blocks::new(BLOCK),
            tau: 1.0,
        }
    }

    /// Takes in the two losses of one event (0 or 1, or absolute errors) and says whether the challenger is to be
    /// champion.
    pub fn observe(&mut self, champion_loss: f64, challenger_loss: f64) -> Option<Evidence> {
        let d = match &mut self.bounded {
            None => champion_loss - challenger_loss,
            Some(bounded) => bounded.map(champion_loss)? - bounded.scale(challenger_loss)?,
        };
        self.events += 1;
        self.gain += d;
        self.moments.push(d);
        self.products.push(d);
        if self.blocks.push(d) {
            let blocks = self.blocks.inflation(self.moments.variance());
            self.tau = self.products.inflation(&self.moments).max(blocks).min(CAP);
        }
        if d != 0.0 && self.blocks.differences() >= LEAST {
            self.bet(d);
        }
        let evidence = self.evidence();
        (evidence.gain >= self.min_gain && evidence.log_e >= self.threshold()).then_some(evidence)
    }

    fn bet(&mut self, d: f64) {
        for (log, bet) in self.log_fortunes.iter_mut().zip(BETS) {
            *log += libm::log1p(bet * d) / self.tau;
        }
        let most = self.log_fortunes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.log_fortunes.iter().map(|log| libm::exp(log - most)).sum();
        self.log_e = most + libm::log(sum / BETS.len() as f64);
        if self.log_e < LOST && self.events >= EPOCH {
            self.epoch += 1;
            (self.log_fortunes, self.log_e, self.events, self.gain) = ([0.0; 7], 0.0, 0, 0.0);
        }
    }

    /// The evidence so far, as a natural logarithm; 0: none.
    pub fn log_e(&self) -> f64 {
        self.log_e
    }

    /// The evidence that is needed in this epoch.
    pub fn threshold(&self) -> f64 {
        let epoch = self.epoch as f64;
        libm::log(epoch * (epoch + 1.0) / self.alpha)
    }

    /// What speaks for the challenger so far, enough or not.
    pub fn evidence(&self) -> Evidence {
        let gain = if self.events == 0 { 0.0 } else { self.gain / self.events as f64 };
        Evidence { log_e: self.log_e, epoch: self.epoch, events: self.events, gain }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.bounded.as_ref().map_or(0, Bounded::bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uniform(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Losses that differ on `q` of the events, the challenger's lower by d.
    fn pair(state: &mut u64, q: f64, d: f64) -> (f64, f64) {
        let u = uniform(state);
        (f64::from(u8::from(u < (q + d) / 2.0)), f64::from(u8::from((q + d) / 2.0 <= u && u < q)))
    }

    /// The event of the promotion, from 1, and its evidence.
    fn decide(promotion: &mut Promotion, state: &mut u64, q: f64, d: f64, most: u64) -> Option<(u64, Evidence)> {
        (1..=most).find_map(|event| {
            let (champion, challenger) = pair(state, q, d);
            Some((event, promotion.observe(champion, challenger)?))
        })
    }

    fn fresh() -> Promotion {
        Promotion::new(Task::Classification, 0.05, 0.005)
    }

    #[test]
    fn a_better_challenger_is_promoted_with_its_evidence() {
        let (event, evidence) = decide(&mut fresh(), &mut 1, 0.15, 0.05, 20_000).unwrap();
        assert_eq!((event, evidence.epoch, evidence.events), (735, 1, 735));
        assert!(evidence.log_e >= libm::log(2.0 / 0.05) && (evidence.gain - 0.05).abs() < 0.03, "{evidence:?}");
        // No bet before 576 events, however good.
        assert_eq!(decide(&mut fresh(), &mut 1, 1.0, 1.0, 20_000).unwrap().0, 576 + 11);
    }

    #[test]
    fn an_equal_one_is_not() {
        let wrong = (0..40).filter(|seed| decide(&mut fresh(), &mut { *seed }, 0.15, 0.0, 100_000).is_some()).count();
        assert!(wrong <= 4, "{wrong} of 40");
        assert_eq!(decide(&mut fresh(), &mut 1, 0.15, -0.02, 100_000), None);
    }

    #[test]
    fn a_history_in_the_champions_favour_does_not_block_it() {
        for seed in 0..5 {
            let (mut promotion, mut state) = (fresh(), seed);
            assert_eq!(decide(&mut promotion, &mut state, 0.15, -0.02, 200_000), None);
            let (event, evidence) = decide(&mut promotion, &mut state, 0.15, 0.05, 10_000).expect("it is decided");
            assert!(event < 10_000 && evidence.epoch > 10, "{seed}: {event} {evidence:?}");
        }
    }

    #[test]
    fn too_small_a_gain_is_no_reason() {
        let mut promotion = Promotion::new(Task::Classification, 0.05, 0.05);
        assert_eq!(decide(&mut promotion, &mut 1, 0.15, 0.02, 50_000), None);
        assert!(promotion.log_e() > promotion.threshold());
    }

    /// Of 400 young ones: blocks alone do not know the correlation yet, and promote five times as many.
    #[test]
    fn correlated_differences_count_less_from_the_first_bet_on() {
        for rho in [0.3, 0.6] {
            let wrong = (0..400).filter(|seed| {
                let (mut promotion, mut state, mut last) = (fresh(), *seed, (0.0, 0.0));
                (0..2_000).any(|_| {
                    if uniform(&mut state) >= rho {
                        last = pair(&mut state, 0.15, 0.0);
                    }
                    promotion.observe(last.0, last.1).is_some()
                })
            });
            let wrong = wrong.count();
            assert!(wrong <= 6, "{wrong} of 400 at {rho}");
        }
    }

    /// Of differences that depend on the last but one alone, blocks tell: without them 73 of these are promoted.
    #[test]
    fn correlation_further_back_counts_too() {
        let wrong = (0..100).filter(|seed| {
            let (mut promotion, mut state, mut last) = (fresh(), *seed, [(0.0, 0.0); 2]);
            (0..10_000).any(|event| {
                let last = &mut last[event % 2];
                if uniform(&mut state) >= 0.9 {
                    *last = pair(&mut state, 0.15, 0.0);
                }
                promotion.observe(last.0, last.1).is_some()
            })
        });
        let wrong = wrong.count();
        assert!(wrong <= 15, "{wrong} of 100");
    }

    #[test]
    fn bets_are_tempered_thirtyfold_at_most() {
        let mut promotion = fresh();
        for event in 0..10_000 {
            let worse = f64::from(u8::from(event / 500 % 2 == 0));
            promotion.observe(worse, 1.0 - worse);
        }
        assert_eq!(promotion.tau, CAP);
    }

    #[test]
    fn an_epoch_has_its_least_length_however_clearly_it_is_lost() {
        let mut promotion = fresh();
        let epochs: Vec<u64> = (0..EPOCH)
            .map(|_| {
                promotion.observe(0.0, 1.0);
                promotion.epoch
            })
            .collect();
        assert_eq!((epochs[EPOCH as usize - 2], epochs[EPOCH as usize - 1]), (1, 2));
    }

    #[test]
    fn errors_without_a_bound_are_compared_free_of_their_unit() {
        let decided = |unit: f64| {
            let (mut promotion, mut state) = (Promotion::new(Task::Regression, 0.05, 0.005), 1);
            (1..50_000).find_map(|event| {
                let (a, b) = (uniform(&mut state), 0.8 * uniform(&mut state));
                Some((event, promotion.observe(unit * a, unit * b)?))
            })
        };
        let (event, evidence) = decided(1.0).expect("20 % are found");
        assert!((1_088..3_000).contains(&event) && evidence.gain > 0.02, "{event} {evidence:?}");
        assert_eq!(decided(1024.0), decided(1.0));
    }

    #[test]
    fn a_restored_test_goes_on_as_if_never_stopped() {
        for stop in [100, 600, 30_000] {
            let (mut whole, mut state) = (fresh(), 3);
            assert_eq!(decide(&mut whole, &mut state, 0.15, -0.02, stop), None);
            let mut restored: Promotion = postcard::from_bytes(&postcard::to_stdvec(&whole).unwrap()).unwrap();
            let mut again = state;
            let decided = decide(&mut whole, &mut state, 0.15, 0.05, 50_000);
            assert!(decided.is_some());
            assert_eq!(decide(&mut restored, &mut again, 0.15, 0.05, 50_000), decided);
        }
    }

    proptest! {
        #[test]
        fn the_evidence_is_a_number_whatever_the_losses(
            losses in prop::collection::vec((prop::sample::select(vec![0.0, 1e-300, 1.0, f64::MAX]), 0.0..2.0_f64), 1..3_000),
        ) {
            let mut promotion = Promotion::new(Task::Regression, 0.05, 0.0);
            for (champion, challenger) in losses {
                promotion.observe(champion, challenger);
                prop_assert!(promotion.log_e().is_finite() && promotion.evidence().gain.abs() <= 1.0);
            }
        }
    }
}
