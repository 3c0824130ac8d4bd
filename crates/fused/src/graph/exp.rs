//! The exponential of numbers that are not positive, by lanes.
//!
//! x = n ln 2 + r with n the nearest integer and ln 2 in two parts, so that r is exact; exp(r) is Cephes' polynomial of
//! degree 6 on [-ln 2 / 2, ln 2 / 2]; 2^n goes into the exponent's bits. Below -87.33, where the result would be
//! subnormal, it is 0. NaN stays NaN. Largest error on [-87.33, 0]: 2 units in the last place (tested). Cost: about
//! 15 operations a lane.
//! Reference: Cody & Waite (1980), *Software Manual for the Elementary Functions*, chapter 6; Moshier's Cephes, `expf.c`.

/// The smallest argument with a normal result.
const LEAST: f32 = -87.33;
/// 1.5 x 2^23: adding it leaves the nearest integer in the low bits.
const SHIFT: f32 = 12_582_912.0;
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
const POLYNOMIAL: [f32; 6] =
    [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

const LANES: usize = 8;

/// Replaces every value, none of which may be positive, by its exponential.
#[inline(always)]
pub(super) fn exp_in_place(values: &mut [f32]) {
    let (blocks, rest) = values.as_chunks_mut::<LANES>();
    for block in blocks {
        *block = exp(*block);
    }
    let mut last = [0.0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    rest.copy_from_slice(&exp(last)[..rest.len()]);
}

#[inline(always)]
fn exp(x: [f32; LANES]) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    for lane in 0..LANES {
        // Comparisons are so written that NaN is kept.
        let x = x[lane];
        let bounded = if x < LEAST { LEAST } else { x };
        let shifted = bounded * std::f32::consts::LOG2_E + SHIFT;
        let n = shifted - SHIFT;
        let r = bounded - n * LN_2_HIGH - n * LN_2_LOW;
        let mut polynomial = POLYNOMIAL[0];
        for &coefficient in &POLYNOMIAL[1..] {
            polynomial = polynomial * r + coefficient;
        }
        let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
        let value = (polynomial * (r * r) + r + 1.0) * power;
        out[lane] = if x < LEAST { 0.0 } else { value };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_two_units_in_the_last_place() {
        let mut values: Vec<f32> = (0..200_000).map(|step| step as f32 * -4.366e-4).collect();
        let exact: Vec<f64> = values.iter().map(|&value| f64::from(value).exp()).collect();
        exp_in_place(&mut values);
        for (&value, &exact) in values.iter().zip(&exact) {
            let unit = f64::from((exact as f32).next_up()) - f64::from(exact as f32);
            assert!((f64::from(value) - exact).abs() <= 2.0 * unit, "{value} for {exact}");
        }
        assert_eq!(values[0], 1.0);
    }

    #[test]
    fn the_ends() {
        let mut values = [f32::NAN, f32::NEG_INFINITY, -88.0, -1e30, 0.0, -0.0];
        exp_in_place(&mut values);
        assert!(values[0].is_nan());
        assert_eq!(values[1..], [0.0, 0.0, 0.0, 1.0, 1.0]);
    }
}
