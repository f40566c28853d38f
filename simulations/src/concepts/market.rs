//! A market of `tickers` prices; each event is a tick: the price, the last returns, and whether the **next** tick of
//! the same ticker goes up, which is to be predicted (in a real market it is known one tick later).
//!
//! Returns are autoregressive: r = `volatility` · (`trend` + z), z = `momentum` · z' + √(1 − `momentum`²) · N(0, 1). So
//! the last direction again is right with probability 1/2 + asin(momentum)/π where there is no trend: 0.80 at 0.8, and
//! 0.20 where a market that followed its last move begins to revert it.

use std::collections::VecDeque;

use super::{Concept, Param, fixed, real};
use crate::event::{Event, Line, round};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[
    fixed("tickers", 4.0, 1.0, 1_000.0),
    real("trend", 0.0, -2.0, 2.0),
    real("momentum", 0.0, -0.95, 0.95),
    real("volatility", 0.001, 0.000_01, 0.05),
];

/// Ticks that mean and deviation look back.
const WINDOW: usize = 20;
/// Prices are bounded so that a trend does not take them out of this world.
const PRICES: (f64, f64) = (1e-3, 1e9);

struct Ticker {
    key: String,
    price: f64,
    z: f64,
    /// The return of the next tick.
    next: f64,
    /// The latest returns, in basis points; the last is the newest.
    returns: VecDeque<f64>,
}

struct Market {
    random: Random,
    tickers: Vec<Ticker>,
}

pub(super) fn start(p: &[f64], seed: u64) -> Box<dyn Concept> {
    let mut random = Random::new(seed);
    let ticker = |i: usize| Ticker {
        key: format!("T{i}"),
        price: round(random.between(20.0, 200.0), 2),
        z: random.normal(),
        next: 0.0,
        returns: VecDeque::from([0.0; 3]),
    };
    let tickers = (0..p[0] as usize).map(ticker).collect();
    Box::new(Market { random, tickers })
}

impl Concept for Market {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[_, trend, momentum, volatility] = p else { unreachable!("as many as there are parameters") };
        let which = (line.id % self.tickers.len() as u64) as usize;
        let ticker = &mut self.tickers[which];
        ticker.price = (ticker.price * (1.0 + ticker.next)).clamp(PRICES.0, PRICES.1);
        ticker.returns.push_back(1e4 * ticker.next);
        if ticker.returns.len() > WINDOW {
            ticker.returns.pop_front();
        }
        ticker.z = momentum * ticker.z + (1.0 - momentum * momentum).sqrt() * self.random.normal();
        ticker.next = volatility * (trend + ticker.z);

        let n = ticker.returns.len();
        let last = |back: usize| round(ticker.returns[n - back], 2);
        let mean = ticker.returns.iter().sum::<f64>() / n as f64;
        let spread = ticker.returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / n as f64;
        line.text("ticker", &ticker.key)
            .number("price", round(ticker.price, 4))
            .number("r1", last(1))
            .number("r2", last(2))
            .number("r3", last(3))
            .number("mean", round(mean, 2))
            .number("deviation", round(spread.sqrt(), 2))
            .text("next", if ticker.next > 0.0 { "UP" } else { "DOWN" })
            .end(&ticker.key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{events, number, share};

    #[test]
    fn the_last_direction_says_what_momentum_says() {
        for (momentum, same) in [(0.8, 0.795), (0.0, 0.5), (-0.8, 0.205)] {
            let events = events("market", &[("momentum", momentum)], 1, 40_000);
            let again = share(&events, |e| (number(e, "r1") > 0.0) == (e["next"] == "UP"));
            assert!((again - same).abs() < 0.01, "momentum {momentum}: {again}");
        }
        let rising = events("market", &[("trend", 0.5)], 1, 20_000);
        assert!((share(&rising, |e| e["next"] == "UP") - 0.691).abs() < 0.02, "Φ(0.5)");
    }

    #[test]
    fn the_label_is_what_the_next_tick_shows() {
        let events = events("market", &[], 1, 4_000);
        for (now, then) in events.iter().zip(&events[4..]) {
            let (r, up) = (number(then, "r1"), now["next"] == "UP");
            let moved = 1e4 * (number(then, "price") / number(now, "price") - 1.0);
            assert!((moved - r).abs() < 0.1, "{now} {then}");
            // A return that rounds to nothing has no direction.
            assert!(now["ticker"] == then["ticker"] && (r == 0.0 || (r > 0.0) == up), "{now} {then}");
        }
    }
}
