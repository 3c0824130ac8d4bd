//! What a leaf is worth and what a split wins.
//!
//! With the sums G and H of a leaf's gradients and hessians, n rows, penalties l1 and l2, and
//! `T(G) = sign(G) max(0, |G| - l1)`:
//!
//! ```text
//! w    = -T(G) / (H + l2), at most max_delta_step in size
//! w    = w r / (r + 1) + w_parent / (r + 1),  r = n / path_smooth      (path smoothing)
//! gain = T(G)^2 / (H + l2), or -(2 T(G) w + (H + l2) w^2) where w is bound
//! ```
//!
//! A split wins `gain_left + gain_right - gain_parent`. Reference: Chen & Guestrin (2016), equations 6
//! and 7; LightGBM 4.7, `feature_histogram.hpp`.

use crate::{Limits, histogram::Sums};

/// Added to sums of hessians, as LightGBM does, so that no denominator is 0.
pub(crate) const EPSILON: f64 = 1e-15_f32 as f64;

/// The least and the largest value that a leaf may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { low: f64::NEG_INFINITY, high: f64::INFINITY }
    }
}

/// The penalties and bounds under which leaves are valued. Hessians come with [`EPSILON`] in them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Valuer {
    pub(crate) l1: f64,
    pub(crate) l2: f64,
    pub(crate) max_delta: f64,
    pub(crate) smooth: f64,
    /// The value of the node that is split.
    pub(crate) parent: f64,
    /// Bounds of the left and of the right child, where there are monotone constraints.
    pub(crate) bounds: Option<(Bounds, Bounds)>,
    /// The direction of the feature's constraint.
    pub(crate) monotone: i8,
}

impl Valuer {
    pub(crate) fn new(limits: &Limits, parent: f64) -> Self {
        Self {
            l1: limits.lambda_l1,
            l2: limits.lambda_l2,
            max_delta: limits.max_delta_step,
            smooth: limits.path_smooth,
            parent,
            bounds: None,
            monotone: 0,
        }
    }

    /// Whether a gain is `G^2 / (H + l2)`.
    pub(crate) fn is_plain(&self) -> bool {
        self.l1 == 0.0 && self.is_free()
    }

    fn is_free(&self) -> bool {
        self.max_delta <= 0.0 && self.smooth <= 0.0 && self.bounds.is_none()
    }

    fn shrunk(&self, g: f64) -> f64 {
        if self.l1 == 0.0 { g } else { (g.abs() - self.l1).max(0.0).copysign(g) }
    }

    /// The value of a root: there is no parent to lean towards.
    pub(crate) fn root_output(&self, sums: Sums) -> f64 {
        Self { smooth: 0.0, ..*self }.free_output(sums)
    }

    /// The value of a leaf without bounds.
    pub(crate) fn free_output(&self, sums: Sums) -> f64 {
        let mut w = -self.shrunk(sums.g) / (sums.h + self.l2);
        if self.max_delta > 0.0 && w.abs() > self.max_delta {
            w = self.max_delta.copysign(w);
        }
        if self.smooth > 0.0 {
            let r = sums.n / self.smooth;
            w = w * r / (r + 1.0) + self.parent / (r + 1.0);
        }
        w
    }

    fn output(&self, sums: Sums, bounds: Option<Bounds>) -> f64 {
        let w = self.free_output(sums);
        bounds.map_or(w, |bounds| w.max(bounds.low).min(bounds.high))
    }

    /// The values of two children.
    pub(crate) fn outputs(&self, left: Sums, right: Sums) -> (f64, f64) {
        let bounds = self.bounds;
        (self.output(left, bounds.map(|b| b.0)), self.output(right, bounds.map(|b| b.1)))
    }

    /// What a leaf of value `w` is worth.
    pub(crate) fn gain_of(&self, sums: Sums, w: f64) -> f64 {
        -(2.0 * self.shrunk(sums.g) * w + (sums.h + self.l2) * w * w)
    }

    /// What a leaf is worth.
    pub(crate) fn leaf_gain(&self, sums: Sums) -> f64 {
        if self.max_delta <= 0.0 && self.smooth <= 0.0 {
            let g = self.shrunk(sums.g);
            g * g / (sums.h + self.l2)
        } else {
            self.gain_of(sums, self.free_output(sums))
        }
    }

    /// Whether two values break the monotone constraint.
    pub(crate) fn is_wrong(&self, left: f64, right: f64) -> bool {
        match self.monotone {
            0 => false,
            1.. => left > right,
            _ => left < right,
        }
    }

    /// What two children are worth; less than anything where they break the monotone constraint.
    pub(crate) fn pair_gain(&self, left: Sums, right: Sums) -> f64 {
        if self.is_free() {
            return self.leaf_gain(left) + self.leaf_gain(right);
        }
        let (w_left, w_right) = self.outputs(left, right);
        if self.is_wrong(w_left, w_right) {
            f64::NEG_INFINITY
        } else {
            self.gain_of(left, w_left) + self.gain_of(right, w_right)
        }
    }
}
