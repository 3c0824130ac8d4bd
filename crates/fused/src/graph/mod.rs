//! Attention and sums over the edges of a graph that all samples of a batch share.
//!
//! [`Edges`] is the list that a user has, [`SelfLoops`] gives every node a loop, [`Graph`] is the list sorted for the
//! kernels: by target for the forward pass, by source for the backward pass. [`Gatv2`] and [`Gin`] are the
//! aggregations of the two layers; their matrix products are [`crate::linear`]'s. [`GinBlock`] is a whole block
//! around a GIN layer. [`NodeEmbedding`] and [`NodeMean`] lead from a row of features to nodes and back.
//!
//! Every sum has a fixed order: the same arguments give the same bits with any number of threads. All but
//! [`GinBlock`] give the same bits with every instruction set too.
//!
//! ```
//! use fattail_fused::graph::{Edges, Gin, Graph};
//!
//! let path = Edges { nodes: 3, sources: vec![0, 1], targets: vec![1, 2] };
//! let graph = Graph::new(path)?;
//! let layer = Gin { batch: 1, width: 1 };
//! let mut out = [0.0; 3];
//! layer.forward(&graph, 0.5, &[1.0, 2.0, 4.0], &mut out)?;
//! assert_eq!(out, [1.5, 4.0, 8.0]);
//! # Ok::<(), fattail_fused::Error>(())
//! ```

mod edges;
mod gatv2;
mod gin;
mod gin_block;
mod lanes;
mod nodes;
mod self_loops;
mod sorted;
mod tiles;

pub use edges::Edges;
pub use gatv2::{Gatv2, Gatv2Gradients, Gatv2Inputs};
pub use gin::{Gin, GinGradients};
pub use gin_block::{GinBlock, GinBlockGradients, GinBlockInputs, GinParameters};
pub use nodes::{NodeEmbedding, NodeEmbeddingGradients, NodeMean};
pub use self_loops::SelfLoops;
pub use sorted::Graph;

use crate::{Error, Result};

/// The product of sizes, refused when it is more than memory can hold.
fn volume(sizes: &[usize]) -> Result<usize> {
    let product = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    product.filter(|&count| count <= isize::MAX as usize / 8).ok_or_else(|| Error::Setting {
        name: "the product of the shape",
        value: format!("{sizes:?}"),
        allowed: "what fits in memory",
    })
}

/// Refuses a size of zero.
fn expect_positive(name: &'static str, value: usize) -> Result<()> {
    if value > 0 {
        Ok(())
    } else {
        Err(Error::Setting { name, value: value.to_string(), allowed: "at least 1" })
    }
}
