//! What constraints leave to a node: the features it may ask about, the values its children may have.
//!
//! Monotone: after a split on a constrained feature the middle of the children's values bounds both and
//! all below them (basic), or each bounds the other (intermediate; see `monotone.rs`). Interaction: a path may ask about the features of the sets that hold all it
//! has asked about so far. Reference: LightGBM 4.7, `monotone_constraints.hpp`, `col_sampler.hpp`.

use fattail_core::{Error, Result, Schema};

use super::forced::Forced;
use crate::{
    Constraints, MonotoneMethod,
    split::{Bounds, Split},
};

/// Constraints by the position of features.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed {
    /// The direction of each feature; empty where none has one.
    monotone: Vec<i8>,
    /// How directions are kept.
    method: MonotoneMethod,
    /// The loss of gain near the root.
    penalty: f64,
    /// Sets of features; empty for no limit.
    sets: Vec<Vec<usize>>,
    /// Factors of gains; empty for none.
    contribution: Vec<f64>,
    /// Splits that every tree begins with.
    forced: Option<Forced>,
}

impl Allowed {
    /// Finds the constrained features in a schema.
    pub(crate) fn new(constraints: &Constraints, schema: &Schema) -> Result<Self> {
        let width = schema.features().len();
        let position = |name: &str| schema.feature_position(name);
        let mut allowed = Self {
            penalty: constraints.monotone_penalty,
            method: constraints.monotone_method,
            ..Self::default()
        };
        for (name, &direction) in &constraints.monotone {
            if !(-1..=1).contains(&direction) {
                return Err(Error::setting("monotone", direction, "-1, 0 or 1"));
            }
            allowed.monotone.resize(width, 0);
            allowed.monotone[position(name)?] = direction;
        }
        for (name, &factor) in &constraints.contribution {
            if !(factor >= 0.0 && factor.is_finite()) {
                return Err(Error::setting("contribution", factor, "0 or more, and finite"));
            }
            allowed.contribution.resize(width, 1.0);
            allowed.contribution[position(name)?] = factor;
        }
        for set in &constraints.interaction {
            let set: Result<Vec<usize>> = set.iter().map(|name| position(name)).collect();
            allowed.sets.push(set?);
        }
        allowed.forced = Forced::new(constraints, schema)?;
        if constraints.monotone_penalty.is_nan() || constraints.monotone_penalty < 0.0 {
            let value = constraints.monotone_penalty;
            return Err(Error::setting("monotone_penalty", value, "0 or more"));
        }
        Ok(allowed)
    }

    /// Whether any feature has a direction.
    pub(crate) fn is_monotone(&self) -> bool {
        self.monotone.iter().any(|&direction| direction != 0)
    }

    /// Whether leaves bound each other by their values.
    pub(crate) fn by_value(&self) -> bool {
        self.is_monotone() && self.method == MonotoneMethod::Intermediate
    }

    /// The split that every tree begins with.
    pub(crate) fn forced(&self) -> Option<&Forced> {
        self.forced.as_ref()
    }

    /// The direction of a feature.
    pub(crate) fn direction(&self, feature: usize) -> i8 {
        self.monotone.get(feature).copied().unwrap_or(0)
    }

    /// What the gain of a split on a feature is multiplied by.
    pub(crate) fn factor(&self, feature: usize, depth: usize) -> f64 {
        let own = self.contribution.get(feature).copied().unwrap_or(1.0);
        if self.penalty == 0.0 || self.direction(feature) == 0 {
            own
        } else {
            own * self.near_root(depth)
        }
    }

    fn near_root(&self, depth: usize) -> f64 {
        let (penalty, depth) = (self.penalty, depth as f64);
        if penalty >= depth + 1.0 {
            1e-15
        } else if penalty <= 1.0 {
            1.0 - penalty / depth.exp2() + 1e-15
        } else {
            1.0 - (penalty - 1.0 - depth).exp2() + 1e-15
        }
    }

    /// Whether a path may go on with a feature.
    pub(crate) fn may_follow(&self, path: &[usize], feature: usize) -> bool {
        let holds = |set: &&Vec<usize>| path.iter().all(|asked| set.contains(asked));
        self.sets.is_empty()
            || path.contains(&feature)
            || self.sets.iter().filter(holds).any(|set| set.contains(&feature))
    }

    /// The bounds of the children of a split.
    pub(crate) fn children(&self, bounds: Bounds, split: &Split) -> (Bounds, Bounds) {
        let (mut left, mut right) = (bounds, bounds);
        let middle = f64::midpoint(split.left_output, split.right_output);
        let (of_left, of_right) = match self.method {
            MonotoneMethod::Basic => (middle, middle),
            MonotoneMethod::Intermediate => (split.right_output, split.left_output),
        };
        match self.direction(split.feature) {
            0 => {}
            1.. => (left.high, right.low) = (left.high.min(of_left), right.low.max(of_right)),
            _ => (left.low, right.high) = (left.low.max(of_left), right.high.min(of_right)),
        }
        (left, right)
    }
}
