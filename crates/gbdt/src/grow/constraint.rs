//! What constraints leave to a node: the features it may ask about, the values its children may have.
//!
//! Monotone (basic): after a split on a constrained feature the middle of the children's values bounds
//! both and all below them. Interaction: a path may ask about the features of the sets that hold all it
//! has asked about so far. Reference: LightGBM 4.7, `monotone_constraints.hpp`, `col_sampler.hpp`.

use fattail_core::{Error, Result, Schema};

use crate::{
    Constraints,
    split::{Bounds, Split},
};

/// Constraints by the position of features.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed {
    /// The direction of each feature; empty where none has one.
    monotone: Vec<i8>,
    /// The loss of gain near the root.
    penalty: f64,
    /// Sets of features; empty for no limit.
    sets: Vec<Vec<usize>>,
    /// Factors of gains; empty for none.
    contribution: Vec<f64>,
}

impl Allowed {
    /// Finds the constrained features in a schema.
    pub(crate) fn new(constraints: &Constraints, schema: &Schema) -> Result<Self> {
        let width = schema.features().len();
        let position = |name: &str| schema.feature_position(name);
        let mut allowed = Self { penalty: constraints.monotone_penalty, ..Self::default() };
        for (name, &direction) in &constraints.monotone {
            allowed.monotone.resize(width, 0);
            allowed.monotone[position(name)?] = direction.signum();
        }
        for (name, &factor) in &constraints.contribution {
            allowed.contribution.resize(width, 1.0);
            allowed.contribution[position(name)?] = factor;
        }
        for set in &constraints.interaction {
            let set: Result<Vec<usize>> = set.iter().map(|name| position(name)).collect();
            allowed.sets.push(set?);
        }
        if !(constraints.monotone_penalty >= 0.0) {
            let value = constraints.monotone_penalty;
            return Err(Error::setting("monotone_penalty", value, "0 or more"));
        }
        Ok(allowed)
    }

    /// Whether any feature has a direction.
    pub(crate) fn is_monotone(&self) -> bool {
        self.monotone.iter().any(|&direction| direction != 0)
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
        match self.direction(split.feature) {
            0 => {}
            1.. => (left.high, right.low) = (middle, middle),
            _ => (left.low, right.high) = (middle, middle),
        }
        (left, right)
    }
}
