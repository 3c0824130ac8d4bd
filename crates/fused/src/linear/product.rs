//! Products of small and tiled matrices, the kernel below every layer of this crate.
//!
//! ```text
//! C[i, j] = base + sum over p of A[i, p] B[p, j]      i < rows, p < depth, j < width
//! ```
//!
//! A is read in place, by rows or by columns, one number a lane: it needs no packing. B is read by rows of two
//! vectors, from a matrix in place or from panels that [`pack_transposed`] and [`pack_rows`] write. Up to
//! [`STRIP`] rows by two vectors of C stay in registers over the whole depth (Goto & van de Geijn 2008,
//! "Anatomy of high-performance matrix multiplication", section 4; Van Zee & van de Geijn 2015, "BLIS").
//! Sums run over p in order within blocks of [`DEPTH`], whatever the strip, so an element's bits do not depend
//! on how rows are shared out. NaN and infinity spread as multiplication and addition spread them.
//! Cost: rows x depth x width fused multiplications and additions.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

/// Rows of C that are summed together: with two vectors a row, 12 sums and 3 operands fill 16 registers.
const STRIP: usize = 6;

/// Products that are summed before a sum goes back to memory: a panel of B this deep stays in the first cache.
const DEPTH: usize = 256;

/// The widest panel of any processor: two vectors of 16 lanes.
const WIDEST: usize = 32;

/// The left factor and the distance between its rows, or between its columns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Left<'a> {
    /// `A[i, p]` is `values[i * stride + p]`.
    Rows(&'a [f32], usize),
    /// `A[i, p]` is `values[p * stride + i]`.
    Columns(&'a [f32], usize),
}

/// The right factor: `B[p, j]` is `values[j / panel width * panel + p * stride + j % panel width]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Right<'a> {
    values: &'a [f32],
    stride: usize,
    /// The distance between panels; none where panels lie side by side in rows.
    panel: Option<usize>,
}

impl<'a> Right<'a> {
    /// A matrix in place, with this distance between its rows.
    pub(crate) fn rows(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride, panel: None }
    }

    /// What a packing function wrote for this depth and these vectors.
    pub(crate) fn packed<S: Simd>(values: &'a [f32], depth: usize) -> Self {
        let width = panel_width::<S>();
        Self { values, stride: width, panel: Some(depth * width) }
    }
}

/// Columns of a panel: two vectors.
#[inline(always)]
pub(crate) fn panel_width<S: Simd>() -> usize {
    2 * S::F32_LANES
}

/// Values that a packed matrix takes at most, on any processor.
pub(crate) fn packed_len(depth: usize, width: usize) -> usize {
    depth * width.next_multiple_of(WIDEST)
}

/// A product to do; run it by `simd.vectorize`.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) width: usize,
    pub(crate) left: Left<'a>,
    pub(crate) right: Right<'a>,
    pub(crate) out: &'a mut [f32],
    /// The distance between rows of C.
    pub(crate) stride: usize,
    /// What the sums are added to.
    pub(crate) base: Base<'a>,
}

/// What the sums of a product are added to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Base<'a> {
    /// Nothing: C is written.
    Zero,
    /// C itself.
    Old,
    /// One row for all rows of C.
    Row(&'a [f32]),
}

impl Base<'_> {
    /// The base of columns from `column` on.
    #[inline(always)]
    fn from(self, column: usize) -> Self {
        if let Self::Row(row) = self { Self::Row(&row[column..]) } else { self }
    }
}

/// Where a strip of C lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    row: usize,
    column: usize,
    /// Columns there.
    width: usize,
    from: usize,
    depth: usize,
    /// Where the panel of B starts.
    panel: usize,
    /// Whether earlier depths were summed already.
    later: bool,
}

/// Depth from which a panel of rows far apart is copied before it is read once a strip.
const FAR: usize = 32;

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        debug_assert!(self.depth > 0, "sizes are checked");
        let panel_width = panel_width::<S>();
        // Lines half a KiB apart share few sets of the first cache: they would push each other out.
        let is_far = self.right.panel.is_none() && self.right.stride.is_multiple_of(128);
        if is_far && self.depth > FAR && self.rows >= 4 * STRIP {
            return self.by_copies(simd);
        }
        for from in (0..self.depth).step_by(DEPTH) {
            let depth = DEPTH.min(self.depth - from);
            for (number, column) in (0..self.width).step_by(panel_width).enumerate() {
                let width = panel_width.min(self.width - column);
                let panel = self.right.panel.map_or(column, |distance| number * distance);
                let place = Place { row: 0, column, width, from, depth, panel, later: from > 0 };
                if width == panel_width {
                    self.panel::<S, true>(simd, place);
                } else {
                    self.panel::<S, false>(simd, place);
                }
            }
        }
    }
}

impl Product<'_> {
    /// The whole product, one copied panel of the right factor after the other.
    #[inline(always)]
    fn by_copies<S: Simd>(self, simd: S) {
        let mut copy = [0.0; DEPTH * WIDEST];
        let panel_width = panel_width::<S>();
        for from in (0..self.depth).step_by(DEPTH) {
            let depth = DEPTH.min(self.depth - from);
            for column in (0..self.width).step_by(panel_width) {
                let width = panel_width.min(self.width - column);
                let source = &self.right.values[from * self.right.stride + column..];
                pack_rows(
                    simd,
                    (depth, width),
                    source,
                    self.right.stride,
                    &mut copy[..depth * panel_width],
                );
                let left = match self.left {
                    Left::Rows(values, stride) => Left::Rows(&values[from..], stride),
                    Left::Columns(values, stride) => {
                        Left::Columns(&values[from * stride..], stride)
                    }
                };
                simd.vectorize(Product {
                    rows: self.rows,
                    depth,
                    width,
                    left,
                    right: Right::packed::<S>(&copy[..depth * panel_width], depth),
                    out: &mut self.out[column..],
                    stride: self.stride,
                    base: if from > 0 { Base::Old } else { self.base.from(column) },
                });
            }
        }
    }

    /// All rows of one panel, in strips that are as even as can be.
    #[inline(always)]
    fn panel<S: Simd, const WHOLE: bool>(&mut self, simd: S, mut place: Place) {
        let mut strips = self.rows.div_ceil(STRIP);
        while strips > 0 {
            let rows = (self.rows - place.row).div_ceil(strips);
            match rows {
                6 => self.strip::<S, 6, WHOLE>(simd, place),
                5 => self.strip::<S, 5, WHOLE>(simd, place),
                4 => self.strip::<S, 4, WHOLE>(simd, place),
                3 => self.strip::<S, 3, WHOLE>(simd, place),
                2 => self.strip::<S, 2, WHOLE>(simd, place),
                _ => self.strip::<S, 1, WHOLE>(simd, place),
            }
            place.row += rows;
            strips -= 1;
        }
    }

    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize, const WHOLE: bool>(&mut self, simd: S, place: Place) {
        let Place { row, from, depth, .. } = place;
        let right = &self.right.values[place.panel + from * self.right.stride..];
        let sums: [[S::f32s; 2]; ROWS] = if WHOLE {
            let right = (right, self.right.stride);
            match self.left {
                Left::Rows(values, stride) => sum::<S, ROWS, false>(
                    simd,
                    depth,
                    (&values[row * stride + from..], stride),
                    right,
                ),
                Left::Columns(values, stride) => sum::<S, ROWS, true>(
                    simd,
                    depth,
                    (&values[from * stride + row..], stride),
                    right,
                ),
            }
        } else {
            self.sum_some(simd, place, right)
        };
        for (i, sums) in sums.into_iter().enumerate() {
            let at = (row + i) * self.stride + place.column;
            let out = &mut self.out[at..][..place.width];
            match self.base {
                Base::Zero if !place.later => write::<S, WHOLE>(simd, out, sums),
                Base::Row(row) if !place.later => {
                    let row = load::<S, WHOLE>(simd, &row[place.column..][..place.width]);
                    write::<S, WHOLE>(simd, out, add(simd, row, sums));
                }
                _ => {
                    let old = load::<S, WHOLE>(simd, out);
                    write::<S, WHOLE>(simd, out, add(simd, old, sums));
                }
            }
        }
    }
}

impl Product<'_> {
    /// The sums of a strip with any part of a panel, in order of depth.
    #[inline(always)]
    fn sum_some<S: Simd, const ROWS: usize>(
        &self,
        simd: S,
        place: Place,
        right: &[f32],
    ) -> [[S::f32s; 2]; ROWS] {
        let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
        for p in 0..place.depth {
            let row = load::<S, false>(simd, &right[p * self.right.stride..][..place.width]);
            for (i, sums) in sums.iter_mut().enumerate() {
                let (i, p) = (place.row + i, place.from + p);
                let value = simd.splat_f32s(match self.left {
                    Left::Rows(values, stride) => values[i * stride + p],
                    Left::Columns(values, stride) => values[p * stride + i],
                });
                sums[0] = simd.mul_add_f32s(value, row[0], sums[0]);
                sums[1] = simd.mul_add_f32s(value, row[1], sums[1]);
            }
        }
        sums
    }
}

/// The sums of a strip with a whole panel, in order of depth: element (i, p) of the left factor is at
/// `i * stride + p`, or at `p * stride + i` where it is read by columns; row p of the right one at `p * stride`.
/// [`Product::sum_some`] is its twin without pointers.
#[inline(always)]
#[expect(
    unsafe_code,
    reason = "bounds that are checked once a strip: checks a number cost a third of the time"
)]
fn sum<S: Simd, const ROWS: usize, const COLUMNS: bool>(
    simd: S,
    depth: usize,
    (left, left_stride): (&[f32], usize),
    (right, right_stride): (&[f32], usize),
) -> [[S::f32s; 2]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
    let Some(last) = depth.checked_sub(1) else { return sums };
    let (row_step, step) = if COLUMNS { (1, left_stride) } else { (left_stride, 1) };
    assert!((ROWS - 1) * row_step + last * step < left.len(), "the left factor is too short");
    assert!(
        last * right_stride + panel_width::<S>() <= right.len(),
        "the right factor is too short"
    );
    let half = ROWS / 2;
    let (low, high, right) = (left.as_ptr(), left[half * row_step..].as_ptr(), right.as_ptr());
    for p in 0..depth {
        // SAFETY: p <= last and i <= ROWS - 1, so by the two assertions above every address lies in its slice;
        // vectors are plain numbers and are read unaligned.
        let (values, row): ([f32; ROWS], [S::f32s; 2]) = unsafe {
            let row = right.add(p * right_stride).cast::<S::f32s>();
            let (low, high) = (low.add(p * step), high.add(p * step));
            // Two bases: rows are then at most two distances from one, which addresses hold.
            let read = |i| {
                if i < half {
                    low.add(i * row_step).read()
                } else {
                    high.add((i - half) * row_step).read()
                }
            };
            (from_fn(read), [row.read_unaligned(), row.add(1).read_unaligned()])
        };
        for i in 0..ROWS {
            let value = simd.splat_f32s(values[i]);
            sums[i][0] = simd.mul_add_f32s(value, row[0], sums[i][0]);
            sums[i][1] = simd.mul_add_f32s(value, row[1], sums[i][1]);
        }
    }
    sums
}

#[inline(always)]
fn add<S: Simd>(simd: S, left: [S::f32s; 2], right: [S::f32s; 2]) -> [S::f32s; 2] {
    [simd.add_f32s(left[0], right[0]), simd.add_f32s(left[1], right[1])]
}

/// Two vectors of a row, or as much of them as there is.
#[inline(always)]
fn load<S: Simd, const WHOLE: bool>(simd: S, row: &[f32]) -> [S::f32s; 2] {
    if WHOLE {
        let row = S::as_simd_f32s(row).0;
        return [row[0], row[1]];
    }
    let (first, second) = row.split_at(row.len().min(S::F32_LANES));
    [simd.partial_load_f32s(first), simd.partial_load_f32s(second)]
}

#[inline(always)]
fn write<S: Simd, const WHOLE: bool>(simd: S, out: &mut [f32], sums: [S::f32s; 2]) {
    if WHOLE {
        S::as_mut_simd_f32s(out).0[..2].copy_from_slice(&sums);
        return;
    }
    let (first, second) = out.split_at_mut(out.len().min(S::F32_LANES));
    simd.partial_store_f32s(first, sums[0]);
    simd.partial_store_f32s(second, sums[1]);
}

/// Writes the transpose of a matrix (`width` rows of `depth` values, `stride` apart) as panels; what is beyond
/// the last column is zero.
#[inline(always)]
pub(crate) fn pack_transposed<S: Simd>(
    _simd: S,
    (depth, width): (usize, usize),
    from: &[f32],
    stride: usize,
    out: &mut [f32],
) {
    let panel_width = panel_width::<S>();
    if depth == 0 {
        return;
    }
    for (out, column) in
        out.chunks_exact_mut(depth * panel_width).zip((0..width).step_by(panel_width))
    {
        let here = panel_width.min(width - column);
        if here < panel_width {
            out.fill(0.0);
        }
        for j in 0..here {
            let row = &from[(column + j) * stride..][..depth];
            for (out, &value) in out.chunks_exact_mut(panel_width).zip(row) {
                out[j] = value;
            }
        }
    }
}

/// Writes a matrix (`depth` rows of `width` values, `stride` apart) as panels; what is beyond the last column
/// is zero.
#[inline(always)]
pub(crate) fn pack_rows<S: Simd>(
    _simd: S,
    (depth, width): (usize, usize),
    from: &[f32],
    stride: usize,
    out: &mut [f32],
) {
    let panel_width = panel_width::<S>();
    if depth == 0 {
        return;
    }
    for (out, column) in
        out.chunks_exact_mut(depth * panel_width).zip((0..width).step_by(panel_width))
    {
        let here = panel_width.min(width - column);
        for (p, out) in out.chunks_exact_mut(panel_width).enumerate() {
            out[..here].copy_from_slice(&from[p * stride + column..][..here]);
            out[here..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::Arch;

    /// Small whole numbers: sums are exact, so every path must give the same.
    fn numbers(len: usize, step: usize) -> Vec<f32> {
        (0..len).map(|at| (at * step % 7) as f32 - 3.0).collect()
    }

    struct Packed<'a> {
        shape: (usize, usize, usize),
        left: &'a [f32],
        right: &'a [f32],
        transposed: bool,
        out: &'a mut [f32],
    }

    impl WithSimd for Packed<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let (rows, depth, width) = self.shape;
            let mut packed = vec![f32::NAN; packed_len(depth, width)];
            if self.transposed {
                let turned: Vec<f32> = (0..width)
                    .flat_map(|j| (0..depth).map(move |p| self.right[p * width + j]))
                    .collect();
                pack_transposed(simd, (depth, width), &turned, depth, &mut packed);
            } else {
                pack_rows(simd, (depth, width), self.right, width, &mut packed);
            }
            let (left, right) = (Left::Rows(self.left, depth), Right::packed::<S>(&packed, depth));
            simd.vectorize(Product {
                rows,
                depth,
                width,
                left,
                right,
                out: self.out,
                stride: width,
                base: Base::Zero,
            });
        }
    }

    #[test]
    fn all_paths_are_the_plain_product() {
        // Strips of all heights, whole and partial panels, depths of several blocks, rows of 128 that are copied.
        for (rows, depth, width) in [
            (1, 1, 1),
            (2, 3, 16),
            (3, 5, 33),
            (4, 7, 64),
            (5, 300, 17),
            (13, 2, 48),
            (30, 300, 128),
            (25, 40, 256),
        ] {
            let (left, right) = (numbers(rows * depth, 3), numbers(depth * width, 5));
            let bias = numbers(width, 2);
            let mut expected = Vec::new();
            for (i, j) in (0..rows).flat_map(|i| (0..width).map(move |j| (i, j))) {
                expected.push(
                    (0..depth).map(|p| left[i * depth + p] * right[p * width + j]).sum::<f32>(),
                );
            }
            let turned: Vec<f32> = (0..depth)
                .flat_map(|p| (0..rows).map(move |i| (i, p)))
                .map(|(i, p)| left[i * depth + p])
                .collect();
            for left in [Left::Rows(&left, depth), Left::Columns(&turned, rows)] {
                for base in [Base::Zero, Base::Old, Base::Row(&bias)] {
                    let mut out = vec![2.0; rows * width];
                    let right = Right::rows(&right, width);
                    let product = Product {
                        rows,
                        depth,
                        width,
                        left,
                        right,
                        out: &mut out,
                        stride: width,
                        base,
                    };
                    Arch::new().dispatch(product);
                    for (at, (out, expected)) in out.iter().zip(&expected).enumerate() {
                        let base = match base {
                            Base::Zero => 0.0,
                            Base::Old => 2.0,
                            Base::Row(row) => row[at % width],
                        };
                        assert_eq!(*out, base + expected, "{rows} x {depth} x {width} at {at}");
                    }
                }
            }
            for transposed in [false, true] {
                let mut outs = [vec![2.0; rows * width], vec![2.0; rows * width]];
                let shape = (rows, depth, width);
                let [vectors, scalars] = &mut outs;
                Arch::new().dispatch(Packed {
                    shape,
                    left: &left,
                    right: &right,
                    transposed,
                    out: vectors,
                });
                Packed { shape, left: &left, right: &right, transposed, out: scalars }
                    .with_simd(pulp::Scalar);
                assert_eq!(outs, [expected.clone(), expected.clone()]);
            }
        }
    }
}
