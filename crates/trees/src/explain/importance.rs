//! How much a forest uses each feature, by what its nodes remember of the training.

use crate::Forest;

use super::plan::Cover;

/// What is added up over the nodes that ask about a feature. Nodes that won nothing do not count, as
/// in LightGBM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    /// What the splits won.
    Gain,
    /// The number of splits.
    Splits,
    /// Training rows that came by, or hessians where the tree has no counts.
    Cover,
}

impl Importance {
    /// The importance of each feature.
    ///
    /// ```
    /// use fattail_trees::{Feature, Forest, Tree, explain::Importance};
    /// let features = vec![Feature { name: "x".into(), ..Feature::default() }];
    /// let trees = vec![Tree::constant(vec![0.5], 0)];
    /// let forest = Forest { features, trees, ..Forest::default() };
    /// assert_eq!(Importance::Splits.of(&forest)?, [0.0]);
    /// # Ok::<(), fattail_trees::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the forest's parts do not fit together.
    pub fn of(self, forest: &Forest) -> crate::Result<Vec<f64>> {
        forest.check()?;
        let mut sums = vec![0.0; forest.features.len()];
        for tree in &forest.trees {
            let cover = Cover::new(tree);
            for node in tree.nodes.iter().filter(|node| node.gain > 0.0) {
                sums[node.feature as usize] += match self {
                    Self::Gain => node.gain,
                    Self::Splits => 1.0,
                    Self::Cover => cover.of(node.left) + cover.of(node.right),
                };
            }
        }
        Ok(sums)
    }
}
