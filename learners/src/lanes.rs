//! Sums and products over slices in a fixed order: the same bits whether the compiler computes two, four or eight at once.

/// Numbers computed side by side.
pub(crate) const LANES: usize = 8;

/// `n` rounded up to whole lanes.
pub(crate) fn padded(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}

macro_rules! dot {
    ($name:ident, $float:ty) => {
        /// Sum of products; as long as the shorter slice.
        #[inline]
        pub(crate) fn $name(a: &[$float], b: &[$float]) -> $float {
            let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
            let mut sums = [0.0; LANES];
            for (a, b) in a.iter().zip(b) {
                for i in 0..LANES {
                    sums[i] += a[i] * b[i];
                }
            }
            let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
            let rest: $float = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
            ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7)) + rest
        }
    };
}

dot!(dot, f64);
dot!(dot32, f32);

/// `sums += factor * row`.
#[inline]
pub(crate) fn add_scaled(sums: &mut [f64], factor: f64, row: &[f64]) {
    for (sum, x) in sums.iter_mut().zip(row) {
        *sum += factor * x;
    }
}

/// `sums += factor * row`.
#[inline]
pub(crate) fn add_scaled32(sums: &mut [f32], factor: f32, row: &[f32]) {
    for (sum, x) in sums.iter_mut().zip(row) {
        *sum += factor * x;
    }
}
