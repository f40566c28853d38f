//! Elementary functions in plain additions, multiplications and divisions: the same bits on every machine, and without
//! branches, so that the compiler may compute several at once.

#![expect(clippy::excessive_precision, reason = "constants as they were published")]

const MANTISSA: u64 = (1 << 52) - 1;
const ONE: u64 = 1023 << 52;
/// ln 2 in two parts, the first short enough that multiples of it are exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238_16e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// The natural logarithm of a positive normal number, to about 1 ulp (polynomial of FreeBSD's e_log.c).
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    // Mantissa in [sqrt(1/2), sqrt(2)), exponent to match; subnormal numbers count as the smallest normal one.
    let shifted = bits.wrapping_sub(0x3FE6_A09E_667F_3BCD);
    let exponent = (shifted as i64 >> 52) as i32;
    let m = f64::from_bits(bits.wrapping_sub(shifted & !MANTISSA));
    let k = f64::from(exponent);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = 3.999_999_999_940_941_908e-1 + w * (2.222_219_843_214_978_396e-1 + w * 1.531_383_769_920_937_332e-1);
    let odd = 6.666_666_666_666_735_13e-1
        + w * (2.857_142_874_366_239_149e-1 + w * (1.818_357_216_161_805_012e-1 + w * 1.479_819_860_511_658_591e-1));
    let r = z * odd + w * even;
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

/// `x ln x`, 0 at 0 (and below).
#[inline(always)]
pub(crate) fn x_ln_x(x: f64) -> f64 {
    let safe = if x > f64::MIN_POSITIVE { x } else { 1.0 };
    safe * ln(safe)
}

/// The exponential function of `x` <= 700, to about 2 ulp; 0 below -700.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: adding it rounds to a whole number
    let clamped = if x > -700.0 { x } else { -700.0 };
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (clamped - k * LN2_HIGH) - k * LN2_LOW;
    // Taylor's polynomial, even and odd powers apart; |r| <= ln(2)/2.
    let r2 = r * r;
    let (mut even, mut odd) = (1.0 / 479_001_600.0, 1.0 / 6_227_020_800.0);
    for (e, o) in [
        (1.0 / 3_628_800.0, 1.0 / 39_916_800.0),
        (1.0 / 40_320.0, 1.0 / 362_880.0),
        (1.0 / 720.0, 1.0 / 5_040.0),
        (1.0 / 24.0, 1.0 / 120.0),
        (0.5, 1.0 / 6.0),
        (1.0, 1.0),
    ] {
        even = even * r2 + e;
        odd = odd * r2 + o;
    }
    let p = even + r * odd;
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x > -700.0 { p * power } else { 0.0 }
}

/// The hyperbolic tangent, to about 1e-15 absolute.
#[inline(always)]
pub(crate) fn tanh(x: f64) -> f64 {
    let x = if x > 20.0 { 20.0 } else { x };
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// The cosine of so many turns (2π each), to about 1e-7; of at most some millions.
#[inline(always)]
pub(crate) fn cos_turns(turns: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: adding it rounds to a whole number
    // Within half a turn, then as a sine of a quarter turn at most: Taylor's polynomial.
    let part = turns - ((turns + ROUND) - ROUND);
    let x = (0.25 - part.abs()) * std::f64::consts::TAU;
    let x2 = x * x;
    let p = 1.0 / 362_880.0 - x2 * (1.0 / 39_916_800.0);
    x * (1.0 - x2 * (1.0 / 6.0 - x2 * (1.0 / 120.0 - x2 * (1.0 / 5_040.0 - x2 * p))))
}

/// The standard normal distribution function, to about 1e-12 (Hart, Computer Approximations, 1968, as given by West,
/// Better approximations to cumulative normal functions, 2005).
#[inline(always)]
pub(crate) fn normal_cdf(x: f64) -> f64 {
    let a = x.abs();
    let a = if a < 7.07 { a } else { 7.07 };
    let mut above = 3.526_249_659_989_11e-2;
    for c in [
        0.700_383_064_443_688,
        6.373_962_203_531_65,
        33.912_866_078_383,
        112.079_291_497_871,
        221.213_596_169_931,
        220.206_867_912_376,
    ] {
        above = above * a + c;
    }
    let mut below = 8.838_834_764_831_84e-2;
    for c in [
        1.755_667_163_182_64,
        16.064_177_579_207,
        86.780_732_202_946_1,
        296.564_248_779_674,
        637.333_633_378_831,
        793.826_512_519_948,
        440.413_735_824_752,
    ] {
        below = below * a + c;
    }
    let tail = exp(-0.5 * a * a) * above / below;
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// A product of positive numbers that neither overflows nor underflows: a mantissa and a power of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    mantissa: f64,
    exponent: i64,
}

impl Product {
    #[cfg(test)]
    pub(crate) const EMPTY: Self = Self { mantissa: 1.0, exponent: 0 };

    #[inline(always)]
    pub(crate) fn times(self, x: f64) -> Self {
        let (m, e) = split(x);
        let (mantissa, carry) = split(self.mantissa * m);
        Self { mantissa, exponent: self.exponent + e + carry }
    }

    /// Products of up to 250 mantissas each, and the powers of two that belong to them.
    #[inline(always)]
    pub(crate) fn of(mantissas: [f64; 4], exponents: [i64; 4]) -> Self {
        // Below 2^1000 together: nothing overflows yet.
        let (mantissa, carry) = split((mantissas[0] * mantissas[1]) * (mantissas[2] * mantissas[3]));
        Self { mantissa, exponent: carry + (exponents[0] + exponents[1]) + (exponents[2] + exponents[3]) }
    }

    /// Its natural logarithm.
    #[inline(always)]
    pub(crate) fn ln(self) -> f64 {
        ln(self.mantissa) + self.exponent as f64 * std::f64::consts::LN_2
    }
}

/// A positive normal number as mantissa in [1, 2) and power of two.
#[inline(always)]
pub(crate) fn split(x: f64) -> (f64, i64) {
    let bits = x.to_bits();
    (f64::from_bits(bits & MANTISSA | ONE), (bits >> 52) as i64 - 1023)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64, tolerance: f64) -> bool {
        (got - expected).abs() <= tolerance * expected.abs().max(1e-300)
    }

    #[test]
    fn logarithm_and_exponential_agree_with_the_library() {
        let mut x = 1e-300;
        while x < 1e300 {
            let (got, expected) = (ln(x), libm::log(x));
            assert!((got - expected).abs() <= 4e-16 * expected.abs().max(0.01), "ln {x}: {got} {expected}");
            x *= 1.37;
        }
        let mut x = -699.0;
        while x < 699.0 {
            assert!(near(exp(x), libm::exp(x), 1e-15), "exp {x}: {} {}", exp(x), libm::exp(x));
            x += 0.37;
        }
        assert_eq!((exp(0.0), exp(-1e9), exp(f64::NEG_INFINITY), ln(1.0)), (1.0, 0.0, 0.0, 0.0));
        assert_eq!((x_ln_x(0.0), x_ln_x(-1.0), x_ln_x(1.0)), (0.0, 0.0, 0.0));
    }

    #[test]
    fn tangent_and_cosine_agree_with_the_library() {
        let mut x = -50.0;
        while x < 50.0 {
            assert!((tanh(x) - libm::tanh(x)).abs() < 1e-15, "tanh {x}");
            let expected = libm::cos(x * std::f64::consts::TAU);
            assert!((cos_turns(x) - expected).abs() < 1e-7, "cos {x}: {} {expected}", cos_turns(x));
            x += 0.0137;
        }
    }

    #[test]
    fn the_normal_distribution_function_agrees_with_the_library() {
        let mut x = -9.0;
        while x < 9.0 {
            let expected = 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
            assert!((normal_cdf(x) - expected).abs() < 2e-12, "{x}: {} {expected}", normal_cdf(x));
            x += 0.013;
        }
        assert!(normal_cdf(f64::INFINITY) > 1.0 - 1e-11 && normal_cdf(f64::NEG_INFINITY) < 1e-11);
    }

    #[test]
    fn a_product_stands_what_floats_do_not() {
        let mut product = Product::EMPTY;
        for _ in 0..100 {
            product = product.times(1e-250).times(3.0);
        }
        let expected = 100.0 * (libm::log(3.0) - 250.0 * std::f64::consts::LN_10);
        assert!(near(product.ln(), expected, 1e-14));
    }
}
