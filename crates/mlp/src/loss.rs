//! Losses of the residual r = prediction - target, with their slopes.
//!
//! | loss | l(r) | slope |
//! |---|---|---|
//! | squared | r^2 / 2 | r |
//! | absolute | abs r | sign r, 0 at 0 |
//! | Huber | r^2 / 2, or delta (abs r - delta / 2) beyond delta | r cut to [-delta, delta] |
//! | quantile | level (-r) below the target, (1 - level) r above | -level or 1 - level, 0 at 0 |
//! | log-cosh | ln cosh r | tanh r |
//! | Tukey | c^2 / 6 (1 - (1 - (r/c)^2)^3), c^2 / 6 beyond c | r (1 - (r/c)^2)^2, 0 beyond |
//!
//! The definitions are those of the house's losses on slices. The mean is weighted; a row counts
//! when its target is finite and its weight positive and finite. Computed in `f64` a row. Cost: a
//! few operations a row, and a logarithm and two exponentials for log-cosh.
//! Reference: Huber (1964); Koenker & Bassett (1978); Beaton & Tukey (1974).

use serde::{Deserialize, Serialize};

use super::lanes::{LANES, Lanes};
use crate::{Error, Result};

/// The loss of a row.
///
/// ```
/// use fattail_mlp::RowLoss;
/// let huber = RowLoss::Huber { delta: 0.1 };
/// assert!((huber.value(0.5) - 0.045).abs() < 1e-12);
/// assert_eq!(huber.slope(-0.5), -0.1);
/// assert!(RowLoss::Huber { delta: 0.0 }.check().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum RowLoss {
    /// Half the squared residual.
    Squared,
    /// The absolute residual.
    Absolute,
    /// Squared near the target, absolute beyond `delta`.
    Huber {
        /// Where the loss turns straight.
        delta: f64,
    },
    /// The pinball loss, whose best constant is a quantile.
    Quantile {
        /// The share of targets below the prediction.
        level: f64,
    },
    /// The logarithm of the hyperbolic cosine.
    LogCosh,
    /// Tukey's biweight: residuals beyond `c` count alike.
    Tukey {
        /// Where a residual stops to matter.
        c: f64,
    },
}

impl RowLoss {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let (name, value, right, allowed) = match *self {
            Self::Squared | Self::Absolute | Self::LogCosh => return Ok(()),
            Self::Huber { delta } => ("delta", delta, positive(delta), "positive and finite"),
            Self::Tukey { c } => ("c", c, positive(c), "positive and finite"),
            Self::Quantile { level } => {
                let allowed = "between 0 and 1, both excluded";
                ("level", level, level > 0.0 && level < 1.0, allowed)
            }
        };
        if right { Ok(()) } else { Err(Error::Setting { name, value: value.to_string(), allowed }) }
    }

    /// The loss of a residual.
    #[must_use]
    pub fn value(&self, residual: f64) -> f64 {
        self.at(residual).0
    }

    /// Its derivative.
    #[must_use]
    pub fn slope(&self, residual: f64) -> f64 {
        self.at(residual).1
    }

    fn at(&self, residual: f64) -> (f64, f64) {
        match *self {
            Self::Squared => squared(residual),
            Self::Absolute => absolute(residual),
            Self::Huber { delta } => huber(residual, delta),
            Self::Quantile { level } => quantile(residual, level),
            Self::LogCosh => log_cosh(residual),
            Self::Tukey { c } => tukey(residual, c),
        }
    }

    /// The weighted sum of the losses of sixteen rows; `slope` becomes the weighted slopes. The
    /// choice of the loss stands outside of the lanes, so that each loop is straight.
    #[inline(always)]
    pub(super) fn lanes(
        &self,
        prediction: &Lanes,
        target: &Lanes,
        weight: &[f64; LANES],
        slope: &mut [f64; LANES],
    ) -> f64 {
        let rows = Rows { prediction, target, weight };
        match *self {
            Self::Squared => rows.map(slope, squared),
            Self::Absolute => rows.map(slope, absolute),
            Self::Huber { delta } => rows.map(slope, |residual| huber(residual, delta)),
            Self::Quantile { level } => rows.map(slope, |residual| quantile(residual, level)),
            Self::LogCosh => rows.map(slope, log_cosh),
            Self::Tukey { c } => rows.map(slope, |residual| tukey(residual, c)),
        }
    }
}

struct Rows<'a> {
    prediction: &'a Lanes,
    target: &'a Lanes,
    weight: &'a [f64; LANES],
}

impl Rows<'_> {
    #[inline(always)]
    fn map(&self, slope: &mut [f64; LANES], at: impl Fn(f64) -> (f64, f64)) -> f64 {
        let mut value = [0.0; LANES];
        for lane in 0..LANES {
            let residual = f64::from(self.prediction.0[lane]) - f64::from(self.target.0[lane]);
            let (loss, bend) = at(residual);
            value[lane] = self.weight[lane] * loss;
            slope[lane] = self.weight[lane] * bend;
        }
        value.iter().sum()
    }
}

#[inline(always)]
fn squared(residual: f64) -> (f64, f64) {
    (0.5 * residual * residual, residual)
}

#[inline(always)]
fn absolute(residual: f64) -> (f64, f64) {
    (residual.abs(), sign(residual))
}

#[inline(always)]
fn huber(residual: f64, delta: f64) -> (f64, f64) {
    let size = residual.abs();
    // Beyond delta: delta (size - delta / 2). Written with one select a result.
    let cut = if size > delta { delta } else { size };
    (cut * (size - 0.5 * cut), cut.copysign(residual))
}

#[inline(always)]
fn quantile(residual: f64, level: f64) -> (f64, f64) {
    let up = if residual > 0.0 { 1.0 - level } else { -level };
    (up * residual, if residual == 0.0 { 0.0 } else { up })
}

/// `abs r + ln(1 + exp(-2 abs r)) - ln 2` never overflows; near 0 it is taken from sinh, which
/// keeps its digits.
#[inline(always)]
fn log_cosh(residual: f64) -> (f64, f64) {
    let size = residual.abs();
    let value = if size < 0.5 {
        let half = (0.5 * size).sinh();
        (2.0 * half * half).ln_1p()
    } else {
        size + (-2.0 * size).exp().ln_1p() - std::f64::consts::LN_2
    };
    (value, residual.tanh())
}

#[inline(always)]
fn tukey(residual: f64, c: f64) -> (f64, f64) {
    let share = residual / c;
    let inside = 1.0 - share * share;
    let inside = if inside < 0.0 { 0.0 } else { inside };
    (c * c / 6.0 * (1.0 - inside * inside * inside), residual * (inside * inside))
}

#[inline(always)]
fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [RowLoss; 6] = [
        RowLoss::Squared,
        RowLoss::Absolute,
        RowLoss::Huber { delta: 0.7 },
        RowLoss::Quantile { level: 0.2 },
        RowLoss::LogCosh,
        RowLoss::Tukey { c: 1.5 },
    ];

    #[test]
    fn by_hand() {
        let huber = RowLoss::Huber { delta: 1.0 };
        assert_eq!((huber.value(0.5), huber.slope(0.5)), (0.125, 0.5));
        assert_eq!((huber.value(-4.0), huber.slope(-4.0)), (3.5, -1.0));
        let quantile = RowLoss::Quantile { level: 0.25 };
        assert_eq!((quantile.value(-2.0), quantile.value(2.0)), (0.5, 1.5));
        assert_eq!((quantile.slope(-2.0), quantile.slope(2.0)), (-0.25, 0.75));
        let tukey = RowLoss::Tukey { c: 2.0 };
        assert_eq!((tukey.value(9.0), tukey.slope(9.0)), (4.0 / 6.0, 0.0));
        assert_eq!(tukey.slope(1.0), 0.5625);
        assert!((RowLoss::LogCosh.value(1e3) - (1e3 - std::f64::consts::LN_2)).abs() < 1e-9);
        assert!(ALL.iter().all(|loss| loss.value(0.0) == 0.0 && loss.slope(0.0) == 0.0));
        assert!(ALL.iter().all(|loss| loss.value(f64::NAN).is_nan()));
    }

    #[test]
    fn slopes_are_finite_differences() {
        let step = 1e-6;
        for loss in ALL {
            for residual in [-3.1, -1.2, -0.4, -0.01, 0.02, 0.3, 0.9, 1.4, 2.5] {
                let rise = loss.value(residual + step) - loss.value(residual - step);
                let gap = rise / (2.0 * step) - loss.slope(residual);
                assert!(gap.abs() < 1e-8, "{loss:?} at {residual}: {gap}");
            }
        }
    }

    #[test]
    fn lanes_agree_with_rows() {
        let prediction = Lanes(std::array::from_fn(|lane| lane as f32 * 0.3 - 2.0));
        let target = Lanes(std::array::from_fn(|lane| (lane % 3) as f32 - 0.5));
        let weight = std::array::from_fn(|lane| (lane % 4) as f64);
        for loss in ALL {
            let mut slope = [0.0; LANES];
            let sum = loss.lanes(&prediction, &target, &weight, &mut slope);
            let mut expected = 0.0;
            for lane in 0..LANES {
                let residual = f64::from(prediction.0[lane]) - f64::from(target.0[lane]);
                expected += weight[lane] * loss.value(residual);
                assert_eq!(slope[lane], weight[lane] * loss.slope(residual));
            }
            assert_eq!(sum, expected);
        }
    }

    #[test]
    fn settings_are_refused_with_their_value() {
        let error = RowLoss::Quantile { level: 1.0 }.check().unwrap_err();
        let message = "level is 1, allowed is between 0 and 1, both excluded";
        assert_eq!(error.to_string(), message);
        assert!(RowLoss::Tukey { c: f64::NAN }.check().is_err());
        assert!(RowLoss::Huber { delta: f64::INFINITY }.check().is_err());
        assert!(ALL.iter().all(|loss| loss.check().is_ok()));
    }
}
