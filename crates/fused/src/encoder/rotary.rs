//! Rotary positions: queries and keys are turned by angles that grow with their position, so that their product
//! depends on the distance alone.
//!
//! ```text
//! angle(t, i) = t x base^(-2 i / width)                                  i < width / 2
//! x_i' = x_i cos - x_(i + width/2) sin        x_(i + width/2)' = x_(i + width/2) cos + x_i sin
//! ```
//!
//! A head's values are paired by halves, as GPT-NeoX and Llama do, not as neighbours. The gradient turns back.
//! Cost: three operations a value; angles are made once a call, in double precision.
//! Reference: Su, Lu, Pan, Murtadha, Wen & Liu 2021, "RoFormer: enhanced transformer with rotary position embedding",
//! section 3.2.

/// Cosines and sines of all positions.
#[derive(Debug)]
pub(super) struct Rotary {
    /// Half of a head's width.
    half: usize,
    /// Position by position: the cosines, then the sines.
    angles: Vec<f32>,
}

impl Rotary {
    pub(super) fn new(base: f32, length: usize, width: usize) -> Self {
        let half = width / 2;
        let mut angles = Vec::with_capacity(length * width);
        let rate = |i: usize| f64::from(base).powf(-2.0 * i as f64 / width as f64);
        for position in 0..length {
            angles.extend((0..half).map(|i| (position as f64 * rate(i)).cos() as f32));
            angles.extend((0..half).map(|i| (position as f64 * rate(i)).sin() as f32));
        }
        Self { half, angles }
    }

    /// Turns the heads of a row.
    #[inline(always)]
    pub(super) fn turn(&self, position: usize, row: &mut [f32]) {
        self.turn_by(position, row, |cos, sin, x, y| (x * cos - y * sin, y * cos + x * sin));
    }

    /// Turns the gradients of the heads of a row back.
    #[inline(always)]
    pub(super) fn turn_back(&self, position: usize, row: &mut [f32]) {
        self.turn_by(position, row, |cos, sin, x, y| (x * cos + y * sin, y * cos - x * sin));
    }

    #[inline(always)]
    fn turn_by(
        &self,
        position: usize,
        row: &mut [f32],
        turn: impl Fn(f32, f32, f32, f32) -> (f32, f32),
    ) {
        let angles = &self.angles[position * 2 * self.half..][..2 * self.half];
        let (cosines, sines) = angles.split_at(self.half);
        for head in row.chunks_exact_mut(2 * self.half) {
            let (first, second) = head.split_at_mut(self.half);
            for (((x, y), &cos), &sin) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
                (*x, *y) = turn(cos, sin, *x, *y);
            }
        }
    }
}
