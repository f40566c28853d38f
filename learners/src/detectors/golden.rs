//! The stream that detectors are compared with MOA's on: 0/1 errors at .2, .6 from 1,000, .1 from 2,000 to 3,000.

use crate::{Detector, Signal};

/// Place and loss.
pub(super) fn golden() -> impl Iterator<Item = (u64, f64)> {
    let mut s = 42_u64;
    (0..3000).map(move |i| {
        s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let u = (s >> 11) as f64 / (1_u64 << 53) as f64;
        let p = [0.2, 0.6, 0.1][i as usize / 1000];
        (i, f64::from(u8::from(u < p)))
    })
}

/// Where `detector` says `signal` on that stream.
pub(super) fn places(signal: Signal, detector: &mut impl Detector) -> Vec<u64> {
    golden().filter(|(_, loss)| detector.update(*loss) == signal).map(|(i, _)| i).collect()
}
