//! The matrix products of a block.
//!
//! With h the inputs (one array of lanes a unit), W the matrix and d the slopes of the outputs:
//!
//! ```text
//! forward    z[o] = b[o] + sum_i W[o][i] h[i]        affine
//! backward   e[i] = sum_o W[o][i] d[o]               back
//! gradient   G[o][i] += sum_l d[o][l] h[i][l]        outer, on h turned to rows
//! ```
//!
//! Each holds a tile of about eight registers of sums, which hides the latency of the additions,
//! and walks the inner dimension once. NaN passes through. Cost: 2 x outputs x inputs x 16
//! operations each.
//! Reference: Goto & van de Geijn (2008), Anatomy of high-performance matrix multiplication.

use pulp::Simd;

use super::lanes::{LANES, Lanes, Wide};
use super::layout::{Linear, turned_stride};

/// `z[o] = b[o] + sum_i W[o][i] h[i]`.
#[inline(always)]
pub(super) fn affine<S: Simd, const N: usize>(
    wide: Wide<S, N>,
    linear: &Linear,
    parameters: &[f32],
    input: &[Lanes],
    out: &mut [Lanes],
) {
    if N == 1 {
        affine_tiles::<S, N, 8>(wide, linear, parameters, input, out);
    } else {
        affine_tiles::<S, N, 4>(wide, linear, parameters, input, out);
    }
}

#[inline(always)]
fn affine_tiles<S: Simd, const N: usize, const TILE: usize>(
    wide: Wide<S, N>,
    linear: &Linear,
    parameters: &[f32],
    input: &[Lanes],
    out: &mut [Lanes],
) {
    let mut weight = &parameters[linear.weight..][..linear.outputs * linear.stride];
    let mut bias = &parameters[linear.bias..][..linear.outputs];
    let (tiles, rest) = out[..linear.outputs].as_chunks_mut::<TILE>();
    for out in tiles {
        affine_tile(wide, linear, weight, bias, input, out);
        (weight, bias) = (&weight[TILE * linear.stride..], &bias[TILE..]);
    }
    for out in rest {
        affine_tile(wide, linear, weight, bias, input, std::array::from_mut(out));
        (weight, bias) = (&weight[linear.stride..], &bias[1..]);
    }
}

#[inline(always)]
fn affine_tile<S: Simd, const N: usize, const TILE: usize>(
    wide: Wide<S, N>,
    linear: &Linear,
    weight: &[f32],
    bias: &[f32],
    input: &[Lanes],
    out: &mut [Lanes; TILE],
) {
    let mut rows = [weight; TILE];
    let mut sums = [wide.splat(0.0); TILE];
    for at in 0..TILE {
        rows[at] = &weight[at * linear.stride..][..linear.inputs];
        sums[at] = wide.splat(bias[at]);
    }
    for (at, lanes) in input[..linear.inputs].iter().enumerate() {
        let values = wide.load(lanes);
        for row in 0..TILE {
            sums[row] = wide.add_product(wide.splat(rows[row][at]), values, sums[row]);
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        wide.store(out, sums);
    }
}

/// `e[i] = sum_o W[o][i] d[o]`.
#[inline(always)]
pub(super) fn back<S: Simd, const N: usize>(
    wide: Wide<S, N>,
    linear: &Linear,
    parameters: &[f32],
    slope: &[Lanes],
    out: &mut [Lanes],
) {
    if N == 1 {
        back_tiles::<S, N, 8>(wide, linear, parameters, slope, out);
    } else {
        back_tiles::<S, N, 4>(wide, linear, parameters, slope, out);
    }
}

#[inline(always)]
fn back_tiles<S: Simd, const N: usize, const TILE: usize>(
    wide: Wide<S, N>,
    linear: &Linear,
    parameters: &[f32],
    slope: &[Lanes],
    out: &mut [Lanes],
) {
    let mut weight = &parameters[linear.weight..][..linear.outputs * linear.stride];
    let (tiles, rest) = out[..linear.inputs].as_chunks_mut::<TILE>();
    for out in tiles {
        back_tile(wide, linear, weight, slope, out);
        weight = &weight[TILE..];
    }
    for out in rest {
        back_tile(wide, linear, weight, slope, std::array::from_mut(out));
        weight = &weight[1..];
    }
}

#[inline(always)]
fn back_tile<S: Simd, const N: usize, const TILE: usize>(
    wide: Wide<S, N>,
    linear: &Linear,
    weight: &[f32],
    slope: &[Lanes],
    out: &mut [Lanes; TILE],
) {
    let mut sums = [wide.splat(0.0); TILE];
    // The last row is shorter than a stride where the tile does not begin at its start.
    for (row, lanes) in weight.chunks(linear.stride).zip(slope) {
        let values = wide.load(lanes);
        if let Some(scales) = row.first_chunk::<TILE>() {
            for at in 0..TILE {
                sums[at] = wide.add_product(wide.splat(scales[at]), values, sums[at]);
            }
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        wide.store(out, sums);
    }
}

/// `G[o][i] += sum_l d[o][l] h[i][l]`, with the inputs turned to sixteen rows.
#[inline(always)]
pub(super) fn outer<S: Simd, const N: usize>(
    wide: Wide<S, N>,
    linear: &Linear,
    slope: &[Lanes],
    turned: &[f32],
    gradient: &mut [f32],
) {
    let gradient = &mut gradient[linear.weight..][..linear.outputs * linear.stride];
    let registers = linear.stride.div_ceil(S::F32_LANES);
    let turned = Turned { rows: turned, stride: turned_stride(linear.inputs) };
    let slope = &slope[..linear.outputs];
    for register in (0..registers - registers % 2).step_by(2) {
        outer_tiles::<S, N, 4, 2>(wide, linear.stride, register, slope, &turned, gradient);
    }
    if registers % 2 == 1 {
        outer_tiles::<S, N, 8, 1>(wide, linear.stride, registers - 1, slope, &turned, gradient);
    }
}

struct Turned<'a> {
    rows: &'a [f32],
    stride: usize,
}

#[inline(always)]
fn outer_tiles<S: Simd, const N: usize, const TILE: usize, const ACROSS: usize>(
    wide: Wide<S, N>,
    stride: usize,
    register: usize,
    slope: &[Lanes],
    turned: &Turned<'_>,
    mut gradient: &mut [f32],
) {
    let (tiles, rest) = slope.as_chunks::<TILE>();
    for slope in tiles {
        let (now, later) = gradient.split_at_mut(TILE * stride);
        outer_tile::<S, N, TILE, ACROSS>(wide, register, slope, turned, now);
        gradient = later;
    }
    for (slope, gradient) in rest.iter().zip(gradient.chunks_exact_mut(stride)) {
        let slope = std::array::from_ref(slope);
        outer_tile::<S, N, 1, ACROSS>(wide, register, slope, turned, gradient);
    }
}

#[inline(always)]
fn outer_tile<S: Simd, const N: usize, const TILE: usize, const ACROSS: usize>(
    wide: Wide<S, N>,
    register: usize,
    slope: &[Lanes; TILE],
    turned: &Turned<'_>,
    gradient: &mut [f32],
) {
    let simd = wide.0;
    let mut sums = [[simd.splat_f32s(0.0); ACROSS]; TILE];
    for (lane, row) in turned.rows.chunks_exact(turned.stride).take(LANES).enumerate() {
        let Some(values) = S::as_simd_f32s(row).0[register..].first_chunk::<ACROSS>() else {
            continue;
        };
        for out in 0..TILE {
            let scale = simd.splat_f32s(slope[out].0[lane]);
            for at in 0..ACROSS {
                sums[out][at] = simd.mul_add_e_f32s(scale, values[at], sums[out][at]);
            }
        }
    }
    let stride = gradient.len() / TILE;
    for (row, sums) in gradient.chunks_exact_mut(stride).zip(&sums) {
        let row = &mut row[register * S::F32_LANES..];
        let (whole, part) = S::as_mut_simd_f32s(row);
        for (to, sum) in whole.iter_mut().zip(sums) {
            *to = simd.add_f32s(*to, *sum);
        }
        // Half a register is left where registers are wider than the padding.
        if let Some(sum) = sums.get(whole.len()).filter(|_| !part.is_empty()) {
            let old = simd.partial_load_f32s(part);
            simd.partial_store_f32s(part, simd.add_f32s(old, *sum));
        }
    }
}

/// Sixteen padded rows out of one array of lanes a unit.
#[inline(always)]
pub(super) fn turn(units: &[Lanes], turned: &mut [f32]) {
    let stride = turned_stride(units.len());
    for (unit, lanes) in units.iter().enumerate() {
        for (row, value) in turned.chunks_exact_mut(stride).zip(&lanes.0) {
            row[unit] = *value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Task;
    use crate::lanes::tests::everywhere;
    use crate::layout::padded;

    fn values(seed: u32, count: usize) -> Vec<Lanes> {
        let value = |unit: usize, lane: usize| {
            let hash = ((unit * LANES + lane) as u32).wrapping_mul(2_654_435_761) ^ seed;
            f64::from(hash.wrapping_mul(2_246_822_519)) / f64::from(u32::MAX) - 0.5
        };
        (0..count).map(|unit| Lanes(std::array::from_fn(|lane| value(unit, lane) as f32))).collect()
    }

    fn near(found: f32, expected: f64) {
        assert!((f64::from(found) - expected).abs() < 1e-4, "{found} {expected}");
    }

    #[derive(Clone, Copy)]
    struct Products {
        inputs: usize,
        outputs: usize,
    }

    impl Task for Products {
        type Output = ();

        fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) {
            let Self { inputs, outputs } = self;
            let stride = padded(inputs);
            let bias = 8 + outputs * stride;
            let linear = Linear { inputs, outputs, stride, weight: 8, bias };
            let mut parameters = vec![0.0; bias + outputs];
            for out in 0..outputs {
                for at in 0..inputs {
                    parameters[8 + out * stride + at] = ((out * 7 + at * 3) % 11) as f32 - 5.0;
                }
                parameters[bias + out] = out as f32;
            }
            let weight = |out: usize, at: usize| f64::from(parameters[8 + out * stride + at]);
            let (input, slope) = (values(1, inputs), values(2, outputs));
            let mut out = vec![Lanes::ZERO; outputs];
            affine(wide, &linear, &parameters, &input, &mut out);
            let mut down = vec![Lanes::ZERO; inputs];
            back(wide, &linear, &parameters, &slope, &mut down);
            let mut turned = vec![0.0; LANES * turned_stride(inputs)];
            turn(&input, &mut turned);
            let mut gradient = vec![1.0; parameters.len()];
            outer(wide, &linear, &slope, &turned, &mut gradient);
            for lane in 0..LANES {
                for (o, found) in out.iter().enumerate() {
                    let product = |(i, h): (usize, &Lanes)| weight(o, i) * f64::from(h.0[lane]);
                    let sum: f64 = input.iter().enumerate().map(product).sum();
                    near(found.0[lane], o as f64 + sum);
                }
                for (i, found) in down.iter().enumerate() {
                    let product = |(o, d): (usize, &Lanes)| weight(o, i) * f64::from(d.0[lane]);
                    near(found.0[lane], slope.iter().enumerate().map(product).sum());
                }
            }
            for (o, d) in slope.iter().enumerate() {
                for at in 0..stride {
                    let product = |lane: usize| match input.get(at) {
                        Some(h) => f64::from(d.0[lane]) * f64::from(h.0[lane]),
                        None => 0.0,
                    };
                    let sum: f64 = (0..LANES).map(product).sum();
                    near(gradient[8 + o * stride + at], 1.0 + sum);
                }
            }
            assert_eq!(gradient[..8], [1.0; 8]);
            assert!(gradient[bias..].iter().all(|&value| value == 1.0));
        }
    }

    #[test]
    fn products_agree_with_plain_loops() {
        for (inputs, outputs) in [(1, 1), (5, 16), (16, 8), (8, 1), (3, 7), (33, 13), (24, 12)] {
            everywhere(Products { inputs, outputs });
        }
    }
}
