//! What a window is asked: moments about one of its own values, and its extremes.
//!
//! Moments are kept as `n`, `S_1 = sum(x - c)` and `S_2 = sum(x - c)²` with `c` a value of the
//! window; mean `c + S_1 / n`, squared deviations `S_2 - S_1² / n`. Since no value of the window is
//! further from `c` than the window is wide, the relative rounding error of the variance is at most
//! about `n` roundings, however large the values are and whatever came before.
//!
//! NaN and infinite values are missing: they are not counted.

use super::blocks::Part;

/// Moments of a run about its value `c`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moments {
    pub(crate) count: f64,
    c: f64,
    first: f64,
    second: f64,
}

impl Part for Moments {
    type Value = f64;

    #[inline]
    fn take(&mut self, value: f64) {
        if value.is_finite() {
            if self.count == 0.0 {
                self.c = value;
            }
            let away = value - self.c;
            self.count += 1.0;
            self.first += away;
            self.second += away * away;
        }
    }

    #[inline]
    fn join(self, later: Self) -> Self {
        if self.count == 0.0 {
            return later;
        }
        if later.count == 0.0 {
            return self;
        }
        let shift = later.c - self.c;
        let moved = later.count * shift;
        Self {
            count: self.count + later.count,
            c: self.c,
            first: self.first + (later.first + moved),
            second: self.second + (later.second + shift * (2.0 * later.first + moved)),
        }
    }
}

impl Moments {
    #[inline]
    pub(crate) fn sum(&self) -> f64 {
        self.count * self.c + self.first
    }

    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        self.c + self.first / self.count
    }

    #[inline]
    pub(crate) fn variance(&self, ddof: f64) -> f64 {
        let squares = self.second - self.first * (self.first / self.count);
        let variance = squares.max(0.0) / (self.count - ddof);
        if self.count > ddof { variance } else { f64::NAN }
    }
}

/// Extremes of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extremes {
    pub(crate) count: u32,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self { count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Part for Extremes {
    type Value = f64;

    #[inline]
    fn take(&mut self, value: f64) {
        if value.is_finite() {
            self.count += 1;
            self.min = if value < self.min { value } else { self.min };
            self.max = if value > self.max { value } else { self.max };
        }
    }

    #[inline]
    fn join(self, later: Self) -> Self {
        Self {
            count: self.count + later.count,
            min: if later.min < self.min { later.min } else { self.min },
            max: if later.max > self.max { later.max } else { self.max },
        }
    }
}

/// Two parts of the same values.
impl<A: Part<Value = f64>, B: Part<Value = f64>> Part for (A, B) {
    type Value = f64;

    #[inline]
    fn take(&mut self, value: f64) {
        self.0.take(value);
        self.1.take(value);
    }

    #[inline]
    fn join(self, later: Self) -> Self {
        (self.0.join(later.0), self.1.join(later.1))
    }
}

/// The weighted sum of a run of (price, weight) about its price `c`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weighted {
    pub(crate) count: u32,
    weight: f64,
    c: f64,
    first: f64,
}

impl Part for Weighted {
    type Value = (f64, f64);

    #[inline]
    fn take(&mut self, (price, weight): (f64, f64)) {
        if price.is_finite() && weight.is_finite() {
            if self.count == 0 {
                self.c = price;
            }
            self.count += 1;
            self.weight += weight;
            self.first += weight * (price - self.c);
        }
    }

    #[inline]
    fn join(self, later: Self) -> Self {
        if self.count == 0 {
            return later;
        }
        if later.count == 0 {
            return self;
        }
        Self {
            count: self.count + later.count,
            weight: self.weight + later.weight,
            c: self.c,
            first: self.first + (later.first + later.weight * (later.c - self.c)),
        }
    }
}

impl Weighted {
    /// NaN when the weights sum to zero.
    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        if self.weight == 0.0 { f64::NAN } else { self.c + self.first / self.weight }
    }
}
