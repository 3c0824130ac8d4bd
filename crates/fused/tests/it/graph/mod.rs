//! The graph kernels against plain loops, finite differences, and bad input. `fattail-neural` holds them against
//! PyTorch Geometric.

mod bad_input;
mod gatv2;
mod gin;
mod gin_block;
mod nodes;
mod plain;
mod self_loops;

use fattail_fused::graph::{Edges, Graph};
use proptest::prelude::*;

/// Numbers in [-1, 1) that depend on the seed and the place alone (SplitMix64).
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..count)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn edges(nodes: usize, pairs: &[(u32, u32)]) -> Edges {
    let (sources, targets) = pairs.iter().copied().unzip();
    Edges { nodes, sources, targets }
}

/// Graphs with loops, double edges and nodes without edges.
fn graphs(most_nodes: usize, most_edges: usize) -> impl Strategy<Value = Graph> {
    (1..=most_nodes).prop_flat_map(move |nodes| {
        let end = 0..nodes as u32;
        prop::collection::vec((end.clone(), end), 0..=most_edges)
            .prop_map(move |pairs| Graph::new(edges(nodes, &pairs)).unwrap())
    })
}

/// A graph in which each node hears `degree` others and itself.
fn regular(nodes: usize, degree: usize) -> Graph {
    let pairs = (0..nodes).flat_map(|node| {
        (0..=degree).map(move |step| (((node + step * step) % nodes) as u32, node as u32))
    });
    Graph::new(edges(nodes, &pairs.collect::<Vec<_>>())).unwrap()
}

/// The largest difference, relative to 1 or the size of the plain value.
fn distance(found: &[f32], plain: &[f64]) -> f64 {
    assert_eq!(found.len(), plain.len());
    found
        .iter()
        .zip(plain)
        .map(|(&f, &p)| (f64::from(f) - p).abs() / p.abs().max(1.0))
        .fold(0.0, f64::max)
}

/// Runs in pools of 1, 2 and 3 threads and expects the same bits.
fn same_bits(work: impl Fn() -> Vec<f32> + Sync) {
    let runs = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&work).into_iter().map(f32::to_bits).collect::<Vec<_>>()
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
}
