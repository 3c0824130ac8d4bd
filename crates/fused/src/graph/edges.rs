//! The edges of a directed graph, as a list.
//!
//! Edge e runs from `sources[e]` to `targets[e]`: information flows that way. Loops and double edges are allowed and
//! count as often as they stand. Cost of a check: one pass.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// More nodes than this are refused: a graph of features or assets is far smaller, a hostile file is not.
const MOST_NODES: usize = 1 << 24;

/// A list of directed edges.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Edges {
    /// The number of nodes, 1 to 16,777,216.
    pub nodes: usize,
    /// The node at which each edge begins.
    pub sources: Vec<u32>,
    /// The node at which each edge ends.
    pub targets: Vec<u32>,
}

impl Edges {
    /// The number of edges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is no edge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Answers whether the list describes a graph.
    ///
    /// # Errors
    /// When the number of nodes is out of range, the two columns differ in length, or an end is not a node.
    pub fn check(&self) -> Result<()> {
        if self.nodes == 0 || self.nodes > MOST_NODES {
            let value = self.nodes.to_string();
            return Err(Error::Setting { name: "nodes", value, allowed: "1 to 16777216" });
        }
        if u32::try_from(self.len()).is_err() {
            let value = self.len().to_string();
            return Err(Error::Setting {
                name: "the number of edges",
                value,
                allowed: "0 to 4294967295",
            });
        }
        crate::error::expect_len("targets", self.targets.len(), self.len())?;
        self.expect_nodes("the source of an edge", &self.sources)?;
        self.expect_nodes("the target of an edge", &self.targets)
    }

    fn expect_nodes(&self, name: &'static str, ends: &[u32]) -> Result<()> {
        match ends.iter().position(|&end| end as usize >= self.nodes) {
            None => Ok(()),
            Some(edge) => Err(Error::Setting {
                name,
                value: format!("{} (edge {edge}, {} nodes)", ends[edge], self.nodes),
                allowed: "below the number of nodes",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_beyond_the_nodes_is_named() {
        let edges = Edges { nodes: 2, sources: vec![0, 1], targets: vec![1, 2] };
        let text = edges.check().unwrap_err().to_string();
        assert_eq!(
            text,
            "the target of an edge is 2 (edge 1, 2 nodes), allowed is below the number of nodes"
        );
    }

    #[test]
    fn sizes_are_checked() {
        let empty = Edges::default();
        assert_eq!(empty.check().unwrap_err().to_string(), "nodes is 0, allowed is 1 to 16777216");
        let uneven = Edges { nodes: 2, sources: vec![0, 1], targets: vec![1] };
        assert!(matches!(uneven.check(), Err(Error::Length { found: 1, expected: 2, .. })));
        assert!(Edges { nodes: 1, ..Edges::default() }.check().is_ok());
    }
}
